package machine

import (
	"strings"
	"testing"

	"skerry/abi"
	"skerry/test/boot"
)

// TestCoreRunsOutOfMemory lets programs without a quota of their own fight for
// all memory of both cores: they end for lack of it, one by one, while the
// kernels and monitors go on; and what they held is free again.
func TestCoreRunsOutOfMemory(t *testing.T) {
	m := &boot.Machine{Cores: 2, Memory: 320 * mib}
	for i := range 6 {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "crash"), Args: []string{"memory"}, Core: i % 2})
	}
	o := boot.Run(t, m)
	for i, p := range o.Outcomes {
		if s := &p.Status; !p.Ended || s.Kind != abi.ExitMemory {
			// A thread for which there is no memory ends Go's runtime itself.
			if s.Kind != abi.ExitCode || s.Code != 2 {
				t.Errorf("program %d: ended %v with %d, code %d", i, p.Ended, s.Kind, s.Code)
			}
		}
	}
	if strings.Contains(o.Console, "panic") {
		t.Error("a kernel panicked")
	}
	if o.Summary == nil {
		t.Fatal("no summary: ", o.Err)
	}
	for _, c := range o.Summary.Cores {
		if used := (c.TotalPages - c.FreePages) * abi.PageSize; used > 24*mib {
			t.Errorf("core %d holds %d MiB after all programs have ended", c.Core, used/mib)
		}
	}
}
