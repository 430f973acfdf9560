package kcb

import (
	"math/rand/v2"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
)

// TestWakeups holds the heap of wake-ups against a linear search.
func TestWakeups(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 2))
		k := new(KCB)
		ds := make([]DCB, 40)
		for range 3000 {
			d := &ds[r.IntN(len(ds))]
			at := int64(0)
			if r.IntN(3) > 0 {
				at = 1 + r.Int64N(50)
			}
			k.WakeLater(d, at)
			min := int64(0)
			n := 0
			for i := range ds {
				if ds[i].WakeAt != 0 {
					n++
					if min == 0 || ds[i].WakeAt < min {
						min = ds[i].WakeAt
					}
				}
			}
			if k.NumWakeups != n {
				t.Fatalf("seed %d: %d in the heap, want %d", seed, k.NumWakeups, n)
			}
			if first := k.NextWakeup(); n > 0 && first.WakeAt != min {
				t.Fatalf("seed %d: first is %d, want %d", seed, first.WakeAt, min)
			}
		}
	}
}

// TestTable enters and removes dispatchers, and holds what is found by number and
// by domain against a linear search.
func TestTable(t *testing.T) {
	k := new(KCB)
	ds := make([]DCB, MaxDispatchers+1)
	r := rand.New(rand.NewPCG(1, 1))
	in := map[*DCB]uint64{}
	for i := range 20_000 {
		d := &ds[r.IntN(len(ds))]
		_, was := in[d]
		switch {
		case was && i%3000 < 1000 || was && r.IntN(4) == 0:
			k.WakeLater(d, 1)
			k.Scheduler.Ready(&d.Entry, 0)
			k.Leave(d, 0)
			delete(in, d)
			if d.WakeAt != 0 || d.Entry.IsReady() || d.Entry.Weight() != 0 {
				t.Fatal("still waits for something")
			}
		case !was:
			d.Domain = uint32(r.IntN(100))
			if k.Enter(d) != (len(in) < MaxDispatchers) {
				t.Fatalf("entering with %d in the table", len(in))
			}
			if n, ok := d.Number(); ok {
				in[d] = n
			}
		}
		domain, number := uint32(r.IntN(110)), uint32(r.IntN(600))
		var want *DCB
		for d, n := range in {
			if got, ok := d.Number(); !ok || got != n || k.Numbered(n) != d {
				t.Fatalf("%d became %d", n, got)
			}
			if (d.Domain > domain || d.Domain == domain && uint32(n) >= number) &&
				(want == nil || d.Domain < want.Domain || d.Domain == want.Domain && n < in[want]) {
				want = d
			}
		}
		if got := k.From(domain, number); got != want || k.NumDispatchers != len(in) {
			t.Fatalf("from %d, %d: %+v, want %+v; %d, want %d", domain, number, got, want, k.NumDispatchers, len(in))
		}
	}
	if k.From(1<<31, 0) != nil || k.Numbered(MaxDispatchers) != nil {
		t.Error("found what cannot be")
	}
}

// TestNumbersComeRound has dispatchers come and go beside some that stay: a number is given again
// only when all others that are free have been.
func TestNumbersComeRound(t *testing.T) {
	for _, stay := range []int{0, 1, 63, 64, 200, MaxDispatchers - 1} {
		k := new(KCB)
		ds := make([]DCB, MaxDispatchers)
		for i := range stay {
			k.Enter(&ds[i])
		}
		d := &ds[stay]
		last := map[uint64]int{}
		for i := range 3 * MaxDispatchers {
			if !k.Enter(d) {
				t.Fatalf("no room beside %d", stay)
			}
			n, _ := d.Number()
			if at, was := last[n]; was && i-at != MaxDispatchers-stay {
				t.Fatalf("beside %d number %d came again after %d others", stay, n, i-at-1)
			}
			last[n] = i
			k.Leave(d, 0)
		}
		if len(last) != MaxDispatchers-stay {
			t.Errorf("beside %d there were %d numbers", stay, len(last))
		}
	}
}

// TestOf finds a dispatcher by its entry.
func TestOf(t *testing.T) {
	d := new(DCB)
	if Of(&d.Entry) != d {
		t.Error("another one")
	}
}

// TestLayout checks what package kcb says of the object of a dispatcher against
// the table of types.
func TestLayout(t *testing.T) {
	rule := capability.Of(capability.Dispatcher)
	if ObjectSize != rule.Least || ObjectSize != rule.Align || slotsAt != rule.SlotsAt || numSlots != rule.Slots ||
		SharedAt+abi.DispatcherSize != rule.Offers {
		t.Errorf("differs from %+v", rule)
	}
	if Size != capability.Of(capability.KCB).Least {
		t.Error("the KCB has another size")
	}
	d := new(DCB)
	if d.State != abi.DomainNew || d.Resume != ResumeCall {
		t.Error("an all-zero DCB is not a new one")
	}
	offset := d.address() - 0x10_0000
	if got := d.Slot(SlotCSpace, offset); got != 0x10_0000+slotsAt+capability.SlotSize {
		t.Errorf("its CSpace is at %#x", got)
	}
}
