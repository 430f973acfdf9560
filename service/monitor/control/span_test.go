package control_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/lib/link"
	"skerry/lib/manifest"
	"skerry/lib/stdio"
	"skerry/service/monitor/agenttest"
)

// spanning returns a program on several cores, the first of which is its home.
func spanning(path string, cores ...int) manifest.Program {
	p := on(cores[0], path)
	p.Cores = cores[1:]
	return p
}

// dispatchersOf returns what runs of a program, by dispatcher.
func (x *machine) dispatchersOf(path string) (list []*agenttest.Domain) {
	for _, k := range x.kernels {
		for _, d := range k.Running() {
			if d.Name == path {
				list = append(list, d)
			}
		}
	}
	slices.SortFunc(list, func(a, b *agenttest.Domain) int { return int(a.Span.Index) - int(b.Span.Index) })
	return list
}

// expectSettled checks that nothing is left of any program, on all cores that are
// not lost.
func (x *machine) expectSettled() {
	x.t.Helper()
	for core, a := range x.agents {
		pieces, domains, _ := x.kernels[core].Left()
		s := a.Memory()
		if x.kernels[core].Lost {
			continue
		}
		if pieces != 0 || domains != 0 || a.Running() != 0 || x.kernels[core].Shared() != 0 || s.Free != s.Size || s.Borrowed != 0 {
			x.t.Errorf("core %d: %d pieces, %d domains, %d programs, shares %d, %+v left",
				core, pieces, domains, a.Running(), x.kernels[core].Shared(), s)
		}
	}
	if n := x.control.Parts(); n != 0 {
		x.t.Errorf("%d parts of programs are not gone", n)
	}
}

// TestSpan: a program on several cores runs on all of them, knows its doorbells,
// and leaves nothing.
func TestSpan(t *testing.T) {
	x := newMachineOf(t, 4, &manifest.Manifest{
		Programs: []manifest.Program{spanning("wait", 2, 0, 3), spanning("wait", 0, 1, 2, 3), on(1, "wait")}, Link: true, PowerOff: true,
	}, programs)
	x.run()
	if got := sorted(strings.Join(x.frames(), "\n")); got != "hello\nstarted 0@2\nstarted 1@0\nstarted 2@1" {
		t.Errorf("frames %q", got)
	}
	seen := make(map[uint32]int)
	for core, k := range x.kernels {
		for _, d := range k.Running() {
			if d.Span == nil {
				continue
			}
			seen[d.Span.Home]++
			if peers := d.Peers(); len(peers) != int(d.Span.Dispatchers) || peers[d.Span.Index]/abi.CoreDispatchers != uint32(core) {
				t.Errorf("dispatcher %d of core %d's program has peers %v on core %d", d.Span.Index, d.Span.Home, peers, core)
			}
		}
	}
	if seen[2] != 3 || seen[0] != 4 {
		t.Errorf("dispatchers by home: %v", seen)
	}
	for _, k := range x.kernels {
		for _, d := range k.Running() {
			if d.Span == nil || d.Span.Index == 0 {
				d.End(abi.Status{Kind: abi.ExitCode, Code: 5, CPU: 10})
			}
		}
	}
	x.run()
	if got := sorted(strings.Join(x.frames(), "\n")); got != "bye\nexit 0@2 kind 1 code 5\nexit 1@0 kind 1 code 5\nexit 2@1 kind 1 code 5" {
		t.Errorf("frames %q", got)
	}
	x.expectSettled()
}

// TestSatelliteEnds: the end of any dispatcher is the program's, and says on
// which core that was. What it ran and held on other cores counts.
func TestSatelliteEnds(t *testing.T) {
	x := newMachineOf(t, 4, &manifest.Manifest{Programs: []manifest.Program{spanning("wait", 1, 3, 0)}, Link: true}, programs)
	x.run()
	x.frames()
	list := x.dispatchersOf("wait")
	list[1].End(abi.Status{Kind: abi.ExitFault, FaultVector: 14, CPU: 70})
	x.run()
	r := link.NewReader(&x.link)
	f, err := r.Next()
	if err != nil || f.Kind != link.Exit {
		t.Fatalf("frame %+v, %v", f, err)
	}
	// 1000 ns each that was stopped, says agenttest.
	if s, err := link.ParseEnd(f.Payload); err != nil || s.Kind != abi.ExitFault || s.Core != 3 || s.FaultVector != 14 || s.CPU != 2070 || s.Peak != 3*512<<10 {
		t.Errorf("%+v, %v", s, err)
	}
	x.expectSettled()
}

// TestNotSpanned: why a program on several cores cannot be started is said, and
// nothing of it is left.
func TestNotSpanned(t *testing.T) {
	for _, test := range []struct {
		line, want string
		prepare    func(*machine)
	}{
		{"run wait @0,4", "run: there is no core 4: this machine runs 4 cores", nil},
		{"run wait @3,1-2", "wait was not started on core 3: spawn wait: core 2: it cannot be built",
			func(x *machine) { x.kernels[2].Programs = nil }},
		{"run wait @3,1-2", "wait was not started on core 3: spawn wait: it cannot be built",
			func(x *machine) { x.kernels[3].Programs = nil }},
		{"run wait @3,1-2", "wait was not started on core 3: spawn wait: core 2: there is no slot left",
			func(x *machine) { x.kernels[2].Full = true }},
		{"run wait @3,1-2", "wait was not started on core 3: spawn wait: there is no slot left",
			func(x *machine) { x.kernels[3].Full = true }},
		{"run wait @3,1-2", "run: core 1 is lost: gone", func(x *machine) { x.lose(1) }},
		{"run wait @3,1-2", "wait was not started on core 3: spawn wait: core 2: it is lost: gone",
			func(x *machine) { x.late = func() { x.lose(2) } }},
		{"run wait @3,1-2", "wait was not started on core 3: core 2 does not answer",
			func(x *machine) { x.silent[2] = true }},
		{"run wait @0,1-2", "wait was not started on core 0: core 1 does not answer",
			func(x *machine) { x.silent[1] = true }},
		{"run wait @3,1-2", "wait was not started on core 3: core 3 does not answer",
			func(x *machine) { x.silent[3] = true }},
	} {
		x := newMachineOf(t, 4, &manifest.Manifest{Prompt: true}, programs)
		x.run()
		if test.prepare != nil {
			test.prepare(x)
		}
		x.console.Reset()
		done := x.command(test.line)
		if x.late != nil {
			x.late()
			x.console.Reset()
		}
		x.run()
		if !*done {
			x.now = x.now.Add(time.Hour)
			x.run()
		}
		if got := x.console.String(); !*done || !strings.HasSuffix("\n"+got, "\n"+test.want+"\r\n") {
			t.Errorf("%s prints %q, want %q", test.line, got, test.want)
		}
		for core, k := range x.kernels {
			// Home waits for who is silent; the others do not.
			if _, domains, _ := k.Left(); domains != 0 && (core == 1 || core == 2 || !slices.Contains(x.silent, true)) {
				t.Errorf("after %s %d domains are on core %d", test.line, domains, core)
			}
		}
		clear(x.silent)
		x.run()
		x.expectSettled()
	}
}

// TestDividedQuota: of a program's quota each satellite gets a share, and home
// the rest; one that does not do for all is refused.
func TestDividedQuota(t *testing.T) {
	limited := func(quota uint64) manifest.Program {
		p := spanning("wait", 0, 1, 2, 3)
		p.Quota = quota
		return p
	}
	x := newMachineOf(t, 4, &manifest.Manifest{Programs: []manifest.Program{limited(2 << 20), limited(8 << 20), limited(64 << 20)}, Prompt: true}, programs)
	x.run()
	x.expectConsole("wait was not started on core 0: spawn wait: the domain's memory quota is used up\r\n")
	for core, want := range [][2]uint64{{5 << 20, 52 << 20}, {1 << 20, 4 << 20}, {1 << 20, 4 << 20}, {1 << 20, 4 << 20}} {
		list := x.kernels[core].Running()
		for i := range want {
			list[i].Ask(1, 1<<40)
			list[i].Ask(2, 1<<40)
		}
		x.run()
		for i, quota := range want {
			// Powers of two: the largest below what is left after the first piece.
			if got := list[i].Given[0].Size; got > quota || got*2+512<<10 <= quota-512<<10 {
				t.Errorf("core %d gives %d bytes of a quota of %d", core, got, quota)
			}
		}
	}
}

// random lets n random things happen.
func (x *machine) random(r *rand.Rand, n int) {
	for range n {
		core := r.IntN(len(x.kernels))
		switch r.IntN(3) {
		case 0:
			x.hear(core)
		case 1:
			if !x.silent[core] {
				x.tell(core)
			}
		case 2:
			x.work(core)
		}
	}
}

// TestEveryMoment: at every moment in the life of a program on several cores it
// can be killed, any of its dispatchers can end, and any core can be lost: the
// rest of the machine gets all its memory back.
func TestEveryMoment(t *testing.T) {
	for steps := range 120 {
		for what := range 8 {
			r := rand.New(rand.NewPCG(uint64(steps), uint64(what)))
			x := newMachineOf(t, 4, &manifest.Manifest{Prompt: true}, programs)
			x.run()
			for _, k := range x.kernels {
				k.Slow = r.IntN(3)
				k.Hesitant = r.IntN(2)
			}
			home := what % 2 * 3
			line := []string{"run wait @0,2,3,1 &", "run wait @3,1,0 &"}[what%2]
			x.command(line)
			x.random(r, steps)
			switch what / 2 {
			case 0:
				x.command(fmt.Sprintf("kill 2 @%d", home))
			case 1:
				if list := x.dispatchersOf("wait"); len(list) > 0 {
					list[r.IntN(len(list))].End(abi.Status{Kind: abi.ExitFault})
				}
			case 2:
				x.lose(1)
			case 3:
				x.lose(3)
			}
			x.random(r, r.IntN(60))
			x.finish()
			if t.Failed() {
				t.Fatalf("after %d steps of %s, event %d; console:\n%s", steps, line, what/2, x.console.String())
			}
		}
	}
}

// finish ends all programs that run, and checks that nothing is left.
func (x *machine) finish() {
	x.t.Helper()
	x.run()
	for range 3 {
		for core, k := range x.kernels {
			if k.Lost {
				continue
			}
			for _, d := range k.Running() {
				if d.Span == nil || d.Span.Index == 0 {
					x.command(fmt.Sprintf("kill %d @%d", d.Number, core))
				}
			}
		}
		x.run()
	}
	x.expectSettled()
}

// TestSpanChurn starts, ends and kills programs on several cores at random
// moments, with messages in any order that channels allow, and loses cores.
func TestSpanChurn(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 40
	}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		x := newMachineOf(t, 5, &manifest.Manifest{Prompt: true}, programs)
		x.run()
		for range 150 {
			x.random(r, r.IntN(40))
			var list []*agenttest.Domain
			for _, k := range x.kernels {
				list = append(list, k.Running()...)
			}
			switch n := r.IntN(20); {
			case n < 6:
				cores := r.Perm(len(x.kernels))[:1+r.IntN(4)]
				text := strings.ReplaceAll(strings.Trim(fmt.Sprint(cores), "[]"), " ", ",")
				x.command("run wait @" + text + " &")
			case n < 9 && len(list) > 0:
				d := list[r.IntN(len(list))]
				d.Write(stdio.Notice, "the end\n")
				d.Exit(abi.ExitCode, uint64(r.IntN(3)))
			case n < 12 && len(list) > 0:
				d := list[r.IntN(len(list))]
				for core := range x.kernels {
					x.command(fmt.Sprintf("kill %d @%d", d.Number, core))
				}
			case n < 15 && len(list) > 0:
				list[r.IntN(len(list))].Ask(uint32(1+r.IntN(4)), 1<<20)
			case n < 17 && len(list) > 0:
				list[r.IntN(len(list))].GiveBack(uint32(r.IntN(5)))
			case n < 19:
				k := x.kernels[r.IntN(len(x.kernels))]
				k.Slow, k.Hesitant = r.IntN(5), r.IntN(3)
			case r.IntN(40) == 0:
				x.lose(1 + r.IntN(len(x.kernels)-1))
			}
		}
		x.finish()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
