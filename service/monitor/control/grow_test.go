package control_test

import (
	"math/rand/v2"
	"testing"

	"skerry/abi"
	"skerry/lib/manifest"
	"skerry/service/monitor/agenttest"
)

// mostAsked is how many frames a program that grows asks for.
const mostAsked = 5

// grows asks for one frame after the other at home, and looks whether all its
// dispatchers have what it is given.
func grows(x **machine) map[string]func(*agenttest.Domain) {
	return map[string]func(*agenttest.Domain){"grow": func(d *agenttest.Domain) {
		asked, _ := d.State.(int)
		if d.Span.Index != 0 || len(d.Given) < asked {
			return
		}
		for _, p := range d.Given {
			for _, other := range (*x).dispatchersOf("grow") {
				if _, ok := other.Frames()[p.Number]; !ok && other.Span.Index != 0 && p.Error == 0 {
					(*x).t.Errorf("home is given piece %d, dispatcher %d is not", p.Number, other.Span.Index)
				}
			}
		}
		if asked < mostAsked {
			d.AskFrame(uint32(asked+1), 1<<20)
			d.State = asked + 1
		}
	}}
}

// newGrowing makes a machine with a replicated program that grows.
func newGrowing(t *testing.T, cores ...int) *machine {
	var x *machine
	p := spanning("grow", cores...)
	p.Replicated = true
	x = newMachineOf(t, 4, &manifest.Manifest{Programs: []manifest.Program{p}, Prompt: true}, grows(&x))
	return x
}

// TestGrow: all dispatchers of a replicated program have its frames, and nothing of
// these is left.
func TestGrow(t *testing.T) {
	x := newGrowing(t, 2, 0, 3)
	x.run()
	list := x.dispatchersOf("grow")
	if len(list) != 3 || len(list[0].Given) != mostAsked || len(list[1].Frames()) != mostAsked || len(list[2].Frames()) != mostAsked {
		t.Fatalf("%d dispatchers; console: %s", len(list), x.console.String())
	}
	for core, k := range x.kernels {
		if k.Shared() != 0 {
			t.Errorf("core %d's tables are shared", core)
		}
	}
	x.finish()
}

// TestGrowthEnds ends a program that grows at every moment, in every way.
func TestGrowthEnds(t *testing.T) {
	for steps := range 160 {
		for what := range 5 {
			r := rand.New(rand.NewPCG(uint64(steps), uint64(what)))
			x := newGrowing(t, []int{0, 3, 1}...)
			for _, k := range x.kernels {
				k.Slow = r.IntN(3)
				k.Hesitant = r.IntN(2)
			}
			x.random(r, steps)
			list := x.dispatchersOf("grow")
			switch what {
			case 0:
				x.command("kill 2 @0")
			case 1:
				if len(list) > 0 {
					list[r.IntN(len(list))].End(abi.Status{Kind: abi.ExitFault})
				}
			case 2:
				x.lose(1)
			case 3:
				x.lose(3)
			case 4:
				if len(list) > 0 {
					list[r.IntN(len(list))].Obstinate = true
				}
			}
			x.random(r, r.IntN(60))
			x.finish()
			if t.Failed() {
				t.Fatalf("after %d steps, event %d; console:\n%s", steps, what, x.console.String())
			}
		}
	}
}
