// Package attack tests that a program can harm no one but itself: every case
// of examples/attack runs beside victims that must not notice, on its own core
// and on another.
package attack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/archive"
	"skerry/host/baseline"
	"skerry/host/gobuild"
	"skerry/host/image"
	"skerry/host/source"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

// arguments are what cases that need one are run with; a case is run once for
// each.
var arguments = map[string][]string{
	"read":        {"0xffffffff80200000", "0xffff800000100000"},
	"write":       {"0xffffffff80200000", "0xffff800000100000"},
	"int":         {"0x2", "0x3", "0x8", "0xd", "0xe", "0x12", "0x20", "0x80", "0xff"},
	"enter-libos": {"0x1000", "0x1040", "0x1100", "0x2000", "0x3333"},
	"mode-32":     {"0x8", "0xb", "0x13", "0x1b", "0x23", "0x2b", "0x33", "0x3b"},
}

// deadly are cases that take the libos from under the program, which may then
// end by a fault of it or without a word.
var deadly = []string{"dispatcher", "stdio", "gs-", "vital-", "native-setup", "native-disable", "enter-libos", "native-park"}

const (
	perBoot = 12 // attacks in one machine, all on one core
	rounds  = "40"
	// patience is how long an attack is waited for that may wait for ever, at
	// most, in microseconds.
	patience = 20_000_000
	limit    = 90 * time.Second
)

func TestAttacks(t *testing.T) {
	boot.Need(t)
	root, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	system, err := image.CompileSystem(t.Context(), root, false)
	if err != nil {
		t.Fatal(err)
	}
	attacker, victim := build(t, root, "attack"), build(t, root, "victim")
	for batch := range slices.Chunk(cases(t, attacker), perBoot) {
		t.Run(batch[0][0], func(t *testing.T) { attackVictims(t, system, attacker, victim, batch) })
	}
}

// attackVictims boots a machine of two cores with a victim on each, and makes
// the attacks on the second.
func attackVictims(t *testing.T, system *image.System, attacker, victim []byte, attacks [][]string) {
	plan := manifest.Manifest{Link: true, Summary: true, PowerOff: true}
	add := func(name string, core int, args ...string) {
		plan.Programs = append(plan.Programs, manifest.Program{
			Name: name, Path: "bin/" + name, Args: append([]string{name}, args...), Cwd: "/", Core: core, Quota: 64 << 20,
			Capabilities: []string{manifest.Log, manifest.Dispatch},
		})
	}
	add("victim", 0, rounds)
	add("victim", 1, rounds)
	for _, args := range attacks {
		add("attack", 1, args...)
		if strings.HasPrefix(args[0], "vital-supply") {
			// The spawner may never answer a libos that seems to lie.
			plan.Programs[len(plan.Programs)-1].Kill = patience
		}
	}
	path := filepath.Join(t.TempDir(), "image")
	files := []archive.File{archive.Bytes("/bin/attack", 0o755, attacker), archive.Bytes("/bin/victim", 0o755, victim)}
	if _, err := image.WriteFile(path, system, &plan, files); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	result, err := baseline.Image(ctx, baseline.Config{Cores: 2}, path, len(plan.Programs))
	if err != nil {
		t.Fatalf("attacks %v: %v", attacks, err)
	}
	for core, run := range result.Runs[:2] {
		if run.ExitCode != 0 || !bytes.Contains(run.Stdout, []byte("victim ok\n")) {
			t.Errorf("the victim on core %d noticed something of %v: %+v, %s%s", core, attacks, run.Status, run.Stdout, run.Stderr)
		}
	}
	if n := len(result.Summary.Cores); n != 2 {
		t.Errorf("%d cores are left, not 2", n)
	}
	boot.Settled(t, &result.Summary)
	for i, args := range attacks {
		run := result.Runs[2+i]
		end, err := judge(args[0], run)
		t.Logf("%s: %s", strings.Join(args, " "), end)
		if err != nil {
			t.Errorf("%s: %v\n%s%s", strings.Join(args, " "), err, run.Stdout, run.Stderr)
		}
	}
}

// judge says in words how an attack ended, and returns an error if that is not
// how one must end.
func judge(name string, run baseline.Outcome) (string, error) {
	isDeadly := slices.ContainsFunc(deadly, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	output := append(bytes.Clone(run.Stdout), run.Stderr...)
	switch s := run.Status; {
	case s.Kind == abi.ExitSignal:
		return fmt.Sprintf("signal %d", s.Code), nil
	case s.Kind == abi.ExitKilled && strings.HasPrefix(name, "vital-"):
		return "killed", nil
	case s.Kind == abi.ExitFault && isDeadly:
		return fmt.Sprintf("exception %d in the libos", s.FaultVector), nil
	case s.Kind == abi.ExitStuck && isDeadly:
		return "stuck while disabled", nil
	case s.Kind == abi.ExitMemory && (isDeadly || strings.HasPrefix(name, "memory-")):
		return "out of memory", nil
	case s.Kind != abi.ExitCode:
		return "", fmt.Errorf("ended by %+v", s)
	case s.Code == 99:
		return "", fmt.Errorf("it got what no program may have")
	case isDeadly:
		return fmt.Sprintf("exit code %d", s.Code), nil
	case s.Code == 0:
		if bytes.Contains(output, []byte("refused: function not implemented")) && name != "linux-numbers" {
			return "", errors.New("what it attacks is not there")
		}
		for _, word := range []string{"refused: ", "harmless: "} {
			if _, rest, ok := bytes.Cut(output, []byte("attack "+name+": "+word)); ok {
				line, _, _ := bytes.Cut(rest, []byte("\n"))
				return word + string(line), nil
			}
		}
	case bytes.Contains(output, []byte("SIG")):
		_, rest, _ := bytes.Cut(output, []byte("SIG"))
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		return "SIG" + string(line), nil
	}
	return "", fmt.Errorf("ended by exit code %d and named no signal", run.ExitCode)
}

// cases returns the command lines of all attacks, as the attacker lists them.
func cases(t *testing.T, attacker []byte) [][]string {
	path := filepath.Join(t.TempDir(), "attack")
	if err := os.WriteFile(path, attacker, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(path, "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for line := range strings.Lines(string(text)) {
		name := strings.Fields(line)[0]
		if arguments[name] == nil {
			all = append(all, []string{name})
		}
		for _, argument := range arguments[name] {
			all = append(all, []string{name, argument})
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d attacks are listed", len(all))
	}
	return all
}

// build compiles an example.
func build(t *testing.T, root, name string) []byte {
	program, err := gobuild.Build(t.Context(), gobuild.Target{Dir: root, Package: "./examples/" + name, System: true})
	if err != nil {
		t.Fatal(err)
	}
	return program
}
