package urpc

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestModel searches all that can happen in the model of the sleep protocol for
// lost wake-ups, and sees to it that the search finds them where there are some: each
// step without which the protocol would be wrong is left out once.
func TestModel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, tool := range []string{"spin", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing, with which the model is checked: run scripts/setup", tool)
		}
	}
	for _, variant := range []struct {
		name    string
		defines []string
		forever bool // the peers may go on for ever: is all received nonetheless?
		faulty  bool
	}{
		{name: "the protocol"},
		{name: "the protocol under a hostile peer that never stops", defines: []string{"MESSAGES=1"}, forever: true},
		{name: "no look at all channels, among honest peers", defines: []string{"NO_FULL_LOOK", "NO_HOSTILE"}},
		{name: "no look at all channels", defines: []string{"NO_FULL_LOOK"}, faulty: true},
		{name: "the look at all channels before the announcement", defines: []string{"BOARD_LOOK_FIRST"}, faulty: true},
		{name: "no look at all channels after many hints", defines: []string{"NEVER_OVERDUE", "MESSAGES=1"}, forever: true, faulty: true},
		{name: "the look at the ring before the announcement", defines: []string{"ANNOUNCE_LAST", "NO_FULL_LOOK", "NO_HOSTILE"}, faulty: true},
		{name: "the look at the board's sleep word before the hint", defines: []string{"ASK_FIRST", "NO_FULL_LOOK", "NO_HOSTILE"}, faulty: true},
		{name: "no fence after the message", defines: []string{"NO_FENCE"}, faulty: true},
		{name: "the look at who waits for room before the acknowledgement", defines: []string{"ROOM_LOOK_FIRST"}, faulty: true},
		{name: "one hint for each announcement of a channel", defines: []string{"HINT_ONCE"}, faulty: true},
	} {
		t.Run(variant.name, func(t *testing.T) {
			found, report := search(t, variant.defines, variant.forever)
			if found != variant.faulty {
				t.Errorf("the search finds an error: %v, want %v\n%s", found, variant.faulty, report)
			}
			t.Log(regexp.MustCompile(`(?m)^.*states, stored.*$`).FindString(report))
		})
	}
}

// search has spin search the model with some defines, for states where nobody can
// go on or, with forever, for ways to go on for ever without an end. It returns
// whether there are any, and what spin says.
func search(t *testing.T, defines []string, forever bool) (found bool, report string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	model, err := filepath.Abs(filepath.Join("model", "wakeup.pml"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	run := func(name string, arguments ...string) string {
		t.Helper()
		command := exec.CommandContext(ctx, name, arguments...)
		command.Dir = folder
		out, err := command.CombinedOutput()
		if err != nil && name != "./pan" {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	var options []string
	for _, d := range defines {
		options = append(options, "-D"+d)
	}
	run("spin", append(options, "-a", model)...)
	limits := []string{"-w", "-O2", "-DMEMLIM=2000", "-o", "pan", "pan.c"}
	if forever {
		run("gcc", limits...)
		report = run("./pan", "-a", "-f", "-m100000", "-n")
	} else {
		run("gcc", append([]string{"-DSAFETY", "-DNOCLAIM"}, limits...)...)
		report = run("./pan", "-m100000", "-n")
	}
	var depth, errors int
	at := strings.Index(report, "State-vector")
	if at < 0 {
		t.Fatalf("the search did not end:\n%s", report)
	}
	if _, err := fmt.Sscanf(report[at+strings.Index(report[at:], "depth reached"):], "depth reached %d, errors: %d", &depth, &errors); err != nil {
		t.Fatalf("cannot read what spin says: %v\n%s", err, report)
	}
	for _, sign := range []string{"max search depth too small", "MEMLIM bound", "out of memory", "hash conflicts may be"} {
		if strings.Contains(report, sign) && errors == 0 {
			t.Fatalf("the search is not complete: %s\n%s", sign, report)
		}
	}
	return errors > 0, report
}

// TestModelNames: the steps that the model says it follows are those of the code.
func TestModelNames(t *testing.T) {
	model, err := os.ReadFile(filepath.Join("model", "wakeup.pml"))
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	names := regexp.MustCompile(`\b(Sender|Receiver|Board|Bell)\.([A-Z][A-Za-z]*)`).FindAllSubmatch(model, -1)
	if len(names) < 5 {
		t.Fatalf("the model names only %d functions", len(names))
	}
	for _, n := range names {
		if !bytes.Contains(source, []byte("*"+string(n[1])+") "+string(n[2])+"(")) {
			t.Errorf("the model speaks of %s, which there is not", n[0])
		}
	}
}
