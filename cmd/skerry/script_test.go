package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"skerry/host/program/programtest"
	"skerry/host/session/fakemachine"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"skerry":       func() { os.Exit(Main()) },
		"fake-machine": fakemachine.Main,
	})
}

// params makes scripts find Go's caches, the stand-in for the source tree and
// the one for QEMU.
func params(t *testing.T, dir string) testscript.Params {
	source, err := filepath.Abs("testdata/source")
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir() // one for all scripts, so that the stand-in is linked once
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOROOT"} {
				out, err := exec.Command("go", "env", name).Output()
				if err != nil {
					return err
				}
				e.Setenv(name, strings.TrimSpace(string(out)))
			}
			e.Setenv("GOFLAGS", "-mod=mod")
			e.Setenv("GOPROXY", "off")
			e.Setenv("SKERRY_SOURCE", source)
			e.Setenv("SKERRY_CACHE", cache)
			e.Setenv("SKERRY_QEMU", "fake-machine")
			e.Setenv(fakemachine.Script, "hello 1; started 0; stdout 0 ran; exit 0 0; bye")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "elf": elf, "machine": script, "await": await,
		},
	}
}

// exits runs a command and holds it to an exit code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		code = ee.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want, _ := strconv.Atoi(args[0]); code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// elf writes a program that Skerry takes: elf FILE
func elf(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), programtest.Good().Bytes(), 0o755))
}

// await waits until a file is there: await FILE
func await(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not appear", args[0])
		}
	}
}

// script tells the stand-in machine what to do: machine COMMAND; COMMAND...
func script(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(fakemachine.Script, strings.Join(args, " "))
}

func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("links the stand-in system")
	}
	testscript.Run(t, params(t, "testdata/script"))
}

// TestBadFiles names every kind of bad program file on the command line.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	for _, c := range programtest.Bad() {
		name := filepath.Join(dir, c.Name)
		if err := os.WriteFile(name, c.File, 0o755); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "exits 65 skerry run --accel tcg %s\n! stdout .\nstderr '^skerry: program .*/%s: .*%s'\nstderr '%s'\n",
			name, c.Name, regex(c.Want), regex(c.Fix))
	}
	scripts := t.TempDir()
	if err := os.WriteFile(filepath.Join(scripts, "bad.txtar"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, params(t, scripts))
}

func regex(s string) string {
	return strings.NewReplacer("(", `\(`, ")", `\)`, ".", `\.`, "+", `\+`).Replace(s)
}
