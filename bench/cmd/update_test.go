package main

import (
	"context"
	"testing"
	"time"

	"skerry/test/boot"
)

// TestUpdate has a program on two cores of a machine update state in each way. By whatever
// way, it takes longer than on one core, where nobody waits.
func TestUpdate(t *testing.T) {
	boot.Need(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	b, err := newBench(ctx, []string{"update_on_1", "update_on_2"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if err := b.updateCounts(ctx); err != nil {
		t.Fatal(err)
	}
	count := func(name string) float64 {
		r := b.samples[name]
		if r == nil || r.skerry[0] <= 0 {
			t.Fatalf("%s: not measured", name)
		}
		return r.skerry[0]
	}
	alone := count("update_spin_8_on_1")
	for _, way := range []string{"spin", "queue", "mutex", "message"} {
		if each := count("update_" + way + "_8_on_2"); each <= alone {
			t.Errorf("%s takes %.0f instructions on two cores, where a lock on one takes %.0f", way, each, alone)
		}
	}
}
