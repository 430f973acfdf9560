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

// TestSpanOutOfMemory has programs on several cores take all the memory that there
// is, of which much is lent by one core to the other, beside such that are killed
// or have a small quota: each ends for its own reason, and leaves nothing.
func TestSpanOutOfMemory(t *testing.T) {
	hog := []string{"memory"}
	o := boot.Run(t, &boot.Machine{Cores: 2, Memory: 200 * mib, Programs: []boot.Program{
		{Package: boot.Example(t, "crash"), Args: hog, Core: 1, Runs: 4},
		{Package: boot.Example(t, "crash"), Args: hog, Core: 0, Cores: []int{1}, Runs: 3},
		{Package: boot.Example(t, "spin"), Core: 0, Cores: []int{1}, Runs: 15, Kill: 300_000},
		{Package: boot.Example(t, "sort"), Core: 1, Cores: []int{0}, Quota: 4 * mib},
	}})
	for i, p := range o.Outcomes {
		noRoom := strings.Contains(p.Failed, "no memory left")
		killed := p.Failed == "" && p.Status.Kind == abi.ExitKilled
		ranOut := p.Failed == "" && p.Status.Kind == abi.ExitMemory
		if good := ranOut || noRoom || i == 2 && killed; !p.Ended || !good {
			t.Errorf("program %d: failed %q, ended with %+v", i, p.Failed, p.End)
		}
		if i == 3 && p.Peak > 4*mib {
			t.Errorf("of a quota of 4 MiB %d bytes were held", p.Peak)
		}
	}
	boot.Settled(t, o.Summary)
}
