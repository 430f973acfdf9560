package driver

import (
	"math/rand/v2"
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
)

// share says how many top tables of a core lead to core 0's.
func (s *cores) share(core int, tables uint64) {
	s.t.Helper()
	if err := s.invoke(0, kernelSlot, abicap.KernelShare, uint64(core), tables); err != abi.OK {
		s.t.Fatal(err)
	}
}

// settles asks by CallSettle.
func (s *cores) settles() abi.Error {
	_, err := s.domainCall(0, abi.CallSettle)
	return err
}

// TestSettle unmaps a page of a table that others share: until they have
// forgotten it the call is pending, and RAM stays RAM.
func TestSettle(t *testing.T) {
	s := newCores(t, 3)
	frame := func(slot uint32) abi.Error {
		return s.invoke(0, base, abicap.L2CNodeRetype, uint64(slot)|1<<32, ref(ram), uint64(abicap.Frame), 1<<20+uint64(slot)<<12, abi.PageSize)
	}
	unmap := func(page uint64) {
		if err := s.invoke(0, pageMapping, abicap.MappingUnmap, page, 1, domainAt+page<<12); err != abi.OK {
			t.Fatal(err)
		}
	}
	if err := s.settles(); err != abi.OK {
		t.Fatalf("with nothing to settle: %v", err)
	}
	unmap(0)
	if err := s.settles(); err != abi.OK || frame(100) != abi.OK {
		t.Fatalf("with nobody to share: %v", err)
	}
	s.share(1, 1)
	s.share(2, 2)
	if err := s.settles(); err != abi.OK {
		t.Fatalf("before anything was taken away: %v", err)
	}
	if err := s.invoke(0, pageMapping, abicap.MappingProtect, 1, 1, readWrite, domainAt); err != abi.OK || s.settles() != abi.OK {
		t.Fatalf("a page that is as it was: %v", err)
	}
	unmap(2)
	if s.sent != 0 {
		t.Errorf("%d interrupts before anybody waits", s.sent)
	}
	for range 3 {
		if err := s.settles(); err != abicap.ErrPending || s.sent != 2 {
			t.Fatalf("after a page was unmapped: %v, %d interrupts", err, s.sent)
		}
	}
	if err := frame(101); err != abicap.ErrInUse {
		t.Fatalf("a frame, while others may know the page: %v", err)
	}
	reloaded := s.reloaded[1]
	s.handle(1)
	if s.reloaded[1] == reloaded {
		t.Error("core 1 has forgotten nothing")
	}
	s.handle(0)
	if err := s.settles(); err != abicap.ErrPending || s.notified(0) != 0 || frame(101) != abicap.ErrInUse {
		t.Fatalf("when one of two has forgotten it: %v", err)
	}
	unmap(3)
	s.handle(2)
	s.handle(0)
	if s.notified(0) != 1 {
		t.Errorf("notified %d times", s.notified(0))
	}
	// The caller has unmapped another one meanwhile: for that it waits too.
	if err := s.settles(); err != abicap.ErrPending {
		t.Errorf("before the last page is forgotten: %v", err)
	}
	s.handleAll()
	if err := s.settles(); err != abi.OK || s.notified(0) != 2 || frame(101) != abi.OK {
		t.Errorf("when all have: %v", err)
	}
	sent := s.sent
	s.share(1, 0)
	s.share(2, 0)
	if err := frame(102); err != abicap.ErrInUse || s.sent != sent+2 {
		t.Errorf("when they no longer share anything, but may have: %v", err)
	}
	s.handleAll()
	if err := frame(102); err != abi.OK {
		t.Error(err)
	}
	unmap(4)
	if err := s.settles(); err != abi.OK {
		t.Errorf("when nobody shares any more: %v", err)
	}
}

// TestSettleWhileAsked unmaps another page while other cores are asked to forget
// the first: they are asked again without anybody's doing.
func TestSettleWhileAsked(t *testing.T) {
	s := newCores(t, 2)
	s.share(1, 1)
	for page := range uint64(2) {
		if err := s.invoke(0, pageMapping, abicap.MappingUnmap, page, 1, 0); err != abi.OK || s.settles() != abicap.ErrPending {
			t.Fatalf("page %d: %v", page, err)
		}
	}
	if s.sent != 1 {
		t.Errorf("%d interrupts while one is on its way", s.sent)
	}
	s.handleAll()
	if s.notified(0) != 1 || s.settles() != abi.OK {
		t.Errorf("notified %d times", s.notified(0))
	}
}

// TestProtectSettles holds that taking a permission away is taking away, and
// giving one is not.
func TestProtectSettles(t *testing.T) {
	s := newCores(t, 2)
	s.share(1, 1)
	for _, p := range []struct {
		prot uint64
		want abi.Error
	}{
		{abi.ProtRead, abicap.ErrPending}, {readWrite, abi.OK}, {abi.ProtRead | abi.ProtExec, abicap.ErrPending},
		{abi.ProtRead, abicap.ErrPending}, {abi.ProtRead | abi.ProtExec, abi.OK}, {0, abicap.ErrPending}, {abi.ProtRead, abi.OK}, {readWrite, abi.OK},
	} {
		if err := s.invoke(0, pageMapping, abicap.MappingProtect, 0, 8, p.prot, 0); err != abi.OK {
			t.Fatal(err)
		}
		if err := s.settles(); err != p.want {
			t.Errorf("after protection %d: %v, want %v", p.prot, err, p.want)
		}
		if s.handleAll(); s.settles() != abi.OK {
			t.Error("it never settles")
		}
	}
}

// TestSettledByDeath waits for a core whose kernel ends.
func TestSettledByDeath(t *testing.T) {
	s := newCores(t, 2)
	share := func(tables uint64) {
		t.Helper()
		if err := s.invoke(1, kernelSlot, abicap.KernelShare, 0, tables); err != abi.OK {
			t.Fatal(err)
		}
	}
	share(1)
	if err := s.invoke(1, pageMapping, abicap.MappingUnmap, 0, 8, 0); err != abi.OK {
		t.Fatal(err)
	}
	if _, err := s.domainCall(1, abi.CallSettle); err != abicap.ErrPending {
		t.Fatal(err)
	}
	console.Of(0).State = abi.CorePanicked
	s.by(1).coreEnded()
	if _, err := s.domainCall(1, abi.CallSettle); err != abi.OK || s.notified(1) != 1 {
		t.Errorf("%v, notified %d times", err, s.notified(1))
	}
	share(0)
	share(4)
	if !s.by(1).Settled() {
		t.Error("it waits for a core that has ended")
	}
}

// TestShareRefuses shares with cores that are none.
func TestShareRefuses(t *testing.T) {
	s := newCores(t, 3)
	console.Of(2).State = abi.CoreAbsent
	for core, want := range map[uint64]abi.Error{0: abi.ErrArgument, 1: abi.OK, 2: abicap.ErrNotFound, 3: abicap.ErrNotFound, 1<<32 + 1: abicap.ErrNotFound} {
		if err := s.invoke(0, kernelSlot, abicap.KernelShare, core, 1); err != want {
			t.Errorf("core %d: %v, want %v", core, err, want)
		}
	}
}

// TestNobodyIsKeptWaiting lets one domain unmap all the time while another
// waits: it gets what it waits for with the first answers.
func TestNobodyIsKeptWaiting(t *testing.T) {
	s := newCores(t, 2)
	other := s.all[0].newDomain(dom+domFree, domainSize, 0)
	s.by(0).must(ref(dom+domFree+domDir1), abicap.PageTable1Map, 8<<32, ref(dom+domFree+domFrame), ref(99), 0, readWrite)
	s.all[0].ready(other)
	s.share(1, 1)
	flip := func(prot uint64) {
		if _, err := s.by(0).invokes(other, ref(99), abicap.MappingProtect, 0, 8, prot, 0); err != abi.OK {
			t.Fatal(err)
		}
		if _, err := s.by(0).call(other, abi.CallSettle); prot == abi.ProtRead && err != abicap.ErrPending {
			t.Fatal(err)
		}
	}
	if err := s.invoke(0, pageMapping, abicap.MappingUnmap, 0, 1, 0); err != abi.OK {
		t.Fatal(err)
	}
	flip(abi.ProtRead)
	for n := 0; s.settles() != abi.OK; n++ {
		if n > 2 {
			t.Fatal("it waits for what another takes away")
		}
		flip(readWrite)
		flip(abi.ProtRead)
		s.handle(1)
		flip(readWrite)
		flip(abi.ProtRead)
		s.handle(0)
	}
}

// TestCoresInAnyOrder lets core 0 map, unmap and protect, and make frames of
// RAM, while two others share its tables and handle their interrupts whenever they
// like. No RAM becomes a frame before all have forgotten what was taken away
// earlier, and the call says that it is settled when it is.
func TestCoresInAnyOrder(t *testing.T) {
	runs := uint64(60)
	if testing.Short() {
		runs = 10
	}
	made, settled, pending := 0, 0, 0
	for seed := range runs {
		s := newCores(t, 3)
		r := rand.New(rand.NewPCG(seed, 3))
		c := s.all[0]
		tables := [3]uint64{}
		var taken [3]int // when something was taken away that the core shared
		own := 0         // and that by the domain
		forgotten := func(core int) bool { return s.reloaded[core] > taken[core] || taken[core] == 0 }
		for range 300 {
			before := c.entries()
			act := r.IntN(12)
			switch act {
			case 0, 1:
				s.handle(1 + r.IntN(2))
			case 2:
				s.handle(0)
			case 3:
				core := 1 + r.IntN(2)
				n := r.Uint64N(3)
				s.share(core, n)
				if tables[core] > 0 && n == 0 {
					taken[core] = s.now
				}
				tables[core] = n
			case 4, 5:
				s.invoke(0, dom+domDir1, abicap.PageTable1Map, 64|4<<32, ref(dom+domFrame), ref(104), 0, readWrite)
			case 6:
				s.invoke(0, 104, abicap.MappingUnmap, r.Uint64N(4), 1, 0)
			case 7:
				s.invoke(0, 104, abicap.MappingProtect, 0, 4, [...]uint64{0, abi.ProtRead, readWrite}[r.IntN(3)], 0)
			case 8:
				s.invoke(0, base, abicap.L2CNodeDelete, 104)
			case 9, 10:
				s.invoke(0, base, abicap.L2CNodeDelete, 105)
				c.finish()
				if err := s.invoke(0, base, abicap.L2CNodeRetype, 105|1<<32, ref(ram), uint64(abicap.Frame), 1<<20, abi.PageSize); err == abi.OK || err == abicap.ErrPending {
					made++
					if !forgotten(1) || !forgotten(2) {
						t.Fatalf("seed %d: a frame is made of RAM at %d; taken away at %d, forgotten at %d", seed, s.now, taken, s.reloaded)
					}
				} else if err != abicap.ErrInUse {
					t.Fatal(err)
				}
			case 11:
				switch err := s.settles(); {
				case err == abicap.ErrPending:
					pending++
				case own > 0 && (tables[1] > 0 && s.reloaded[1] < min(own, taken[1]) || tables[2] > 0 && s.reloaded[2] < min(own, taken[2])):
					t.Fatalf("seed %d: settled at %d what was taken away at %d, forgotten at %d", seed, s.now, own, s.reloaded)
				default:
					settled++
				}
			}
			c.finish()
			for at, e := range before {
				if now := c.entryAt(at); now == 0 || allows(e)&^allows(now) != 0 || amd64.Frame(e) != amd64.Frame(now) {
					for core := 1; core < 3; core++ {
						if tables[core] > 0 {
							taken[core] = s.now
						}
					}
					own = s.now
				}
			}
		}
		s.handleAll()
		notified := s.notified(0)
		if s.settles() == abicap.ErrPending {
			s.handleAll()
			if err := s.settles(); err != abi.OK || s.notified(0) == notified {
				t.Fatalf("seed %d: it does not settle: %v, notified %d times", seed, err, s.notified(0)-notified)
			}
		}
	}
	if made < int(runs) || settled < int(runs) || pending < int(runs) {
		t.Errorf("%d frames, %d times settled, %d times pending", made, settled, pending)
	}
}
