package main

import (
	"slices"
	"strings"
	"testing"
)

// TestRivals: a row about channels is measured against what Linux offers on as many cores.
func TestRivals(t *testing.T) {
	if got, want := channelRowsOn(1, "wake"), []string{"channel_wake_lmp", "channel_wake_doorbell_one_core"}; !slices.Equal(got, want) {
		t.Errorf("rows on one core: %q, want %q", got, want)
	}
	if got, want := channelRowsOn(2, "message"), []string{"channel_message_polled", "channel_message_doorbell", "channel_message_hop"}; !slices.Equal(got, want) {
		t.Errorf("rows on two cores: %q, want %q", got, want)
	}
	if slices.Contains(rivalsOf("round_trip", 1), "spin") || !slices.Contains(rivalsOf("round_trip", 2), "spin") {
		t.Error("whoever polls is to be measured on two cores, and only there")
	}
	b := &bench{samples: map[string]*row{}}
	b.record("channel_message_lmp", false, 30, "ns")
	b.record(rivalRow("pipe", "message", 1), true, 10, "ns")
	b.record(rivalRow("pipe", "message", 2), true, 1, "ns")
	var out strings.Builder
	b.writeRivals(&out, "channel_message_lmp")
	if got, want := out.String(), "channel_message_lmp.in_pipe 3 x\n"; got != want {
		t.Errorf("written %q, want %q", got, want)
	}
	for only, want := range map[string]bool{"channel_message_lmp": false, "rival_pipe_wake_on_1": false, "getppid": true} {
		b.only = []string{only}
		if b.alone() != want {
			t.Errorf("rows about one program for %s: %v", only, !want)
		}
	}
}
