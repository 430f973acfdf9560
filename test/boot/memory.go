package boot

import (
	"testing"

	"skerry/abi"
	"skerry/lib/link"
)

// Settled holds that all memory of a machine whose programs have ended is where
// it belongs, to the byte: every core's is its kernel's, its monitor's, or free,
// and the cores' together, with what no core has, is the machine's.
func Settled(t testing.TB, s *link.Summary) {
	t.Helper()
	if s == nil {
		t.Error("the machine did not sum up where its memory is")
		return
	}
	if missing := s.Missing(); missing != 0 {
		t.Errorf("of the machine's RAM %d bytes are in no place", missing)
	}
	for _, c := range s.Cores {
		m := &c.Memory
		if missing := m.Missing(); missing != 0 {
			t.Errorf("core %d: %d bytes are in no place: %+v", c.Core, missing, *m)
		}
		if m.Given != 0 {
			t.Errorf("core %d: programs that have ended have %d bytes", c.Core, m.Given)
		}
		if rest := int64(m.Total) - int64(m.Kernel) - int64(m.Monitor) - int64(m.Free); rest != 0 {
			t.Errorf("core %d: %d bytes are neither the kernel's, the monitor's, nor free: %+v", c.Core, rest, *m)
		}
		if m.Monitor > mostMonitor {
			t.Errorf("core %d: the monitor has %d MiB", c.Core, m.Monitor>>20)
		}
		if m.Kernel != c.KernelPages*abi.PageSize || c.Dispatchers != 1 {
			t.Errorf("core %d: %d dispatchers are left, and the kernel has %d pages or %d bytes", c.Core, c.Dispatchers, c.KernelPages, m.Kernel)
		}
		if c.Mallocs != c.BootMallocs || c.Collections != c.BootCollections {
			t.Errorf("core %d: its kernel allocated %d times and collected %d times since it was ready",
				c.Core, c.Mallocs-c.BootMallocs, c.Collections-c.BootCollections)
		}
	}
}

// mostMonitor bounds what a monitor has, however much it has done.
const mostMonitor = 64 << 20
