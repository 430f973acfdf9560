// Package session tests what monitors do for programs that speak to each other, by
// examples/session, which speaks package session itself: names, bindings, capabilities that
// go to other programs, and ends, on one core and between cores.
package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

// on is a program on a core that is given messages.
func on(t *testing.T, core int, args ...string) boot.Program {
	return boot.Program{Package: boot.Example(t, "session"), Core: core, Args: args, Capabilities: []string{manifest.Messages}}
}

// run runs programs, and holds that nothing is left of them. The ends of those that are to be
// killed are not looked at.
func run(t *testing.T, cores int, programs ...boot.Program) *boot.Outcome {
	t.Helper()
	boot.Need(t)
	o := boot.Run(t, &boot.Machine{Cores: cores, Programs: programs, Timeout: 4 * time.Minute})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	for i, p := range o.Outcomes {
		if programs[i].Kill == 0 && (!p.Ended || p.Status.Kind != abi.ExitCode || p.Status.Code != 0) {
			t.Errorf("%v on core %d: %+v", programs[i].Args, programs[i].Core, p)
		}
	}
	if o.Stderr != "" {
		t.Errorf("standard error:\n%s", o.Stderr)
	}
	boot.Settled(t, o.Summary)
	return o
}

// says holds that the programs said these lines, in any order.
func says(t *testing.T, o *boot.Outcome, want ...string) {
	t.Helper()
	got := strings.Split(strings.TrimSpace(o.Stdout), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the programs said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCalls has clients on all cores call one server: messages, and a frame.
func TestCalls(t *testing.T) {
	for _, cores := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			programs := []boot.Program{on(t, cores-1, "serve", "store", fmt.Sprint(cores+1)), on(t, 0, "call", "store", "50")}
			want := []string{fmt.Sprintf("served %d clients", cores+1), "had 50 messages echoed"}
			for core := range cores {
				programs = append(programs, on(t, core, "call", "store", "20"))
				want = append(want, "had 20 messages echoed")
			}
			says(t, run(t, cores, programs...), want...)
		})
	}
}

// TestEnds has programs end without a word, whichever side of a binding they are.
func TestEnds(t *testing.T) {
	for _, cores := range []int{1, 2} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			o := run(t, cores,
				on(t, 0, "serve", "mine", "2"), on(t, cores-1, "abandon", "mine"), on(t, 0, "abandon", "mine"),
				on(t, cores-1, "serve", "other", "1"), on(t, 0, "hold", "other"), on(t, 0, "call", "other", "3"), on(t, 0, "watch", "other"))
			says(t, o, "served 2 clients", "served 1 clients", "bound", "the server is gone: the peer has died", "had 3 messages echoed",
				fmt.Sprintf("found on core %d", cores-1), "gone")
		})
	}
}
