package baseline

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skerry/host/gobuild"
	"skerry/host/source"
)

// bootLimit is enough for two boots on a host with much else to do. A boot that hangs is noticed
// long before.
const bootLimit = 5 * time.Minute

// need skips a test where Linux cannot be booted, or is not to be.
func need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a machine")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("QEMU is missing: install the package qemu-system-x86")
	}
	if !cached() {
		t.Skip("no Linux kernel in the cache: make bench fetches one")
	}
}

// TestLinux runs ordinary programs on Linux and checks that everything about
// them comes out: both streams byte for byte, exit code, signal, input, order.
func TestLinux(t *testing.T) {
	need(t)
	hello, cat, crash := example(t, "hello"), example(t, "cat"), example(t, "crash")
	every := make([]byte, 256*40)
	for i := range every {
		every[i] = byte(i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	result, err := Linux(ctx, Config{Cores: 2, Progress: t.Output()}, []Program{
		{Path: hello, Args: []string{"7"}},
		{Path: cat, Stdin: every},
		{Path: crash, Args: []string{"nil"}},
		{Path: crash, Args: []string{"kill", "15"}},
		{Path: crash},
	}...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Linux %s came up in %v", result.Greeting.Version, result.Boot)
	for i, want := range []struct {
		code, signal   int
		stdout, stderr string
	}{
		{7, 0, "hello from", ""},
		{0, 0, string(every), ""},
		{2, 0, "about to end by [nil]\n", "nil pointer dereference"},
		{-1, 15, "about to end", ""},
		{2, 0, "", "usage: crash"},
	} {
		run := result.Runs[i]
		if run.ExitCode != want.code || run.Signal != want.signal {
			t.Errorf("program %d: exit code %d, signal %d; want %d, %d", i, run.ExitCode, run.Signal, want.code, want.signal)
		}
		if !strings.Contains(string(run.Stdout), want.stdout) || !strings.Contains(string(run.Stderr), want.stderr) {
			t.Errorf("program %d wrote %q and %q; want %q and %q in them", i, run.Stdout, run.Stderr, want.stdout, want.stderr)
		}
		if i > 0 && run.Started < result.Runs[i-1].Ended {
			t.Errorf("program %d started before the one before it had ended", i)
		}
	}
	if !bytes.Equal(result.Runs[1].Stdout, every) {
		t.Error("bytes changed on the way")
	}
}

// TestFirstLine boots straight into a program.
func TestFirstLine(t *testing.T) {
	need(t)
	hello := example(t, "hello")
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	took, err := FirstLine(ctx, Config{Cores: 4, Progress: t.Output()}, hello)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("first line after", took)
}

// example builds one of the example programs.
func example(t *testing.T, name string) string {
	root, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	program, err := gobuild.Build(t.Context(), gobuild.Target{Dir: root, Package: "./examples/" + name, System: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// cached says whether a kernel is there: tests fetch none.
func cached() bool {
	cache, err := gobuild.CacheDir()
	if err != nil {
		return false
	}
	found, err := filepath.Glob(filepath.Join(cache, "linux", "vmlinuz-*"))
	return err == nil && len(found) > 0
}
