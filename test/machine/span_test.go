package machine

import (
	"fmt"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/host/exitcode"
	"skerry/test/boot"
)

// TestSpanLosesCore ends the kernel of a core at several moments while programs
// that have a dispatcher there are started and killed again and again, at home
// there or elsewhere. The others get back all that these had of them.
func TestSpanLosesCore(t *testing.T) {
	for _, events := range []int{400, 1200, 2500} {
		t.Run(fmt.Sprint(events), func(t *testing.T) {
			m := &boot.Machine{Cores: 4, Options: fmt.Sprintf("panic=2:%d", events), Memory: 768 * mib}
			for i, cores := range [][]int{{0, 2}, {2, 1, 3}, {3, 2, 0, 1}, {1, 3}} {
				m.Programs = append(m.Programs, boot.Program{
					Package: boot.Example(t, "spin"), Core: cores[0], Cores: cores[1:], Runs: 12, Kill: 50_000 << i,
				})
			}
			o := boot.Run(t, m)
			if code := exitcode.Of(o.Err); code != exitcode.Panic || !strings.Contains(o.Console, "core 2 is lost") {
				t.Fatalf("exit code %d: %v", code, o.Err)
			}
			if p := o.Outcomes[3]; !p.Ended || p.Status.Kind != abi.ExitKilled {
				t.Errorf("a program that has nothing to do with the core ended with %+v", p)
			}
			for i, p := range o.Outcomes[:3] {
				lost := p.Ended && p.Status.Kind == abi.ExitNone && p.Core == 2
				if p.Failed != "" {
					lost = strings.Contains(p.Failed, "core 2") && strings.Contains(p.Failed, "is lost")
				}
				if !lost {
					t.Errorf("program %d: failed %q, ended with %+v", i, p.Failed, p.End)
				}
			}
			if o.Summary == nil || len(o.Summary.Cores) != 3 {
				t.Fatalf("summed up: %+v", o.Summary)
			}
			for _, c := range o.Summary.Cores {
				if m := &c.Memory; m.Missing() != 0 || m.Given != 0 || c.Dispatchers != 1 {
					t.Errorf("core %d: %d bytes in no place, %d with programs, %d dispatchers", c.Core, m.Missing(), m.Given, c.Dispatchers)
				}
			}
		})
	}
}
