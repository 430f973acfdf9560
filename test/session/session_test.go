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

// run runs programs, and holds that nothing is left of them. If some are to be killed, the
// others may fail for that, and must end.
func run(t *testing.T, cores int, programs ...boot.Program) *boot.Outcome {
	t.Helper()
	boot.Need(t)
	o := boot.Run(t, &boot.Machine{Cores: cores, Programs: programs, Timeout: 100 * time.Second})
	killed := slices.ContainsFunc(programs, func(p boot.Program) bool { return p.Kill != 0 })
	if o.Err != nil && (!killed || o.Result == nil || !o.Bye) {
		t.Fatal(o.Err)
	}
	for i, p := range o.Outcomes {
		if !p.Ended || !killed && (p.Status.Kind != abi.ExitCode || p.Status.Code != 0) {
			t.Errorf("%v on core %d: %+v", programs[i].Args, programs[i].Core, p)
		}
	}
	if o.Stderr != "" && !killed {
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

// attacks are those of examples/session.
var attacks = []string{"garbage", "scribble", "exchange", "hoard", "mute", "names", "revoke"}

// TestAttacks has programs do what they can to their monitors, and to a server, beside
// clients of it that must not notice. Of the attackers only their own kernels' and
// monitors' lives are asked for.
func TestAttacks(t *testing.T) {
	for i, attack := range attacks {
		t.Run(attack, func(t *testing.T) {
			// The prey ends at some time: the attack may find it gone.
			prey, attacker := on(t, i%2, "serve", "prey", "1000000"), on(t, 0, attack, "prey")
			prey.Kill, attacker.Quota = 8_000_000, 32<<20
			o := run(t, 2, on(t, 0, "serve", "safe", "2"), on(t, 0, "call", "safe", "100"), on(t, 1, "call", "safe", "100"), prey, attacker)
			if n := strings.Count(o.Stdout, "had 100 messages echoed\n"); n != 2 || !strings.Contains(o.Stdout, "served 2 clients\n") {
				t.Errorf("%d clients were served:\n%s", n, o.Stdout)
			}
		})
	}
}

// TestKilled kills servers and clients at random, again and again.
func TestKilled(t *testing.T) {
	for _, cores := range []int{1, 2} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			var programs []boot.Program
			for i, args := range [][]string{{"serve", "store", "1000000"}, {"call", "store", "1000000"}, {"call", "store", "1000000"}, {"hold", "store"}, {"hoard", "store"}} {
				p := on(t, i%cores, args...)
				p.Runs, p.Kill = boot.Times(8, 1000), 2_000_000
				programs = append(programs, p)
			}
			run(t, cores, programs...)
		})
	}
}

// TestLost has the kernel of a server's core end while it serves.
func TestLost(t *testing.T) {
	boot.Need(t)
	o := boot.Run(t, &boot.Machine{
		Cores: 3, Quiet: true, Options: "panic=1:6000", Timeout: 100 * time.Second,
		Programs: []boot.Program{
			on(t, 1, "serve", "store", "1000000"), on(t, 0, "hold", "store"), on(t, 2, "hold", "store"), on(t, 2, "watch", "store"),
			on(t, 0, "call", "store", "1000000"),
		},
	})
	const lost = "the server is gone: a core is lost or does not answer"
	if n := strings.Count(o.Stdout, lost+"\n"); n != 2 || !strings.Contains(o.Stdout, "gone\n") {
		t.Errorf("%d programs say that the server is gone:\n%s", n, o.Stdout)
	}
	if !strings.Contains(o.Stderr, lost) {
		t.Errorf("standard error:\n%s", o.Stderr)
	}
	if o.Result == nil || !o.Bye {
		t.Error(o.Err)
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
