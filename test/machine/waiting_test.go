package machine

import (
	"fmt"
	"testing"

	"skerry/abi"
	"skerry/lib/channel"
	"skerry/lib/manifest"
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

// TestBulk has two programs send each other buffers in memory that both have.
func TestBulk(t *testing.T) {
	boot.Need(t)
	for _, on := range []struct {
		cores     int
		transport channel.Transport
	}{
		{1, channel.TransportLMP}, {1, channel.TransportDoorbell},
		{2, channel.TransportPolled}, {2, channel.TransportDoorbell},
		{4, channel.TransportDoorbell}, {8, channel.TransportDoorbell},
	} {
		t.Run(fmt.Sprintf("%d, %v", on.cores, on.transport), func(t *testing.T) {
			m := &boot.Machine{Cores: on.cores}
			for _, core := range []int{0, on.cores - 1} {
				m.Programs = append(m.Programs, boot.Program{
					Package: "testdata/bulk.go", Core: core, Capabilities: []string{manifest.Messages},
					Env: []string{"SKERRY_TRANSPORT=" + on.transport.String()},
				})
			}
			succeed(t, m)
		})
	}
}
