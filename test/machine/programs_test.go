package machine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/test/boot"
)

// TestCores runs a program on each of 1, 2, 4 and 8 cores.
func TestCores(t *testing.T) {
	for _, cores := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			m := &boot.Machine{Cores: cores}
			for i := range cores {
				m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "hello"), Args: []string{fmt.Sprint(i)}, Core: i})
			}
			o := boot.Run(t, m)
			if o.Err != nil {
				t.Fatal(o.Err)
			}
			if n := strings.Count(o.Stdout, "hello from an ordinary Go program\n"); n != cores {
				t.Errorf("%d programs said hello, want %d", n, cores)
			}
			for i, p := range o.Outcomes {
				if p.Status.Kind != abi.ExitCode || p.Status.Code != uint64(i) {
					t.Errorf("program %d ended with %d, code %d", i, p.Status.Kind, p.Status.Code)
				}
			}
			if o.Summary == nil || len(o.Summary.Cores) != cores {
				t.Fatalf("summary of the cores: %+v", o.Summary)
			}
		})
	}
}

// TestStreams sends random bytes through a program and expects them back, and
// nothing else anywhere.
func TestStreams(t *testing.T) {
	r := rand.NewChaCha8([32]byte{1})
	in := make([]byte, 20_000)
	r.Read(in)
	o := boot.Run(t, &boot.Machine{Cores: 2, Programs: []boot.Program{
		{Package: boot.Example(t, "cat"), Core: 1, Stdin: bytes.NewReader(in)},
	}})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	if o.Stdout != string(in) {
		t.Errorf("%d bytes came back, different from the %d sent", len(o.Stdout), len(in))
	}
	if o.Stderr != "" {
		t.Errorf("standard error: %q", o.Stderr)
	}
}

// TestEnds runs programs that end in all ways a program can.
func TestEnds(t *testing.T) {
	m := &boot.Machine{Cores: 1, Memory: 512 << 20}
	tests := []struct {
		args   []string
		kind   uint32
		code   uint64
		stderr string // what is written at once: all programs write to the same
	}{
		{[]string{"exit", "9"}, abi.ExitCode, 9, ""},
		{[]string{"panic"}, abi.ExitCode, 2, "asked to panic"},
		{[]string{"nil"}, abi.ExitCode, 2, "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0"},
		{[]string{"divide"}, abi.ExitCode, 2, "runtime error: integer divide by zero"},
		{[]string{"stack"}, abi.ExitCode, 2, "stack overflow"},
		{[]string{"memory"}, abi.ExitMemory, uint64(capability.ErrQuota), ""},
	}
	for _, test := range tests {
		m.Programs = append(m.Programs, boot.Program{
			Package: boot.Example(t, "crash"), Args: test.args, Quota: 48 << 20,
		})
	}
	o := boot.Run(t, m)
	if len(o.Outcomes) != len(tests) {
		t.Fatalf("%d outcomes: %v", len(o.Outcomes), o.Err)
	}
	for i, test := range tests {
		s := &o.Outcomes[i].Status
		if s.Kind != test.kind || s.Code != test.code {
			t.Errorf("crash %v: kind %d, code %d; want kind %d, code %d", test.args, s.Kind, s.Code, test.kind, test.code)
		}
		if !strings.Contains(o.Stderr, test.stderr) {
			t.Errorf("crash %v: standard error lacks %q", test.args, test.stderr)
		}
	}
}

// TestNothingLeaks checks that all memory of ended domains is free again. What
// the kernel keeps is settled at boot.
func TestNothingLeaks(t *testing.T) {
	m := &boot.Machine{Cores: 1, Memory: 512 << 20}
	for range 42 {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "hello")})
	}
	o := boot.Run(t, m)
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	boot.Settled(t, o.Summary)
}
