// Package threads tests that threads of native programs are on Skerry what they are
// on Linux, and more: that their priorities hold.
package threads

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skerry/test/boot"
)

// TestOneCore runs examples/threads, which checks itself, on one core, twice beside
// itself: there its parts about priorities say most.
func TestOneCore(t *testing.T) {
	boot.Need(t)
	p := boot.Program{Package: boot.Example(t, "threads")}
	o := boot.Run(t, &boot.Machine{Cores: 1, Programs: []boot.Program{p, p}})
	check(t, o, 2)
}

// TestSeveralCores spreads it over two and over four.
func TestSeveralCores(t *testing.T) {
	boot.Need(t)
	for _, others := range [][]int{{1}, {1, 2, 3}} {
		t.Run(fmt.Sprint(1+len(others)), func(t *testing.T) {
			p := boot.Program{Package: boot.Example(t, "threads"), Cores: others}
			check(t, boot.Run(t, &boot.Machine{Cores: 1 + len(others), Programs: []boot.Program{p}}), 1)
		})
	}
}

// check checks that so many runs of the example were well in all parts.
func check(t *testing.T, o *boot.Outcome, runs int) {
	t.Helper()
	if o.Err != nil || o.Stderr != "" || o.ExitCode() != 0 {
		t.Fatalf("%v\n%s%s%s", o.Err, o.Stdout, o.Stderr, o.Console)
	}
	const parts = 11
	if n := strings.Count(o.Stdout, "\n"); n != runs*parts {
		t.Errorf("%d lines, want %d:\n%s", n, runs*parts, o.Stdout)
	}
	for _, bad := range []string{"FAILED", "not for us"} {
		if strings.Contains(o.Stdout, bad) {
			t.Errorf("something is %s:\n%s", bad, o.Stdout)
		}
	}
}

// TestLinux runs it here.
func TestLinux(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "threads")
	if text, err := exec.Command("go", "build", "-o", bin, "skerry/examples/threads").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if text, err := exec.Command(bin).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
