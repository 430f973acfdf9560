// Package span tests that stock programs which run on several cores behave as on
// Linux: what they print, how they end, and that nothing is left of them. It
// runs the same binaries on this host and in machines.
package span

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/gobuild"
	"skerry/host/source"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

// stock are the programs and their arguments.
var stock = [][]string{
	{"sort"}, {"sort", "30000", "7"},
	{"graph"}, {"graph", "4000", "10", "50"},
	{"parallel"},
}

// kinds are how the dispatchers of a program can have the same memory.
var kinds = map[string]bool{manifest.Shared: false, manifest.Replicated: true}

// TestAsOnLinux runs each program on one, two and four cores, alone.
func TestAsOnLinux(t *testing.T) {
	boot.Need(t)
	for _, command := range stock {
		want := onHost(t, command)
		for _, cores := range []int{1, 2, 4} {
			for kind, replicated := range kinds {
				t.Run(fmt.Sprintf("%s/%d/%s", strings.Join(command, "-"), cores, kind), func(t *testing.T) {
					began := time.Now()
					p := program(t, command, 0, cores)
					p.Replicated = replicated
					o := boot.Run(t, &boot.Machine{Cores: cores, Programs: []boot.Program{p}})
					t.Logf("took %v", time.Since(began).Round(time.Millisecond))
					check(t, o, 0, command, want)
					same(t, o.Stdout, want.stdout)
					boot.Settled(t, o.Summary)
				})
			}
		}
	}
}

// TestTogether runs all programs at once, each on four cores but at home on
// another one, every other replicated, and on each core one more that computes without end until it is
// killed: so every dispatcher has to wait for its turn, whatever it holds.
func TestTogether(t *testing.T) {
	boot.Need(t)
	const cores = 4
	m := &boot.Machine{Cores: cores, Memory: 1 << 30, Timeout: 4 * time.Minute}
	var wanted []result
	all := ""
	for i, command := range stock {
		want := onHost(t, command)
		wanted = append(wanted, want)
		all += want.stdout
		p := program(t, command, i%cores, cores)
		p.Replicated = i%2 == 1
		m.Programs = append(m.Programs, p)
	}
	for core := range cores {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "spin"), Core: core, Kill: 20_000_000})
		all += "spinning: stop me from outside\n"
	}
	o := boot.Run(t, m)
	for i, command := range stock {
		check(t, o, i, command, wanted[i])
	}
	same(t, sorted(o.Stdout), sorted(all))
	boot.Settled(t, o.Summary)
}

// ends are the ways in which a program can end while its threads do something
// else, on other cores too.
var ends = []string{"exit", "panic", "nil", "kill", "return", "abandon", "deadlock"}

// TestEnds runs programs that end in all these ways, at once.
func TestEnds(t *testing.T) {
	boot.Need(t)
	for _, cores := range []int{1, 2, 4} {
		for kind, replicated := range kinds {
			if replicated && cores == 1 {
				continue // as shared
			}
			t.Run(fmt.Sprintf("%d/%s", cores, kind), func(t *testing.T) { testEnds(t, cores, replicated) })
		}
	}
}

func testEnds(t *testing.T, cores int, replicated bool) {
	m := &boot.Machine{Cores: cores, Memory: 768 << 20}
	for i, how := range ends {
		p := program(t, []string{"parallel", "end", how}, i%cores, cores)
		p.Replicated = replicated
		m.Programs = append(m.Programs, p)
	}
	o := boot.Run(t, m)
	for i, how := range ends {
		command := []string{"parallel", "end", how}
		want := onHost(t, command)
		check(t, o, i, command, want)
		if !strings.Contains(o.Stdout, want.stdout) {
			t.Errorf("end %s: standard output lacks %q", how, want.stdout)
		}
	}
	boot.Settled(t, o.Summary)
}

// TestKilled starts programs on several cores again and again and kills them,
// wherever they are: in their start, in a call that one core makes for another, in
// the midst of changes to the address space.
func TestKilled(t *testing.T) {
	boot.Need(t)
	for kind, replicated := range kinds {
		t.Run(kind, func(t *testing.T) { testKilled(t, replicated) })
	}
}

func testKilled(t *testing.T, replicated bool) {
	const cores = 4
	runs := boot.Times(6, 2000)
	m := &boot.Machine{Cores: cores, Memory: 1 << 30, Timeout: 4 * time.Minute}
	if *boot.Long {
		m.Timeout = time.Hour
	}
	for i, p := range []struct {
		command []string
		cores   int
		within  int // µs
	}{
		{[]string{"parallel"}, 4, 3_000_000},
		{[]string{"parallel", "munmap-is-seen-by-all", "everybody-maps"}, 4, 300_000},
		{[]string{"graph", "2000", "20"}, 3, 300_000},
		{[]string{"sort"}, 2, 60_000},
		{[]string{"parallel", "end", "return"}, 2, 30_000},
	} {
		q := program(t, p.command, i%cores, cores)
		q.Cores = q.Cores[:p.cores-1]
		q.Runs, q.Kill, q.Replicated = runs, p.within, replicated
		m.Programs = append(m.Programs, q)
	}
	o := boot.Run(t, m)
	if strings.Contains(o.Console, "panic") {
		t.Errorf("a kernel panicked: %v", o.Err)
	}
	for i, p := range o.Outcomes {
		switch {
		case !p.Ended || p.Failed != "":
			t.Errorf("program %d: ended %v, failed %q", i, p.Ended, p.Failed)
		case p.Status.Kind != abi.ExitKilled && (p.Status.Kind != abi.ExitCode || p.Status.Code != 0):
			t.Errorf("program %d ended by %+v", i, p.Status)
		}
	}
	boot.Settled(t, o.Summary)
}

// TestCoreEnds ends the kernel of a core in the midst of a program that runs there
// too. That ends, and those that have nothing to do with the core go on.
func TestCoreEnds(t *testing.T) {
	boot.Need(t)
	for kind, replicated := range kinds {
		t.Run(kind, func(t *testing.T) { testCoreEnds(t, replicated) })
	}
}

func testCoreEnds(t *testing.T, replicated bool) {
	unharmed := []string{"parallel", "mutex", "channels", "everybody-maps"}
	m := &boot.Machine{Cores: 4, Options: "panic=2:3000", Memory: 768 << 20}
	m.Programs = []boot.Program{
		program(t, []string{"graph", "20000", "1000"}, 0, 4), // for longer than the core lasts
		program(t, unharmed, 0, 2),
		{Package: boot.Example(t, "victim"), Args: []string{"40"}, Core: 3},
	}
	m.Programs[0].Replicated, m.Programs[1].Replicated = replicated, replicated
	o := boot.Run(t, m)
	if !strings.Contains(o.Console, "skerry: panic: core 2") {
		t.Fatalf("core 2's kernel has not ended: %v", o.Err)
	}
	if p := o.Outcomes[0]; p.Ended && p.Failed == "" && p.Status.Kind == abi.ExitCode && p.Status.Code == 0 {
		t.Errorf("a program ended well that a core of its own had left: %+v", p)
	}
	check(t, o, 1, unharmed, onHost(t, unharmed))
	if p := o.Outcomes[2]; !p.Ended || p.Status.Kind != abi.ExitCode || p.Status.Code != 0 {
		t.Errorf("a program on another core ended with %+v", p)
	}
}

// program returns a program of examples that runs on so many cores, at home on one
// of them.
func program(t *testing.T, command []string, home, cores int) boot.Program {
	p := boot.Program{Package: boot.Example(t, command[0]), Args: command[1:], Core: home}
	for i := 1; i < cores; i++ {
		p.Cores = append(p.Cores, (home+i)%max(cores, home+1))
	}
	return p
}

// result is what came of a program on this host.
type result struct {
	stdout string
	code   int // exit code, if signal is 0
	signal int // that ended it
}

// done are the results by command.
var done = map[string]result{}

// onHost runs a command on this host, once.
func onHost(t *testing.T, command []string) result {
	t.Helper()
	key := fmt.Sprintf("%q", command)
	if r, ok := done[key]; ok {
		return r
	}
	root, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	text, err := gobuild.Build(t.Context(), gobuild.Target{Dir: root, Package: "./examples/" + command[0], System: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), command[0])
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	c := exec.CommandContext(t.Context(), path, command[1:]...)
	c.Stdout = &stdout
	var failed *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	r := result{stdout: stdout.String()}
	if s := c.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		r.signal = int(s.Signal())
	} else {
		r.code = s.ExitStatus()
	}
	done[key] = r
	return r
}

// check holds that a program has ended as on this host.
func check(t *testing.T, o *boot.Outcome, i int, command []string, want result) {
	t.Helper()
	if i >= len(o.Outcomes) {
		t.Fatalf("%q: there is no outcome: %v", command, o.Err)
	}
	kind, code := uint32(abi.ExitCode), uint64(want.code)
	if want.signal != 0 {
		kind, code = abi.ExitSignal, uint64(want.signal)
	}
	if p := o.Outcomes[i]; !p.Ended || p.Failed != "" || p.Status.Kind != kind || p.Status.Code != code {
		t.Errorf("%q: ended %v, failed %q, kind %d, code %d; want kind %d, code %d",
			command, p.Ended, p.Failed, p.Status.Kind, p.Status.Code, kind, code)
	}
}

// same holds that two texts are, line by line.
func same(t *testing.T, got, want string) {
	t.Helper()
	g, w := boot.Lines(got), boot.Lines(want)
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Errorf("missing: %q", w[i])
		case i >= len(w):
			t.Errorf("more than on Linux: %q", g[i])
		case g[i] != w[i]:
			t.Errorf("%q; on Linux %q", g[i], w[i])
		}
	}
}

// sorted returns the lines of a text in order: what several programs write is
// mixed by lines.
func sorted(text string) string {
	lines := boot.Lines(text)
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
