package driver

import (
	"slices"
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
)

// TestWakeups lets wake-up times arrive for dispatchers in every state: a
// parked one becomes ready, and one that waits for the processor inside the
// libos, where no upcall can tell it, must find it in HasWork.
func TestWakeups(t *testing.T) {
	for name, test := range map[string]struct {
		state, disabled, resume uint32
		hasWork                 bool
	}{
		"parked":                 {abi.DomainParked, 1, kcb.ResumeExact, false},
		"ready, in the libos":    {abi.DomainReady, 1, kcb.ResumeExact, true},
		"ready, in the program":  {abi.DomainReady, 0, kcb.ResumePreempted, false},
		"ready, with a message":  {abi.DomainReady, 0, kcb.ResumeCall, true},
		"ready, about to resume": {abi.DomainReady, 2, kcb.ResumeExact, true},
	} {
		d := domain(t)
		b := d.dcb(dom)
		b.Entries = abi.Entries{Run: 0x1000, CriticalLow: 0x2000, CriticalHigh: 0x2010}
		b.State, b.Regs.RIP, b.Resume = test.state, 0x5000, test.resume
		if test.state == abi.DomainReady {
			d.ready(b)
		}
		if test.disabled == 2 {
			b.Regs.RIP = 0x2008
		}
		b.Page().Disabled = test.disabled & 1
		d.k.WakeLater(b, 1000)
		d.expire(999)
		if b.WakeAt != 1000 || b.Page().HasWork != 0 {
			t.Errorf("%s: woken early", name)
		}
		d.expire(1000)
		if b.WakeAt != 0 || b.State != abi.DomainReady || !slices.Equal(d.queued(), []*kcb.DCB{b}) {
			t.Errorf("%s: not ready, or its time is not cleared", name)
		}
		if got := b.Page().HasWork != 0; got != test.hasWork {
			t.Errorf("%s: HasWork is %v", name, got)
		}
	}
}

// TestParkAndWait gives up the core by both calls: one comes back by the run
// upcall, the other where it was.
func TestParkAndWait(t *testing.T) {
	const far = 1 << 60
	for _, call := range []struct {
		number uint64
		resume uint32
	}{{abi.CallPark, kcb.ResumeRun}, {abi.CallWait, kcb.ResumeCall}} {
		c := domain(t)
		b := c.dcb(dom)
		c.must(ref(dom+domDispatcher), abicap.DispatcherRun)
		c.runs(b)
		p := b.Page()
		if p.Disabled = 0; true {
			if _, err := c.call(b, call.number, 0); err != abi.ErrState {
				t.Errorf("call %d while enabled: %v", call.number, err)
			}
		}
		p.Disabled = 1
		if _, err := c.call(b, abi.CallPark, 0); err != abi.ErrState {
			t.Errorf("parked without a run upcall: %v", err)
		}
		b.Entries.Run = 0x1000
		for _, wake := range []func(){
			func() { c.expire(far) },
			func() { c.ask(ref(dom+domBell), abicap.DoorbellRing) },
		} {
			p.HasWork = 0
			b.Regs.RIP = 0x7777
			if _, err := c.call(b, call.number, far); err != abi.OK || b.State != abi.DomainParked || b.WakeAt != far {
				t.Fatalf("call %d: %v, state %d, until %d", call.number, err, b.State, b.WakeAt)
			}
			c.running = nil
			wake()
			if b.State != abi.DomainReady || !slices.Equal(c.queued(), []*kcb.DCB{b}) || b.WakeAt != 0 || b.Resume != call.resume {
				t.Fatalf("call %d: state %d, resume %d after it was woken", call.number, b.State, b.Resume)
			}
			c.resume(b)
			if ip := b.Regs.RIP; (ip == 0x7777) != (call.number == abi.CallWait) {
				t.Errorf("call %d: it goes on at %#x", call.number, ip)
			}
			c.running = b
		}
		// With work there already, or the time past, nobody waits.
		p.HasWork = 1
		c.call(b, call.number, far)
		p.HasWork = 0
		c.call(b, call.number, 1)
		if b.State != abi.DomainReady || b.Resume != call.resume {
			t.Errorf("call %d: it waits for what has come", call.number)
		}
		// It may be woken before it has left the core.
		c.call(b, call.number, far)
		c.notify(b)
		if c.choose(); b.State != abi.DomainReady || c.running != b || b.WakeAt != 0 {
			t.Errorf("call %d: woken in the same event, it is not", call.number)
		}
		c.sound()
	}
}

// TestNestedFault takes page faults inside the libos.
func TestNestedFault(t *testing.T) {
	const heap = abi.LibosHeap + 0x5008
	for name, test := range map[string]struct {
		address  uint64
		disabled uint32
		nested   uint64
		entry    uint64
		state    uint32 // in which it is afterwards
		ip       uint64
	}{
		"in the heap":             {heap, 1, 0, 0x6000, abi.DomainReady, 0x6000},
		"the heap's first byte":   {abi.LibosHeap, 1, 0, 0x6000, abi.DomainReady, 0x6000},
		"the heap's last byte":    {abi.LibosHeapEnd - 1, 1, 0, 0x6000, abi.DomainReady, 0x6000},
		"behind the heap":         {abi.LibosHeapEnd, 1, 0, 0x6000, abi.DomainEnded, 0},
		"before the heap":         {abi.LibosHeap - 1, 1, 0, 0x6000, abi.DomainEnded, 0},
		"while one is handled":    {heap, 1, 1, 0x6000, abi.DomainEnded, 0},
		"without an upcall":       {heap, 1, 0, 0, abi.DomainEnded, 0},
		"enabled, in the heap":    {heap, 0, 0, 0x6000, abi.DomainReady, 0x3000},
		"enabled, somewhere else": {0x1000, 0, 0, 0x6000, abi.DomainReady, 0x3000},
	} {
		c := domain(t)
		b := c.dcb(dom)
		b.State = abi.DomainReady
		c.running = b
		b.Entries = abi.Entries{Run: 0x1000, PageFault: 0x3000, Trap: 0x4000, Linux: 0x5000, NestedFault: test.entry}
		p := b.Page()
		p.Disabled, p.Nested = test.disabled, test.nested
		b.Regs = abi.Registers{RIP: 0x123, RSP: 0x456, RBX: 7, FSBase: 9}
		was := b.Regs
		vectorArea(b.Vector())[100] = 0x5a
		b.Resume = kcb.ResumeExact
		c.exception(b, amd64.Trap{Vector: amd64.PageFault, Code: amd64.FaultUser | amd64.FaultWrite, Address: test.address})
		if b.State != test.state || test.ip != 0 && b.Regs.RIP != test.ip {
			t.Errorf("%s: state %d, at %#x", name, b.State, b.Regs.RIP)
			continue
		}
		switch test.ip {
		case 0x6000:
			if p.Nested != 1 || p.NestedAddress != test.address || p.NestedCode != amd64.FaultUser|amd64.FaultWrite || p.NestedState != was || p.Disabled != 1 {
				t.Errorf("%s: the page says %+v", name, p)
			}
			if c.resume(b) != 1 || vectorArea(b.Vector())[100] != 0x5a {
				t.Errorf("%s: the vector registers are not as they were", name)
			}
		case 0x3000:
			if p.FaultAddress != test.address || p.Trap != was || p.Nested != 0 || vectorArea(b.SharedVector(2))[100] != 0x5a {
				t.Errorf("%s: the page says %+v", name, p)
			}
		default:
			if s := b.Status; s.Kind != abi.ExitFault || s.FaultAddress != test.address || s.FaultRIP != 0x123 {
				t.Errorf("%s: it ended with %+v", name, s)
			}
		}
	}
}

// TestProbe takes page faults where the libos tries an address.
func TestProbe(t *testing.T) {
	for name, test := range map[string]struct {
		at       uint64
		disabled uint32
		vector   int
		goes     uint64 // where it goes on, 0 if it is ended
	}{
		"first instruction": {0x7000, 1, amd64.PageFault, 0x8000},
		"last instruction":  {0x700f, 1, amd64.PageFault, 0x8000},
		"behind":            {0x7010, 1, amd64.PageFault, 0},
		"before":            {0x6fff, 1, amd64.PageFault, 0},
		"enabled":           {0x7000, 0, amd64.PageFault, 0x3000},
		"another exception": {0x7000, 1, amd64.GeneralFault, 0},
	} {
		c, ds := newDomains(t, 1)
		b := ds[0]
		c.ready(b)
		c.choose()
		b.Entries.PageFault, b.Entries.Trap = 0x3000, 0x4000
		b.Entries.ProbeLow, b.Entries.ProbeHigh, b.Entries.ProbeFail = 0x7000, 0x7010, 0x8000
		b.Page().Disabled = test.disabled
		b.Regs = abi.Registers{RIP: test.at, RSP: 0x456, RBX: 7, FSBase: 9}
		want := b.Regs
		want.RIP = test.goes
		b.Resume = kcb.ResumeExact
		c.exception(b, amd64.Trap{Vector: test.vector, Code: amd64.FaultUser, Address: 0x1000})
		if ended := b.State == abi.DomainEnded; ended != (test.goes == 0) || !ended && b.Regs.RIP != test.goes {
			t.Errorf("%s: state %d, at %#x", name, b.State, b.Regs.RIP)
		}
		if test.goes == 0x8000 && (b.Regs != want || b.Resume != kcb.ResumeExact) {
			t.Errorf("%s: it goes on with %+v", name, b.Regs)
		}
	}
}

// TestTrace ends a domain by a fault in the libos: words on its stack that lead
// to code of the libos are kept, others are not.
func TestTrace(t *testing.T) {
	c := domain(t)
	b := c.dcb(dom)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 1<<32, ref(dom+domFrame), ref(spare), 0, readWrite)
	// A libos: a page of text, and one of data.
	for i := range uint32(3) {
		c.make(100+i, 1, ram, abicap.PageTable3-abicap.Type(i), 1<<20+uint64(i)<<12, abi.PageSize)
	}
	c.must(ref(dom+domSpace), abicap.PageTable4Map, abi.LibosBase>>39|1<<32, ref(100), ref(103), 0, 0)
	c.must(ref(100), abicap.PageTable3Map, 1<<32, ref(101), ref(104), 0, 0)
	c.must(ref(101), abicap.PageTable2Map, 1<<32, ref(102), ref(105), 0, 0)
	c.must(ref(102), abicap.PageTable1Map, 1<<32, ref(dom+domFrame), ref(106), abi.PageSize, abi.ProtRead|abi.ProtExec)
	c.must(ref(102), abicap.PageTable1Map, 1|1<<32, ref(dom+domFrame), ref(107), 2*abi.PageSize, readWrite)
	stack := []uint64{1, abi.LibosBase + 0x123, abi.LibosBase + 0x1008, domainAt, abi.LibosBase + 0x456, abi.WindowBase + corePhys, abi.LibosBase + 0x2000}
	for i, v := range stack {
		c.copyOut(b, domainAt+0x800+uintptr(8*i), bytesOf(&v))
	}
	b.State = abi.DomainReady
	b.Regs = abi.Registers{RIP: abi.LibosBase + 0x10, RSP: domainAt + 0x800}
	c.exception(b, amd64.Trap{Vector: amd64.InvalidOpcode})
	if s := b.Status; s.Kind != abi.ExitFault || s.Trace[0] != abi.LibosBase+0x123 || s.Trace[1] != abi.LibosBase+0x456 || s.Trace[2] != 0 {
		t.Errorf("it ended with %+v", s)
	}
}

// TestWork lets work on capabilities go on event by event: its end is told to
// the monitor once, if it was told to wait.
func TestWork(t *testing.T) {
	c := domain(t)
	c.monitor = c.dcb(dom)
	c.want(abicap.ErrPending, ref(base), abicap.L2CNodeRetype, 100|1<<32, ref(ram), uint64(abicap.Frame), 2<<20, 2<<20)
	if !c.cap.Pending() || c.workAt == never {
		t.Fatal("nothing is left to do, or nothing makes the driver do it")
	}
	word := abicap.Word(abicap.Reference(ref(100)), abicap.InvokeNop)
	if _, err := invoke(c.Driver, c.monitor, &arguments{word}); err != abicap.ErrNotReady {
		t.Fatal(err)
	}
	for n := 0; c.work(); n++ {
		if c.monitor.Counts.Notified != 0 {
			t.Fatal("told before it was done")
		}
		if n > 1000 {
			t.Fatal("it does not end")
		}
	}
	if c.monitor.Counts.Notified != 1 || c.workAt != never || c.cap.Pending() {
		t.Errorf("told %d times, next work at %d", c.monitor.Counts.Notified, c.workAt)
	}
	if c.work() || c.monitor.Counts.Notified != 1 {
		t.Error("work without any")
	}
	c.must(ref(100), abicap.InvokeNop)
	c.must(ref(base), abicap.L2CNodeDelete, 100)
	c.want(abicap.ErrPending, ref(base), abicap.L2CNodeRetype, 101|1<<32, ref(ram), uint64(abicap.Frame), 2<<20, 2<<20)
	for c.work() {
	}
	if c.monitor.Counts.Notified != 1 {
		t.Error("told of work that it does not wait for")
	}
}
