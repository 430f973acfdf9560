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

func TestQueue(t *testing.T) {
	var q Queue
	ds := make([]DCB, 5)
	r := rand.New(rand.NewPCG(1, 1))
	var model []*DCB
	for range 5000 {
		d := &ds[r.IntN(len(ds))]
		at := -1
		for i, m := range model {
			if m == d {
				at = i
			}
		}
		if r.IntN(2) == 0 {
			q.Push(d)
			if at < 0 {
				model = append(model, d)
			}
		} else {
			q.Remove(d)
			if at >= 0 {
				model = append(model[:at], model[at+1:]...)
			}
		}
		i := 0
		for e := q.First; e != nil; e = e.next {
			if model[i] != e {
				t.Fatal("order differs from the model")
			}
			i++
		}
		if i != len(model) || q.Len != i {
			t.Fatalf("length %d, want %d", q.Len, len(model))
		}
	}
}

// TestTable enters and removes dispatchers, and holds what is found by domain
// number against a linear search.
func TestTable(t *testing.T) {
	k := new(KCB)
	ds := make([]DCB, MaxDispatchers+1)
	r := rand.New(rand.NewPCG(1, 1))
	in := map[*DCB]bool{}
	for i := range 20_000 {
		d := &ds[r.IntN(len(ds))]
		switch {
		case in[d] && i%3000 < 1000 || in[d] && r.IntN(4) == 0:
			k.WakeLater(d, 1)
			k.Ready.Push(d)
			k.Leave(d)
			delete(in, d)
			if d.WakeAt != 0 || d.queued {
				t.Fatal("still waits for something")
			}
		case !in[d]:
			d.Domain = uint32(r.IntN(1000))
			if k.Enter(d) != (len(in) < MaxDispatchers) {
				t.Fatalf("entering with %d in the table", len(in))
			}
			if k.NumDispatchers > len(in) {
				in[d] = true
			}
		}
		from := r.Uint64N(1100)
		var want *DCB
		for d := range in {
			if uint64(d.Domain) >= from && (want == nil || d.Domain < want.Domain) {
				want = d
			}
		}
		got := k.From(from)
		if (got == nil) != (want == nil) || got != nil && got.Domain != want.Domain || k.NumDispatchers != len(in) {
			t.Fatalf("from %d: %+v, want %+v; %d, want %d", from, got, want, k.NumDispatchers, len(in))
		}
	}
	if k.From(1<<32) != nil {
		t.Error("found a domain that no number can have")
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
