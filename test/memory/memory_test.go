// Package memory tests that memory behaves on Skerry as on Linux: it runs the
// cases of examples/memory on this host and in a machine, and compares what
// they print, line by line.
package memory

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skerry/host/gobuild"
	"skerry/host/source"
	"skerry/test/boot"
)

// differences are the cases that come out differently on Skerry, and how: all
// that there are.
var differences = map[string]string{
	// No page is writable and executable at once.
	"map-write-execute":     "EACCES !! !!",
	"protect-write-execute": "EACCES ABCDEF! wwwwww!",
	"file-write-execute":    "EACCES fault !!",
	// There is no mremap.
	"remap-shrink": "ENOSYS ABCD",
	"remap-grow":   "ENOSYS ABCD",
	"remap-move":   "ENOSYS ABCD",
}

// least is how many cases there are at least: fewer mean that some got lost.
const least = 200

// spaces are the kinds of address space that the cases are run in.
var spaces = map[string]struct {
	cores      int
	replicated bool
}{
	"one":        {1, false},
	"shared":     {3, false},
	"replicated": {3, true},
}

// TestAsOnLinux runs the cases on one core, and on several in both ways in which
// these can have the same memory.
func TestAsOnLinux(t *testing.T) {
	boot.Need(t)
	linux, order := results(t, onHost(t))
	if len(order) < least {
		t.Fatalf("only %d cases", len(order))
	}
	for name := range differences {
		if _, there := linux[name]; !there {
			t.Errorf("there is no case %s", name)
		}
	}
	for name, space := range spaces {
		t.Run(name, func(t *testing.T) {
			p := boot.Program{Package: boot.Example(t, "memory"), Replicated: space.replicated}
			for core := 1; core < space.cores; core++ {
				p.Cores = append(p.Cores, core)
			}
			o := boot.Run(t, &boot.Machine{Cores: space.cores, Memory: 256 << 20 * uint64(space.cores), Programs: []boot.Program{p}})
			if o.Err != nil {
				t.Error(o.Err)
			}
			compare(t, o.Stdout, linux, order)
			boot.Settled(t, o.Summary)
		})
	}
}

// compare holds what the cases print against what they print on Linux.
func compare(t *testing.T, stdout string, linux map[string]string, order []string) {
	t.Helper()
	skerry, _ := results(t, stdout)
	for _, name := range order {
		want, differs := differences[name]
		switch got, there := skerry[name]; {
		case !there:
			t.Errorf("%s: missing; on Linux %q", name, linux[name])
		case differs && want == linux[name]:
			t.Errorf("%s: no different from Linux", name)
		case !differs && got != linux[name]:
			t.Errorf("%s: %q; on Linux %q", name, got, linux[name])
		case differs && got != want:
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if len(skerry) != len(linux) {
		t.Errorf("%d cases on Skerry, %d on Linux", len(skerry), len(linux))
	}
}

// onHost returns what the cases print on this host.
func onHost(t *testing.T) string {
	t.Helper()
	root, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	program, err := gobuild.Build(t.Context(), gobuild.Target{Dir: root, Package: "./examples/memory", System: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "memory")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// results reads lines of a name and a result.
func results(t *testing.T, text string) (byName map[string]string, order []string) {
	t.Helper()
	byName = map[string]string{}
	for _, line := range boot.Lines(text) {
		name, result, _ := strings.Cut(line, " ")
		if _, twice := byName[name]; twice {
			t.Errorf("two cases %s", name)
		}
		byName[name] = result
		order = append(order, name)
	}
	return byName, order
}
