package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	if got, want := lines("x", []float64{5, 1, 3, 2, 4}, "ns"), "x 3 ns\nx.spread 33 %\nx.least 1 ns\n"; got != want {
		t.Errorf("lines: %q, want %q", got, want)
	}
	got := ratios(map[string][]float64{
		"urpc_round_trip": {100, 400, 300}, "raw_round_trip": {100, 200, 200}, "urpc_message": {50, 50},
	})
	for _, want := range []string{"round_trip_to_raw 1.5 ratio\n", "throughput_to_round_trip 5 ratio\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("ratios: %q lacks %q", got, want)
		}
	}
}
