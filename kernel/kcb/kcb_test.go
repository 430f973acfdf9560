package kcb

import (
	"math/rand/v2"
	"testing"
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

// TestNumbers checks that numbers are found, not given twice, and not reused
// at once.
func TestNumbers(t *testing.T) {
	k := new(KCB)
	seen := map[uint32]bool{}
	var live []*DCB
	for i := range 3000 {
		d := new(DCB)
		if !k.Enter(d) {
			t.Fatal("table full")
		}
		if seen[d.ID] || k.Find(d.ID) != d {
			t.Fatalf("domain %d: number reused or not found", d.ID)
		}
		seen[d.ID] = true
		live = append(live, d)
		if len(live) > 100 {
			j := i % len(live)
			k.Leave(live[j])
			if k.Find(live[j].ID) != nil {
				t.Fatal("found after Leave")
			}
			live = append(live[:j], live[j+1:]...)
		}
	}
}
