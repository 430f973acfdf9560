// Package messages tests what programs on one core and on several say to each other:
// it boots machines whose programs find each other by name.
package messages

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/source"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

// peer is a program in a role.
func peer(t *testing.T, core int, transport string, args ...any) boot.Program {
	t.Helper()
	dir, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	p := boot.Program{Package: filepath.Join(dir, "test", "messages", "peer"), Core: core, Capabilities: []string{manifest.Messages}}
	for _, a := range args {
		p.Args = append(p.Args, fmt.Sprint(a))
	}
	if transport != "" {
		p.Env = []string{"SKERRY_TRANSPORT=" + transport}
	}
	return p
}

// run boots programs, all of which must end well but for those that are killed, and
// holds that nothing is left of them.
func run(t *testing.T, cores int, programs ...boot.Program) *boot.Outcome {
	t.Helper()
	return runOn(t, &boot.Machine{Cores: cores, Programs: programs})
}

// runOn is run on a machine.
func runOn(t *testing.T, m *boot.Machine) *boot.Outcome {
	t.Helper()
	m.Timeout = 5 * time.Minute
	o := boot.Run(t, m)
	for i, p := range m.Programs {
		killed := o.Outcomes[i].Status.Kind == abi.ExitKilled
		if s := o.Outcomes[i].Status; p.Kill == 0 && (s.Kind != abi.ExitCode || s.Code != 0) || p.Kill != 0 && !killed {
			t.Errorf("%v on core %d ended by %+v", p.Args, p.Core, s)
		}
	}
	boot.Settled(t, o.Summary)
	return o
}

// said checks that a line with some text came out so many times.
func said(t *testing.T, o *boot.Outcome, text string, times int) {
	t.Helper()
	if n := strings.Count(o.Stdout, text); n != times {
		t.Errorf("%q was said %d times, not %d", text, n, times)
	}
}

// TestChoice binds programs on one core and on two, as is chosen and as is asked for.
func TestChoice(t *testing.T) {
	const messages = 1000
	var programs []boot.Program
	for i, c := range []struct {
		client    int
		transport string
	}{
		{0, ""}, {1, ""}, {0, "lmp"}, {0, "doorbell"}, {1, "doorbell"}, {1, "polled"},
	} {
		name := fmt.Sprintf("choice%d", i)
		programs = append(programs, peer(t, 0, "", "serve", name, 1), peer(t, c.client, c.transport, "call", name, messages))
	}
	o := run(t, 2, programs...)
	for _, want := range []string{
		"choice0 by lmp: both programs are on one core", "choice1 by ", "choice2 by lmp: lmp was asked for",
		"choice3 by doorbell: doorbell was asked for", "choice4 by doorbell: doorbell was asked for", "choice5 by polled: polled was asked for",
	} {
		said(t, o, want, 1)
	}
}

// TestMany sends 10^5 messages each way, the content of each checked, between programs
// on all cores of a machine.
func TestMany(t *testing.T) {
	for _, cores := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			var programs []boot.Program
			pairs := max(1, cores/2)
			for i := range pairs {
				name := fmt.Sprintf("many%d", i)
				programs = append(programs,
					peer(t, (2*i)%cores, "", "serve", name, 1),
					peer(t, (2*i+1)%cores, "", "call", name, 100_000/pairs))
			}
			run(t, cores, programs...)
		})
	}
}

// TestHop has messages and capabilities go through a third program, on the core of one
// end or on a third.
func TestHop(t *testing.T) {
	dir, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	relay := boot.Program{
		Package: filepath.Join(dir, "service", "relay"), Core: 0, Capabilities: []string{manifest.Messages},
		Args: []string{"-ends", "6"}, // three clients look the name up, and bind to it
	}
	o := run(t, 3,
		peer(t, 1, "", "serve", "far", 3), relay,
		peer(t, 1, "hop", "call", "far", 500), peer(t, 0, "hop", "give", "far", 5), peer(t, 2, "hop", "give", "far", 5),
	)
	said(t, o, "far by hop: hop was asked for", 1)
	said(t, o, "5 frames by hop", 2)
}

// TestCapabilities has frames given over each transport, used by both ends, and taken
// back.
func TestCapabilities(t *testing.T) {
	const frames = 40
	o := run(t, 2,
		peer(t, 0, "", "serve", "a", 1), peer(t, 0, "lmp", "give", "a", frames),
		peer(t, 0, "", "serve", "b", 1), peer(t, 0, "doorbell", "give", "b", frames),
		peer(t, 0, "", "serve", "c", 1), peer(t, 1, "doorbell", "give", "c", frames),
		peer(t, 0, "", "serve", "d", 1), peer(t, 1, "polled", "give", "d", frames),
	)
	said(t, o, "40 frames by doorbell", 2)
	said(t, o, "40 frames by lmp", 1)
	said(t, o, "40 frames by polled", 1)
}

// killed is a program that is killed within some time.
func killed(p boot.Program, within int) boot.Program {
	p.Kill = within
	return p
}

// TestDeath has programs end in the midst of it, without a word: their peers are told, and
// names are gone.
func TestDeath(t *testing.T) {
	o := run(t, 2,
		peer(t, 0, "", "die", "x", 3), peer(t, 0, "lmp", "keep", "x"), peer(t, 1, "", "keep", "x"), peer(t, 1, "", "orphan", "x"),
		peer(t, 1, "", "die", "y", 2), peer(t, 0, "", "keep", "y"), peer(t, 0, "", "orphan", "y"),
	)
	said(t, o, "told", 3)
	said(t, o, "orphaned", 2)
}

// TestKilledGiving kills givers of capabilities, again and again, to receivers on their core
// and on others, one of which gives them on. Whoever lives goes on undisturbed.
// TestKilledReceiving kills the others.
func TestKilledGiving(t *testing.T) {
	over := make(until)
	receives := func(p boot.Program) boot.Program {
		p.Env, p.Stdin = []string{"UNTIL_INPUT_ENDS=1"}, over
		return p
	}
	gives := func(core int, transport, name string) boot.Program {
		p := peer(t, core, transport, "spray", name)
		p.Runs, p.Kill = boot.Times(40, 300), 200_000
		return p
	}
	m := &boot.Machine{Cores: 3, Programs: []boot.Program{
		receives(peer(t, 0, "", "stay", "still")), receives(peer(t, 2, "", "forward", "via", 1<<30, "still")),
		gives(0, "lmp", "still"), gives(0, "doorbell", "still"), gives(0, "", "still"), gives(1, "", "still"),
		gives(0, "", "via"), gives(1, "", "via"), gives(2, "", "via"),
	}}
	alive := len(m.Programs) - 2
	m.Ended = func(program int) {
		if m.Programs[program].Kill == 0 {
			return
		}
		if alive--; alive == 0 {
			close(over)
		}
	}
	if o := runOn(t, m); o.Stdout != "" {
		t.Errorf("something failed:\n%s", o.Stdout)
	}
}

// TestForgotten has servers that close nothing, and many clients that die: of none of
// them anything is kept, not even of endpoints, of which there is room for some twenty.
func TestForgotten(t *testing.T) {
	runs := boot.Times(12, 120)
	again := func(p boot.Program) boot.Program {
		p.Runs = runs
		return p
	}
	o := run(t, 2,
		peer(t, 0, "", "forget", "far", 30*runs), again(peer(t, 1, "", "leave", "far", 30)),
		peer(t, 0, "", "forget", "near", 5*runs), again(peer(t, 0, "lmp", "leave", "near", 5)),
	)
	said(t, o, fmt.Sprint("far has forgotten ", 30*runs), 1)
	said(t, o, fmt.Sprint("near has forgotten ", 5*runs), 1)
}

// TestNames waits for a name that comes later.
func TestNames(t *testing.T) {
	o := run(t, 2,
		peer(t, 0, "", "late", "later", 2), peer(t, 0, "", "serve", "later.wanted", 1),
		peer(t, 0, "", "call", "later", 10), peer(t, 1, "", "call", "later", 10),
	)
	said(t, o, "later by ", 2)
}

// TestVersion refuses who speaks another version, and tells both.
func TestVersion(t *testing.T) {
	o := run(t, 2, peer(t, 0, "", "serve", "old", 1), peer(t, 1, "", "version", "old"))
	said(t, o, `"old" exports version 1, this program speaks version 7`, 1)
}

// TestHostile has a peer write garbage wherever it can: others talk on meanwhile.
func TestHostile(t *testing.T) {
	o := run(t, 2,
		peer(t, 0, "", "serve", "victim", 21), peer(t, 1, "", "scribble", "victim", 20), peer(t, 1, "doorbell", "call", "victim", 5_000))
	said(t, o, "scribbled", 1)
}

// TestIdle has a program bind to another a thousand times. While nobody uses them the
// cores sleep: one that polled would be idle for no time at all. After that each works.
func TestIdle(t *testing.T) {
	const channels = 1000
	idle := peer(t, 1, "", "idle", "quiet", channels)
	idle.Capabilities = append(idle.Capabilities, manifest.Inspect)
	o := run(t, 2, peer(t, 0, "", "serve", "quiet", channels+1), idle)
	said(t, o, "core 1 was idle for", 1)
	said(t, o, fmt.Sprint(channels, " channels carried their message"), 1)
	t.Log(strings.TrimSpace(o.Stdout))
}
