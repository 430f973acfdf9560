package control_test

import (
	"strings"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/link"
	"skerry/lib/manifest"
	"skerry/lib/supply"
	"skerry/service/monitor/agenttest"
	"skerry/service/monitor/wire"
)

// greedy takes all memory that it is given, up to what State says.
func greedy(d *agenttest.Domain) {
	asked, _ := d.State.(uint32)
	if int(asked) == len(d.Given) && asked < capability.MemorySlots-1 && (asked == 0 || d.Given[asked-1].Error == 0) {
		d.Ask(asked+1, 64<<20)
		d.State = asked + 1
	}
}

// got returns how much memory a program was given.
func got(d *agenttest.Domain) (bytes uint64) {
	for _, p := range d.Given {
		bytes += p.Size
	}
	return bytes
}

// TestBorrow: a program with a quota beyond its core's memory gets another core's,
// but for what that keeps; the accounts say so; and at its end all is given back.
func TestBorrow(t *testing.T) {
	rich := on(1, "greedy")
	rich.Quota = 1 << 40
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{rich}, Link: true, Prompt: true},
		map[string]func(*agenttest.Domain){"greedy": greedy})
	x.run()
	d := x.kernels[1].Running()[0]
	last := d.Given[len(d.Given)-1]
	if all := got(d) + 512<<10; all < agenttest.RAM+16<<20 || last.Error != 0 && last.Error != capability.ErrMemory {
		t.Errorf("%d bytes, then %v", all, last.Error)
	}
	x.command("memory")
	x.run()
	text := x.console.String()
	if !strings.Contains(text, "all of the machine's 264 MiB") || strings.Contains(text, "unaccounted") {
		t.Errorf("memory prints\n%s", text)
	}
	x.command("kill 2 @1")
	x.run()
	for core, a := range x.agents {
		if s := a.Memory(); s.Free != agenttest.RAM || s.Largest != agenttest.RAM || s.Borrowed != 0 {
			t.Errorf("core %d has %+v", core, s)
		}
	}
}

// TestLostLoans: the loss of a core that lent or borrowed leaves the others with
// what they have, and no question without an answer.
func TestLostLoans(t *testing.T) {
	rich := on(0, "greedy")
	rich.Quota = 1 << 40
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{rich}, Link: true, Prompt: true},
		map[string]func(*agenttest.Domain){"greedy": func(d *agenttest.Domain) {
			if got(d) < agenttest.RAM {
				greedy(d)
			}
		}})
	x.run()
	d := x.kernels[0].Running()[0]
	before := got(d)
	if before < agenttest.RAM-8<<20 {
		t.Fatalf("%d bytes", before)
	}
	x.silent[1] = true
	d.Ask(120, supply.Least)
	x.run()
	x.control.CoreDied(1, "its kernel has panicked")
	d.Ask(121, 64<<20)
	x.run()
	if n := len(d.Given); n < 2 || d.Given[n-1].Number != 121 {
		t.Errorf("a question of core 0 has no answer: %+v", d.Given)
	}
	x.command("kill 2 @0")
	x.run()
	if x.agents[0].Running() != 0 {
		t.Error("the program's end waits for the lost core")
	}
	if s := x.agents[0].Memory(); s.Borrowed != 0 || s.Free < before {
		t.Errorf("core 0 has %+v", s)
	}
}

// TestGrants: a program is given what the manifest says, and nothing else.
func TestGrants(t *testing.T) {
	log, both, rest := on(0, "wait"), on(0, "wait"), on(0, "wait")
	log.Capabilities = []string{manifest.Log}
	both.Capabilities = []string{manifest.Inspect, manifest.Log}
	rest.Capabilities = []string{manifest.Dispatch, manifest.Devices}
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{on(0, "wait"), log, both, rest}}, programs)
	x.run()
	for i, want := range []uint32{0, wire.GrantLog, wire.GrantLog | wire.GrantInspect, wire.GrantDispatch | wire.GrantDevices} {
		if got := x.kernels[0].Running()[i].Grants; got != want {
			t.Errorf("program %d was given %d, want %d", i, got, want)
		}
	}
}

// TestSummaryMemory: the host is told where all memory is, and can add it up.
func TestSummaryMemory(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{on(1, "quiet")}, Link: true, Summary: true, PowerOff: true}, programs)
	x.run()
	r := link.NewReader(&x.link)
	for {
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Kind != link.Info {
			continue
		}
		s, err := link.ParseSummary(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Cores) != 2 || s.Missing() != 0 || s.Cores[0].Memory.Missing() != 0 || s.Cores[1].Memory.Missing() != 0 {
			t.Errorf("%+v", s)
		}
		if m := s.Cores[1].Memory; m.Types["RAM"] != agenttest.RAM || m.Free != agenttest.RAM || m.Total != agenttest.RAM+4<<20 {
			t.Errorf("%+v", m)
		}
		if c := s.Cores[1]; c.FreePages != agenttest.RAM/abi.PageSize || c.DomainPages != 0 {
			t.Errorf("%+v", c)
		}
		m := s.Cores[1].Memory
		m.Types["RAM"] -= 5
		s.Cores[0].Memory.Shared += 7
		if m.Missing() != 5 || s.Missing() != -7 {
			t.Errorf("missing %d and %d", m.Missing(), s.Missing())
		}
		return
	}
}
