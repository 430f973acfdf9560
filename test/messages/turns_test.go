package messages

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skerry/host/baseline"
	"skerry/host/source"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

// TestTurns counts how often who shares a core has it while messages go back and forth,
// in machines that execute one instruction a virtual ns. For each round trip each has it
// once, and a relay between two of the core once there and once back: who waits gives it to
// whom it has sent something, and nobody has to take it away.
func TestTurns(t *testing.T) {
	boot.Need(t)
	const messages = 1000
	dir, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []struct {
		transport string
		cores     int // the server is on the last one, the client on the first
		sharing   int // programs on the server's core
	}{{"lmp", 1, 2}, {"doorbell", 1, 2}, {"polled", 1, 2}, {"hop", 2, 2}, {"hop", 1, 3}} {
		t.Run(fmt.Sprintf("%s/%d", by.transport, by.cores), func(t *testing.T) {
			programs := []boot.Program{
				peer(t, by.cores-1, "", "tally", "turns"),
				peer(t, 0, by.transport, "rounds", "turns", messages),
			}
			if by.transport == "hop" {
				programs = append(programs, boot.Program{
					Package: filepath.Join(dir, "service", "relay"), Core: by.cores - 1, Args: []string{"-ends", "2"},
				})
			}
			for i := range programs {
				programs[i].Capabilities = []string{manifest.Messages, manifest.Inspect}
			}
			file, _ := boot.Image(t, &boot.Machine{Cores: by.cores, Programs: programs})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			result, err := baseline.Image(ctx, baseline.Config{Cores: by.cores, Count: true}, file, len(programs))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range result.Runs {
				if r.ExitCode != 0 {
					t.Errorf("%s%s", r.Stdout, r.Stderr)
				}
			}
			shared := 0
			for line := range strings.Lines(string(result.Runs[0].Stdout)) {
				var dispatches, preemptions int
				var name string
				if _, err := fmt.Sscanf(line, "turns %d %d %s", &dispatches, &preemptions, &name); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				t.Logf("%s had the core %d times, and lost it %d times", name, dispatches, preemptions)
				want := messages
				if name == "relay" && by.cores == 1 {
					want *= 2
				}
				if shared++; dispatches < want*9/10 || dispatches > want*11/10 || preemptions > messages/20 {
					t.Errorf("%s had the core %d times for %d messages, and lost it %d times", name, dispatches, messages, preemptions)
				}
			}
			if shared != by.sharing {
				t.Errorf("%d programs on the core, want %d", shared, by.sharing)
			}
		})
	}
}
