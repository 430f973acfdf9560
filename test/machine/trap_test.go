package machine

import (
	"errors"
	"strings"
	"testing"

	"skerry/host/exitcode"
	"skerry/test/boot"
)

// TestTrapInFreestandingCode makes freestanding kernel code use an index out of
// range, below any Go runtime that could panic, and expects a trap that names
// the place and ends that kernel alone.
func TestTrapInFreestandingCode(t *testing.T) {
	o := boot.Run(t, &boot.Machine{Cores: 2, Options: "trap=1:300", Programs: []boot.Program{
		{Package: boot.Example(t, "victim"), Args: []string{"40"}},
		{Package: boot.Example(t, "victim"), Args: []string{"40"}, Core: 1},
	}})
	for _, want := range []string{
		"skerry: core 1: trap 14 in the kernel: ",
		"skerry: panic: core 1: unexpected trap in freestanding code",
		"skerry: core 0: core 1's kernel has ended; this core goes on",
	} {
		if !strings.Contains(o.Console, want) {
			t.Errorf("the console lacks %q", want)
		}
	}
	if strings.Count(o.Stdout, "victim ok") != 1 {
		t.Error("the victim on core 0 did not go on")
	}
	if code := exitcode.Of(o.Err); code != exitcode.Panic {
		t.Fatalf("exit code %d: %v", code, o.Err)
	}
}

// TestTrapIsNamed expects that the host names the place of such a trap.
func TestTrapIsNamed(t *testing.T) {
	o := boot.Run(t, &boot.Machine{Cores: 1, Options: "trap=0:300", Quiet: true, Programs: []boot.Program{
		{Package: boot.Example(t, "victim"), Args: []string{"40"}},
	}})
	var e *exitcode.Error
	if !errors.As(o.Err, &e) {
		t.Fatal(o.Err)
	}
	detail := e.Detail
	if !strings.Contains(detail, "called from") || !strings.Contains(detail, "skerry/kernel/carry.call (") {
		t.Errorf("the report does not name the place:\n%s", detail)
	}
}
