package machine

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"skerry/host/exitcode"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

// TestConsoleLines lets programs of four cores fill the log while one kernel
// ends with a panic: every line of the console must be one line of one core's,
// whole and in its core's order.
func TestConsoleLines(t *testing.T) {
	m := &boot.Machine{Cores: 4, Options: "panic=2:1000"}
	const lines = 400
	for core := range 4 {
		m.Programs = append(m.Programs, boot.Program{Package: "testdata/logger.go", Args: []string{"from" + strconv.Itoa(core), strconv.Itoa(lines)}, Core: core, Capabilities: []string{manifest.Log}})
	}
	o := boot.Run(t, m)
	if o.Err == nil {
		t.Error("the session says nothing of the panic")
	}
	logged := regexp.MustCompile(`^skerry: core (\d+): logger: from(\d+) (\d+) (x*) end$`)
	next := map[string]int{}
	n := 0
	for _, line := range boot.Lines(o.Console) {
		if !strings.Contains(line, "logger: ") {
			// A line of a kernel's own, or of the monitor's, which has no prefix.
			if strings.Contains(line, "xx") || strings.LastIndex(line, "skerry: ") > 0 {
				t.Errorf("mixed: %q", line)
			}
			continue
		}
		f := logged.FindStringSubmatch(line)
		if f == nil || f[1] != f[2] {
			t.Errorf("mixed or cut: %q", line)
			continue
		}
		i, _ := strconv.Atoi(f[3])
		if i < next[f[1]] || len(f[4]) != i%120 {
			t.Errorf("after line %d of core %s: %q", next[f[1]]-1, f[1], line)
		}
		next[f[1]] = i + 1
		n++
	}
	if n < lines {
		t.Errorf("only %d lines arrived", n)
	}
	for _, want := range []string{"skerry: panic: core 2: ", "skerry: core 2: main.main("} {
		if !strings.Contains(o.Console, want) {
			t.Errorf("the console lacks %q", want)
		}
	}
	for core := range 4 {
		if core != 2 && next[fmt.Sprint(core)] == 0 {
			t.Errorf("core %d logged nothing", core)
		}
	}
}

// TestFirstCorePanics ends the kernel that has the console: its stack must
// come out all the same, and the session must not wait for it.
func TestFirstCorePanics(t *testing.T) {
	m := &boot.Machine{Cores: 2, Options: "panic=0:300", Programs: []boot.Program{
		{Package: boot.Example(t, "spin"), Core: 1}, {Package: boot.Example(t, "victim")},
	}}
	o := boot.Run(t, m)
	var e *exitcode.Error
	if !errors.As(o.Err, &e) || e.Code != exitcode.Panic || !strings.Contains(o.Err.Error(), "core 0") {
		t.Errorf("the session ended by %v", o.Err)
	}
	for _, want := range []string{
		"skerry: core 0: panic: runtime error: invalid memory address or nil pointer dereference",
		"skerry: core 0: skerry/kernel/driver.(*Driver).maybePanic", "skerry: core 0: main.main(", "skerry: panic: core 0: ",
	} {
		if !strings.Contains(o.Console, want) {
			t.Errorf("the console lacks %q", want)
		}
	}
}
