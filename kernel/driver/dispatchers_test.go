package driver

import (
	"slices"
	"testing"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
)

// TestSetup checks what a dispatcher is after it was set up.
func TestSetup(t *testing.T) {
	c := newCore(t, 4)
	b := c.newDomain(dom, 0, 0)
	if b.State != abi.DomainNew || c.queued() != nil {
		t.Fatal("it runs without having been told to")
	}
	if b.Domain != dom+1 || uint64(b.Root) != c.cap.BaseOf(c.at(ref(dom+domSpace))) {
		t.Errorf("domain %d, root %#x", b.Domain, b.Root)
	}
	if b.Regs.RIP != entryPoint || b.Regs.RFLAGS != userFlags || b.Regs.RDI != abi.DispatcherBase || b.Resume != kcb.ResumeCall {
		t.Errorf("it starts with %+v", b.Regs)
	}
	p := b.Page()
	if p.Self != abi.DispatcherBase || p.Disabled != 1 || p.Domain != b.Domain || p.VectorSize != amd64.VectorSize || p.Clock != c.k.Machine.Clock {
		t.Errorf("its page is %+v", p)
	}
	kernel := amd64.Space{Root: c.k.Root}
	for _, va := range []uintptr{abi.WindowBase + corePhys, abi.KernelHeap, abi.KernelBase} {
		if at, level := space(b).Find(&c.k.Pages, va); level < 3 {
			if want, _ := kernel.Find(&c.k.Pages, va); at != want {
				t.Errorf("%#x is not the kernel's there", va)
			}
		} else if va == abi.WindowBase+corePhys {
			t.Error("the kernel is not in its address space")
		}
	}
	if c.mapped(b, abi.WindowBase+corePhys) != 0 {
		t.Error("a user's access to the kernel's half is not refused")
	}
	// Its capabilities are copies, so those that were given can go.
	for _, slot := range []uint32{dom + domSpace, dom + domNumber} {
		c.must(ref(base), abicap.L2CNodeDelete, uint64(slot))
	}
	if b.Root == 0 || c.mapped(b, 0) != 0 {
		t.Error("its address space went with the capability that was given")
	}
	if _, err := c.invokes(b, ref(ram), abicap.InvokeNop); err != abi.OK {
		t.Errorf("it has no CSpace: %v", err)
	}
	c.sound()
}

// TestSetupRefuses gives dispatchers what they cannot have.
func TestSetupRefuses(t *testing.T) {
	c := newCore(t, 4)
	c.newDomain(dom, 0, 0)
	c.make(100, 1, ram, abicap.Dispatcher, 1<<20, kcb.ObjectSize)
	c.must(ref(base), abicap.L2CNodeMint, 101, ref(dom+domSpace), uint64(abicap.RightGrant))
	c.must(ref(base), abicap.L2CNodeMint, 102, ref(dom+domNumber), uint64(abicap.RightGrant))
	c.must(ref(base), abicap.L2CNodeMint, 103, ref(dom+domBell), uint64(abicap.RightGrant))
	c.must(ref(base), abicap.L2CNodeMint, 104, ref(dom+domSpace), uint64(abicap.RightControl))
	good := [5]uint64{ref(cspace), ref(dom + domSpace), ref(dom + domNumber), ref(dom + domBell), entryPoint}
	for name, test := range map[string]struct {
		argument int
		value    uint64
		want     abicap.Error
	}{
		"L2 CNode as CSpace":        {0, ref(base), abicap.ErrType},
		"no CSpace":                 {0, 0, abicap.ErrReference},
		"a lower table":             {1, ref(dom + domDir3), abicap.ErrType},
		"a table without Control":   {1, ref(101), abicap.ErrRights},
		"a table without Grant":     {1, ref(104), abicap.ErrRights},
		"no domain":                 {2, ref(spare), abicap.ErrEmpty},
		"several domains":           {2, ref(domains), abicap.ErrRange},
		"a domain without Control":  {2, ref(102), abicap.ErrRights},
		"an endpoint for doorbell":  {3, ref(dom + domEndpoint), abicap.ErrType},
		"a doorbell without Send":   {3, ref(103), abicap.ErrRights},
		"entry in no user's memory": {4, userEnd, abicap.ErrArgument},
		"entry in the kernel":       {4, abi.WindowBase, abicap.ErrArgument},
	} {
		a := good
		a[test.argument] = test.value
		if err := c.ask(ref(100), abicap.DispatcherSetup, a[:]...); err != test.want {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		b := c.target(c.at(ref(100)))
		if b.Root != 0 {
			t.Fatalf("%s: it is set up", name)
		}
		c.want(abicap.ErrState, ref(100), abicap.DispatcherRun)
		c.want(abicap.ErrState, ref(100), abicap.DispatcherSetCSpace, ref(cspace))
	}
	c.must(ref(100), abicap.DispatcherSetup, good[:]...)
	c.must(ref(100), abicap.DispatcherSetup, good[:]...)
	c.must(ref(100), abicap.DispatcherRun)
	c.want(abicap.ErrState, ref(100), abicap.DispatcherSetup, good[:]...)
	c.sound()
}

// TestTableFull sets up as many dispatchers as there can be, and one more.
func TestTableFull(t *testing.T) {
	c := newCore(t, 20)
	c.newDomain(dom, 0, 0)
	c.make(100, 1, ram, abicap.RAM, 2<<20, (kcb.MaxDispatchers+2)*kcb.ObjectSize)
	for i := uint64(1); i <= kcb.MaxDispatchers; i++ {
		c.make(101, 1, 100, abicap.Dispatcher, i*kcb.ObjectSize, kcb.ObjectSize)
		want := abicap.OK
		if i == kcb.MaxDispatchers {
			want = abicap.ErrBusy
		}
		c.want(want, ref(101), abicap.DispatcherSetup, ref(cspace), ref(dom+domSpace), ref(dom+domNumber), 0, entryPoint)
		if want == abicap.OK {
			c.must(ref(101), abicap.DispatcherRun)
			// The last of two capabilities to it takes it along.
			c.must(ref(base), abicap.L2CNodeCopy, 102, ref(101))
			c.must(ref(base), abicap.L2CNodeDelete, 101)
			c.must(ref(base), abicap.L2CNodeDelete, 102)
			c.finish()
			if c.k.NumDispatchers != int(i) {
				t.Fatalf("%d dispatchers after the last capability to one has gone", c.k.NumDispatchers)
			}
			c.make(101, 1, 100, abicap.Dispatcher, i*kcb.ObjectSize, kcb.ObjectSize)
			c.must(ref(101), abicap.DispatcherSetup, ref(cspace), ref(dom+domSpace), ref(dom+domNumber), 0, entryPoint)
			c.must(ref(base), abicap.L2CNodeMove, 103+(i-1)%100, ref(101))
			if i%100 == 0 {
				// The CNode's slots are full: into another.
				c.newSlots(uint32(i/100)+1, ramAt+512<<10+i/100*16<<10)
				for n := range uint64(100) {
					c.must(uint64(abicap.LevelOneReference(uint32(i/100)+1)), abicap.L2CNodeMove, 1+n, ref(uint32(103+n)))
				}
			}
		}
	}
	if c.k.NumDispatchers != kcb.MaxDispatchers {
		t.Errorf("%d dispatchers, want %d", c.k.NumDispatchers, kcb.MaxDispatchers)
	}
	c.ask(ref(base), abicap.L2CNodeRevoke, 100)
	c.finish()
	if c.k.NumDispatchers != 1 {
		t.Errorf("%d dispatchers are left, want 1", c.k.NumDispatchers)
	}
}

// newSlots makes an L2 CNode in slot l1 of the L1 CNode, in RAM at an address.
func (c *core) newSlots(l1 uint32, at uint64) {
	c.t.Helper()
	err := c.ask(ref(cspace), abicap.L1CNodeRetype, uint64(l1)|1<<32, ref(ram), uint64(abicap.L2CNode), at-ramAt, 16<<10)
	if err != abicap.OK && err != abicap.ErrPending {
		c.t.Fatal(err)
	}
	c.finish()
}

// TestLife takes a dispatcher through the states it can be in.
func TestLife(t *testing.T) {
	c := newCore(t, 4)
	caller := c.newDomain(dom+domFree, domainSize, 0)
	b := c.newDomain(dom, 0, ref(dom+domFree+domBell))
	d := ref(dom + domDispatcher)
	state := func(want uint64) {
		t.Helper()
		if got, err := c.invokes(caller, d, abicap.DispatcherState); err != abi.OK || got != want {
			t.Fatalf("state %d, %v; want %d", got, err, want)
		}
		c.sound()
	}
	state(abi.DomainNew)
	c.must(d, abicap.DispatcherRun)
	c.must(d, abicap.DispatcherRun)
	state(abi.DomainReady)
	if !slices.Equal(c.queued(), []*kcb.DCB{b}) {
		t.Fatal("not in the queue")
	}
	c.must(d, abicap.DispatcherStop)
	state(abi.DomainNew)
	if c.queued() != nil {
		t.Fatal("stopped, but in the queue")
	}
	// A time that comes while it is stopped is not lost.
	c.k.WakeLater(b, 10)
	c.expire(20)
	if b.Page().HasWork == 0 || c.queued() != nil {
		t.Error("a wake-up was lost, or ran what was stopped")
	}
	c.must(d, abicap.DispatcherRun)
	state(abi.DomainReady)
	c.want(abicap.ErrState, d, abicap.DispatcherStatus, 0)

	c.must(d, abicap.DispatcherSetName, 0x0a6c6c6548, 0, 0, ^uint64(0))
	if string(b.Name[:6]) != "Hell?\x00" || b.Name[31] != 0 {
		t.Errorf("it is called %q", b.Name)
	}
	c.must(ref(base), abicap.L2CNodeRetype, 100|1<<32, ref(ram), uint64(abicap.L1CNode), 1<<20, 4<<10)
	c.finish()
	c.must(d, abicap.DispatcherSetCSpace, ref(100))
	if _, err := c.invokes(b, ref(ram), abicap.InvokeNop); err == abi.OK {
		t.Error("it still has its first CSpace")
	}
	c.must(ref(100), abicap.L1CNodeCopy, 1, ref(base))
	if _, err := c.invokes(b, ref(ram), abicap.InvokeNop); err != abi.OK {
		t.Errorf("its new CSpace: %v", err)
	}

	c.call(b, abi.CallExit, abi.ExitCode, 7)
	state(abi.DomainEnded)
	if caller.Page().HasWork == 0 || caller.Counts.Notified != 1 {
		t.Error("the supervisor was not told")
	}
	c.must(ref(dom+domFree+domDir1), abicap.PageTable1Map, 1<<32, ref(dom+domFree+domFrame), ref(101), 0, readWrite)
	if _, err := c.invokes(caller, d, abicap.DispatcherStatus, domainAt+8); err != abi.OK {
		t.Fatal(err)
	}
	var s abi.Status
	c.copyIn(caller, domainAt+8, bytesOf(&s))
	if s.Kind != abi.ExitCode || s.Code != 7 || s.Domain != b.Domain {
		t.Errorf("it ended with %+v", s)
	}
	for _, i := range []abicap.Invocation{abicap.DispatcherRun, abicap.DispatcherStop, abicap.DispatcherSetup, abicap.DispatcherSetCSpace} {
		if err := c.ask(d, i, ref(cspace), ref(dom+domSpace), ref(dom+domNumber), 0, entryPoint); err != abicap.ErrState && err != abicap.ErrArgument {
			t.Errorf("invocation %d of what has ended: %v", i, err)
		}
	}
	if _, err := c.invokes(caller, ref(dom+domBell), abicap.DoorbellRing); err != abi.OK || b.Counts.Notified != 0 {
		t.Errorf("ringing what has ended: %v, %d notifications", err, b.Counts.Notified)
	}
	c.sound()
}

// TestObjectsEnd takes away what dispatchers are made of, in all states.
func TestObjectsEnd(t *testing.T) {
	for _, state := range []string{"new", "ready", "parked", "running"} {
		for name, slot := range map[string]uint64{"dispatcher": domDispatcher, "space": domSpace} {
			c := newCore(t, 4)
			b := c.newDomain(dom, 0, 0)
			switch state {
			case "ready":
				c.must(ref(dom+domDispatcher), abicap.DispatcherRun)
			case "parked":
				c.block(b, 1000)
			case "running":
				c.runs(b)
			}
			c.deletes(ref(base), abicap.L2CNodeDelete, dom+slot)
			if name == "space" {
				if b.State == abi.DomainEnded {
					t.Errorf("%s: the dispatcher's own copy does not count", state)
				}
				c.ask(ref(base), abicap.L2CNodeRevoke, ram)
				c.finish()
			}
			if b.State != abi.DomainEnded || c.queued() != nil || c.k.NumWakeups != 0 {
				t.Errorf("%s %s: it goes on", state, name)
			}
			c.finish()
			c.sound()
		}
	}
}

// TestSpaceEnds takes an address space away from a dispatcher that stays.
func TestSpaceEnds(t *testing.T) {
	c := newCore(t, 4)
	supervisor := c.newDomain(dom+domFree, domainSize, 0)
	c.make(100, 1, ram, abicap.RAM, 1<<20, 64<<10)
	c.make(101, 1, 100, abicap.PageTable4, 0, abi.PageSize)
	c.make(102, 1, ram, abicap.Dispatcher, 2<<20, kcb.ObjectSize)
	c.make(103, 1, domains, abicap.Domain, 5, 1)
	c.must(ref(102), abicap.DispatcherSetup, ref(cspace), ref(101), ref(103), ref(dom+domFree+domBell), entryPoint)
	c.must(ref(102), abicap.DispatcherRun)
	b := c.target(c.at(ref(102)))
	c.deletes(ref(base), abicap.L2CNodeRevoke, 100)
	c.finish()
	if b.State != abi.DomainEnded || b.Status.Kind != abi.ExitKilled || b.Root != 0 || supervisor.Counts.Notified != 1 {
		t.Errorf("state %d, %+v, root %#x, %d notifications", b.State, b.Status, b.Root, supervisor.Counts.Notified)
	}
	if c.copyOut(b, 0x1000, make([]byte, 1)) == abi.OK {
		t.Error("it still has memory")
	}
	c.sound()
}

// TestVectorAreas checks that what is shared with a user begins behind what is
// not.
func TestVectorAreas(t *testing.T) {
	c := domain(t)
	b := c.dcb(dom)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 3<<32, ref(dom+domDispatcher), ref(spare), kcb.SharedAt, readWrite)
	for i := range uintptr(3) {
		if err := c.copyOut(b, domainAt+i<<12, []byte{byte(i + 1)}); err != abi.OK {
			t.Fatal(err)
		}
	}
	first := func(at uintptr) byte { return *(*byte)(unsafe.Pointer(at)) }
	if first(b.SharedVector(0)) != 1 || first(b.SharedVector(1)) != 2 || first(b.SharedVector(2)) != 3 || first(b.Vector()) != 0 || byte(b.Page().Self) != 1 {
		t.Error("the frame's pages lie elsewhere")
	}
	c.sound()
}
