package main

import (
	"context"
	"math"
	"testing"
	"time"

	"skerry/test/boot"
)

// TestSlope holds that a call by message and its answer take as many instructions, to
// 2 %, whether other cores do the same or not.
func TestSlope(t *testing.T) {
	boot.Need(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	alone, beside := slopeRow(0), slopeRow(slopeCores-1)
	b, err := newBench(ctx, []string{alone, beside})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if err := b.slope(ctx); err != nil {
		t.Fatal(err)
	}
	one, all := b.samples[alone].skerry[0], b.samples[beside].skerry[0]
	if math.Abs(all/one-1) > 0.02 {
		t.Errorf("a call and its answer take %.0f instructions beside %d busy cores, %.0f alone", all, slopeCores-1, one)
	}
}
