package driver

import (
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
)

// remote makes a capability to one remote doorbell in a slot of a core.
func (s *cores) remote(core int, slot uint32, number uint64) {
	s.t.Helper()
	s.by(core).make(slot, 1, bells, abicap.RemoteDoorbell, number, 1)
}

// TestRemoteDoorbells rings the dispatchers of other cores: they alone are
// notified, once for any number of rings before they are, and with one interrupt.
func TestRemoteDoorbells(t *testing.T) {
	s := newCores(t, 3)
	second := s.all[1].newDomain(dom+domFree, domainSize, 0)
	for i, number := range []uint64{abi.CoreDispatchers, abi.CoreDispatchers + 1, 2 * abi.CoreDispatchers, 0, 1, abi.CoreDispatchers + 99} {
		s.remote(0, 210+uint32(i), number)
	}
	const first, other, third, own, ownNobody, nobody = 210, 211, 212, 213, 214, 215
	for range 5 {
		for slot := uint32(first); slot <= nobody; slot++ {
			if err := s.invoke(0, slot, abicap.RemoteDoorbellRing); err != abi.OK {
				t.Fatal(err)
			}
		}
	}
	if s.sent != 3 {
		// Two words of core 1's doorbells, one of core 2's.
		t.Errorf("%d interrupts", s.sent)
	}
	if s.notified(0) != 0 || s.notified(1) != 0 {
		t.Error("notified before the interrupt")
	}
	s.handleAll()
	if s.notified(0) != 0 || s.notified(1) != 1 || second.Counts.Notified != 1 || s.notified(2) != 1 {
		t.Errorf("notified %d, %d, %d, %d times", s.notified(0), s.notified(1), second.Counts.Notified, s.notified(2))
	}
	if in, out := s.all[1].k.Counters.DoorbellsIn, s.all[0].k.Counters.DoorbellsOut; in != 3 || out != 20 {
		t.Errorf("%d came in of %d that went out", in, out)
	}
	s.invoke(0, other, abicap.RemoteDoorbellRing)
	if s.handleAll(); second.Counts.Notified != 2 || s.notified(1) != 1 || s.sent != 4 {
		t.Error("the second dispatcher was not notified alone")
	}
	if err := s.invoke(0, bells, abicap.RemoteDoorbellRing); err != abicap.ErrRange {
		t.Errorf("all at once: %v", err)
	}
	for _, state := range []uint32{abi.CoreAbsent, abi.CoreStarting, abi.CorePanicked} {
		console.Of(2).State = state
		if err := s.invoke(0, third, abicap.RemoteDoorbellRing); err != abi.OK || s.sent != 4 {
			t.Errorf("in state %d it is interrupted: %v", state, err)
		}
	}
	s.by(0).must(ref(base), abicap.L2CNodeMint, 220, ref(first), uint64(abicap.RightGrant))
	if err := s.invoke(0, 220, abicap.RemoteDoorbellRing); err != abicap.ErrRights {
		t.Errorf("without Send: %v", err)
	}
}

// TestNotifyMonitor holds that Notify of the Kernel notifies a core's monitor and
// nobody else, and that doorbells do not.
func TestNotifyMonitor(t *testing.T) {
	s := newCores(t, 2)
	s.all[1].newDomain(dom+domFree, domainSize, 0)
	s.all[1].monitor = s.all[1].dcb(dom)
	if n, ok := s.all[1].monitor.Number(); !ok || n != monitorNumber {
		t.Fatalf("the first dispatcher has number %d", n)
	}
	s.remote(0, 210, abi.CoreDispatchers+1)
	if err := s.invoke(0, 210, abicap.RemoteDoorbellRing); err != abi.OK {
		t.Fatal(err)
	}
	if s.handleAll(); s.notified(1) != 0 {
		t.Error("another's doorbell notifies the monitor")
	}
	if err := s.invoke(0, kernelSlot, abicap.KernelNotify, 1); err != abi.OK {
		t.Fatal(err)
	}
	if s.handleAll(); s.notified(1) != 1 || s.all[1].k.Numbered(1).Counts.Notified != 1 {
		t.Error("Notify does not notify the monitor alone")
	}
}

// TestStrayInterrupts interrupts a core for nothing, and with bits that name
// nobody.
func TestStrayInterrupts(t *testing.T) {
	s := newCores(t, 2)
	in := s.all[1].boxes.Box(0, 1)
	for n := range uint64(abi.CoreDispatchers) {
		in.Ring(n)
	}
	s.by(1).collect()
	for s.all[1].ringing {
		s.by(1).work()
	}
	s.by(1).collect()
	if s.notified(1) != 1 {
		t.Errorf("notified %d times", s.notified(1))
	}
}

// TestManyDoorbells rings more dispatchers than are notified at once: the others
// are in work's own time.
func TestManyDoorbells(t *testing.T) {
	s := newCores(t, 2)
	c := s.all[1]
	ds := make([]*kcb.DCB, 0, 3*notifyMost)
	in := c.boxes.Box(0, 1)
	for i := range 3 * notifyMost {
		b := s.by(1).bareDispatcher(uint32(i))
		n, _ := b.Number()
		in.Ring(n)
		ds = append(ds, b)
	}
	s.by(1).collect()
	count := func() (n int) {
		for _, b := range ds {
			n += int(b.Counts.Notified)
		}
		return n
	}
	if count() != notifyMost || !c.pending() {
		t.Errorf("%d notified at once", count())
	}
	for n := 0; c.pending(); n++ {
		if c.work(); n > 2 {
			t.Fatal("they are never done")
		}
	}
	for i, b := range ds {
		if b.Counts.Notified != 1 {
			t.Errorf("dispatcher %d notified %d times", i, b.Counts.Notified)
		}
	}
}

// bareDispatcher makes the i-th of many dispatchers that have the address space
// of the core's domain.
func (c *core) bareDispatcher(i uint32) *kcb.DCB {
	c.t.Helper()
	slot := 40 + i
	c.make(slot, 1, ram, abicap.Dispatcher, 2<<20+uint64(i)*kcb.ObjectSize, kcb.ObjectSize)
	c.must(ref(slot), abicap.DispatcherSetup, ref(cspace), ref(dom+domSpace), ref(dom+domNumber), 0, entryPoint)
	return c.target(c.at(ref(slot)))
}
