package driver

import (
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
)

// TestNativeCalls makes calls of every number with arguments that none allows.
func TestNativeCalls(t *testing.T) {
	c := domain(t)
	b := c.dcb(dom)
	c.must(ref(dom+domDispatcher), abicap.DispatcherRun)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 1<<32, ref(dom+domFrame), ref(spare), 0, readWrite)
	b.Page().Disabled = 0
	good := abi.Entries{Run: 0x1000, PageFault: 0x2000, Trap: 0x3000, NestedFault: 0x4000, Linux: 0x5000, CriticalLow: 8, CriticalHigh: 8}
	put := func(change func(e *abi.Entries)) uint64 {
		e := good
		change(&e)
		if err := c.copyOut(b, domainAt, bytesOf(&e)); err != abi.OK {
			t.Fatal(err)
		}
		return domainAt
	}
	for name, test := range map[string]struct {
		number uint64
		a      []uint64
		want   abi.Error
	}{
		"nop":                       {abi.CallNop, nil, abi.OK},
		"no call":                   {abi.NumCalls, nil, abi.ErrCall},
		"no call at all":            {1<<63 - 1, nil, abi.ErrCall},
		"wild entries":              {abi.CallSetup, []uint64{1 << 62}, abi.ErrFault},
		"the kernel's entries":      {abi.CallSetup, []uint64{abi.WindowBase + corePhys}, abi.ErrFault},
		"parked while enabled":      {abi.CallPark, []uint64{0}, abi.ErrState},
		"waiting while enabled":     {abi.CallWait, []uint64{0}, abi.ErrState},
		"yielding while enabled":    {abi.CallYield, nil, abi.ErrState},
		"woken in the past":         {abi.CallWakeup, []uint64{1 << 63}, abi.ErrArgument},
		"ended in no way":           {abi.CallExit, []uint64{abi.ExitFault, 0}, abi.ErrArgument},
		"killed by itself":          {abi.CallExit, []uint64{abi.ExitKilled, 0}, abi.ErrArgument},
		"much entropy":              {abi.CallRandom, []uint64{domainAt, 257}, abi.ErrTooBig},
		"entropy nowhere":           {abi.CallRandom, []uint64{domainAt + 4090, 16}, abi.ErrFault},
		"entropy":                   {abi.CallRandom, []uint64{domainAt + 4080, 16}, abi.OK},
		"no reference":              {abi.CallInvoke, []uint64{0}, abicap.ErrReference},
		"an empty slot":             {abi.CallInvoke, []uint64{abicap.Word(abicap.Reference(ref(spare2)), 0)}, abicap.ErrEmpty},
		"no invocation":             {abi.CallInvoke, []uint64{abicap.Word(abicap.Reference(ref(ram)), 2)}, abicap.ErrInvocation},
		"far from any invocation":   {abi.CallInvoke, []uint64{abicap.Word(abicap.Reference(ref(ram)), 1<<32-1)}, abicap.ErrInvocation},
		"a description for nobody":  {abi.CallInvoke, []uint64{abicap.Word(abicap.Reference(ref(ram)), abicap.InvokeIdentify), domainAt + 4090}, abi.ErrFault},
		"a description too high up": {abi.CallInvoke, []uint64{abicap.Word(abicap.Reference(ref(ram)), abicap.InvokeIdentify), abi.WindowBase}, abi.ErrArgument},
	} {
		if _, err := c.call(b, test.number, test.a...); err != test.want {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if b.State != abi.DomainReady || b.Entries != (abi.Entries{}) {
			t.Fatalf("%s: it had an effect", name)
		}
	}
	for name, change := range map[string]func(e *abi.Entries){
		"no run upcall":         func(e *abi.Entries) { e.Run = 0 },
		"no nested fault":       func(e *abi.Entries) { e.NestedFault = 0 },
		"trap in the kernel":    func(e *abi.Entries) { e.Trap = abi.WindowBase },
		"Linux at the edge":     func(e *abi.Entries) { e.Linux = userEnd },
		"critical range inside": func(e *abi.Entries) { e.CriticalLow = e.CriticalHigh + 1 },
		"critical range":        func(e *abi.Entries) { e.CriticalHigh = userEnd },
		"probe range inside":    func(e *abi.Entries) { e.ProbeLow, e.ProbeFail = e.ProbeHigh+1, 8 },
		"probe range":           func(e *abi.Entries) { e.ProbeHigh, e.ProbeFail = userEnd, 8 },
		"probe goes on nowhere": func(e *abi.Entries) { e.ProbeHigh = 16 },
		"in the kernel":         func(e *abi.Entries) { e.ProbeHigh, e.ProbeFail = 16, userEnd },
	} {
		if _, err := c.call(b, abi.CallSetup, put(change)); err != abi.ErrArgument || b.Entries != (abi.Entries{}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.call(b, abi.CallSetup, put(func(*abi.Entries) {})); err != abi.OK || b.Entries != good {
		t.Errorf("setup: %v, %+v", err, b.Entries)
	}
	// A Linux call gets here only from who has named no upcalls.
	b.Regs.RAX = 1
	c.native(b)
	if b.State != abi.DomainEnded || b.Status.Kind != abi.ExitFault {
		t.Errorf("state %d, %+v", b.State, b.Status)
	}
}

// TestIdentify reads a description.
func TestIdentify(t *testing.T) {
	c := domain(t)
	b := c.dcb(dom)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 1<<32, ref(dom+domFrame), ref(spare), 0, readWrite)
	if _, err := c.invokes(b, ref(dom+domFrame), abicap.InvokeIdentify, domainAt+100); err != abi.OK {
		t.Fatal(err)
	}
	var got abicap.Description
	c.copyIn(b, domainAt+100, bytesOf(&got))
	if got != c.cap.Identify(c.at(ref(dom+domFrame))) || got.Type != abicap.Frame || got.Size != domainFrame {
		t.Errorf("it is %+v", got)
	}
}

// TestNoAllocation handles events of all kinds that come often, and counts what
// they take from the heap.
func TestNoAllocation(t *testing.T) {
	c := domain(t)
	b := c.dcb(dom)
	c.monitor = b
	c.must(ref(dom+domDispatcher), abicap.DispatcherRun)
	c.runs(b)
	b.Entries = abi.Entries{Run: 0x1000, PageFault: 0x2000, Trap: 0x3000, NestedFault: 0x4000, Linux: 0x5000}
	var args [6]uint64
	call := func(number uint64, want abi.Error, a ...uint64) {
		clear(args[:])
		copy(args[:], a)
		r := &b.Regs
		r.RAX, r.RDI, r.RSI, r.RDX, r.R10, r.R8, r.R9 = abi.NativeCall|number, args[0], args[1], args[2], args[3], args[4], args[5]
		c.native(b)
		if r.RAX != uint64(want) {
			t.Fatalf("call %d %#x: %v", number, r.RDI, abi.Error(r.RAX))
		}
	}
	word := func(slot uint32, i abicap.Invocation) uint64 { return abicap.Word(abicap.Reference(ref(slot)), i) }
	const one = 1 << 32
	p := b.Page()
	for name, do := range map[string]func(){
		"nop":    func() { call(abi.CallNop, abi.OK) },
		"invoke": func() { call(abi.CallInvoke, abi.OK, word(ram, abicap.InvokeNop)) },
		"map": func() {
			call(abi.CallInvoke, abi.OK, word(dom+domDir1, abicap.PageTable1Map), 9|4*one, ref(dom+domFrame), ref(spare), 0, readWrite)
			call(abi.CallInvoke, abi.OK, word(spare, abicap.MappingProtect), 0, 4, 1, domainAt)
			call(abi.CallInvoke, abi.OK, word(spare, abicap.MappingUnmap), 0, 4, domainAt)
		},
		"identify": func() {
			call(abi.CallInvoke, abi.OK, word(dom+domDir1, abicap.PageTable1Map), 9|4*one, ref(dom+domFrame), ref(spare), 0, readWrite)
			call(abi.CallInvoke, abi.OK, word(ram, abicap.InvokeIdentify), domainAt+9<<12)
			call(abi.CallRandom, abi.OK, domainAt+9<<12, 256)
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeDelete), spare)
		},
		"retype": func() {
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeRetype), 100|one, ref(ram), uint64(abicap.Frame), 2<<20, 4096)
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeCopy), 101, ref(100))
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeRevoke), 100)
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeDelete), 100)
		},
		"work": func() {
			call(abi.CallInvoke, abicap.ErrPending, word(base, abicap.L2CNodeRetype), 100|one, ref(ram), uint64(abicap.Frame), 2<<20, 1<<20)
			for c.work() {
			}
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeDelete), 100)
		},
		"dispatcher": func() {
			call(abi.CallInvoke, abicap.ErrPending, word(base, abicap.L2CNodeRetype), 100|2*one, ref(ram), uint64(abicap.Dispatcher), 2<<20, kcb.ObjectSize)
			for c.work() {
			}
			call(abi.CallInvoke, abi.OK, word(100, abicap.DispatcherSetup), ref(cspace), ref(dom+domSpace), ref(dom+domNumber), ref(dom+domBell), entryPoint)
			call(abi.CallInvoke, abi.OK, word(100, abicap.DispatcherRun))
			call(abi.CallInvoke, abi.OK, word(100, abicap.DispatcherStop))
			c.end(c.target(c.at(ref(100))), abi.Status{Kind: abi.ExitKilled})
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeDelete), 100)
			call(abi.CallInvoke, abi.OK, word(base, abicap.L2CNodeDelete), 101)
			for c.work() {
			}
		},
		"exceptions": func() {
			for _, disabled := range []uint32{0, 1} {
				p.Disabled, p.Nested = disabled, 0
				b.Resume = kcb.ResumeExact
				c.exception(b, amd64.Trap{Vector: amd64.PageFault, Address: abi.LibosHeap})
				c.resume(b)
			}
		},
		"waiting": func() {
			p.Disabled, p.HasWork = 1, 0
			call(abi.CallWakeup, abi.OK, 1<<50)
			call(abi.CallPark, abi.OK, 1<<50)
			call(abi.CallInvoke, abi.OK, word(dom+domBell, abicap.DoorbellRing))
			c.expire(1 << 51)
			p.Disabled = 0
			b.Resume = kcb.ResumeExact
			c.interruptUser(b)
		},
		"turns": func() {
			p.Disabled, p.HasWork = 1, 0
			call(abi.CallYield, abi.OK)
			c.choose()
			call(abi.CallPark, abi.OK)
			c.choose()
			c.notify(b)
			c.choose()
		},
	} {
		if n := testing.AllocsPerRun(50, do); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if b.State != abi.DomainReady {
			t.Fatalf("%s: state %d", name, b.State)
		}
	}
	c.sound()
}
