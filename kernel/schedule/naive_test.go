package schedule

import (
	"fmt"
	"testing"
)

// naive is the same core looked at every quantum, by the definitions: among the
// reserved ones that have budget any with the earliest deadline runs; else all fair
// ones do at once, by weight.
type naive struct {
	reservations []Reservation
	left, until  []int64
	reserved     int64
	fluid        float64 // time for the fair ones
}

const quantum = 10_000

func (n *naive) tick(t *testing.T, now int64) {
	best := -1
	for i, r := range n.reservations {
		if now%r.Period == 0 {
			n.left[i], n.until[i] = r.Budget, now+r.Deadline
		}
		if n.left[i] > 0 && n.until[i] <= now {
			t.Fatalf("the reference itself misses a deadline of %+v", r)
		}
		if n.left[i] > 0 && (best < 0 || n.until[i] < n.until[best]) {
			best = i
		}
	}
	if best < 0 {
		n.fluid += quantum
		return
	}
	n.left[best] -= quantum
	n.reserved += quantum
}

// TestNaive holds what all get against the naive core: the reserved ones together to
// the ns at every quantum, each one to its budget in every period, and the fair ones
// to the bound that the package promises.
func TestNaive(t *testing.T) {
	for seed := range uint64(40) {
		m := newMachine(t, seed)
		n := new(naive)
		var reserved, shared []*task
		for i := range 1 + m.r.IntN(8) {
			period := quantum * (20 + m.r.Int64N(2000))
			r := Reservation{Period: period, Deadline: period - quantum*m.r.Int64N(10)}
			r.Budget = quantum * (5 + m.r.Int64N(r.Deadline/quantum/4))
			k := m.add(fmt.Sprint("reserved ", i), NormalWeight, hog)
			if r.Budget > r.Deadline || m.s.Admit(&k.Entry, r, 0).Reason != Admitted {
				m.leave(k)
				continue
			}
			reserved = append(reserved, k)
			n.reservations = append(n.reservations, r)
			m.start(k)
		}
		n.left, n.until = make([]int64, len(reserved)), make([]int64, len(reserved))
		for i := range 1 + m.r.IntN(6) {
			k := m.add(fmt.Sprint("fair ", i), 1+m.r.IntN(300), hog)
			shared = append(shared, k)
			m.start(k)
		}
		weights, round, slices := int64(0), int64(0), []int64(nil)
		for _, k := range shared {
			weights += k.weight
		}
		// What they owe from the start counts as a slice.
		for _, k := range shared {
			slices = append(slices, max(m.s.sliceOf(&k.Entry, weights), (k.tag-m.s.virtual())*k.weight))
			round += slices[len(slices)-1]
		}
		low, high := make([]float64, len(shared)), make([]float64, len(shared))
		for m.now < 500_000_000 {
			n.tick(t, m.now)
			m.until(m.now + quantum)
			sum := int64(0)
			for i, k := range reserved {
				sum += k.served
				if r := n.reservations[i]; m.now%r.Period == 0 && k.served != m.now/r.Period*r.Budget {
					t.Fatalf("seed %d: %+v had %d by %d", seed, r, k.served, m.now)
				}
			}
			if sum != n.reserved {
				t.Fatalf("seed %d: at %d the reserved ones had %d, want %d", seed, m.now, sum, n.reserved)
			}
			for i, k := range shared {
				share := float64(k.weight) / float64(weights)
				lag := float64(k.served) - n.fluid*share
				low[i], high[i] = min(low[i], lag), max(high[i], lag)
				bound := float64(slices[i]) + share*float64(round) + float64(k.weight)
				if high[i]-low[i] > bound {
					t.Fatalf("seed %d: weight %d of %d is off by %.0f in a window, bound %.0f", seed, k.weight, weights, high[i]-low[i], bound)
				}
			}
		}
	}
}
