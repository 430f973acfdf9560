package machine

import (
	"fmt"
	"testing"

	"skerry/abi"
	"skerry/test/boot"
)

// TestDoorbell parks goroutines at the doorbell: no thread waits with them.
func TestDoorbell(t *testing.T) {
	succeed(t, &boot.Machine{Cores: 1, Programs: []boot.Program{{Package: "testdata/waiting.go", Args: []string{"doorbell"}}}})
}

// TestMessages sends messages within a program, on one dispatcher and on several.
func TestMessages(t *testing.T) {
	boot.Need(t)
	for _, cores := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			p := boot.Program{Package: "testdata/waiting.go", Args: []string{"messages"}}
			for core := 1; core < cores; core++ {
				p.Cores = append(p.Cores, core)
			}
			succeed(t, &boot.Machine{Cores: cores, Programs: []boot.Program{p}})
		})
	}
}

// succeed runs programs that end with exit code 0.
func succeed(t *testing.T, m *boot.Machine) {
	t.Helper()
	o := boot.Run(t, m)
	if o.Err != nil {
		t.Error(o.Err)
		return
	}
	for i := range m.Programs {
		if s := &o.Outcomes[i].Status; s.Kind != abi.ExitCode || s.Code != 0 {
			t.Errorf("program %d ended with %d, code %d: %s", i, s.Kind, s.Code, o.Stderr)
		}
	}
	boot.Settled(t, o.Summary)
}
