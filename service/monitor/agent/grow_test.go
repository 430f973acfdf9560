package agent_test

import (
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
	"skerry/lib/supply"
	"skerry/service/monitor/wire"
)

func replicatedInfo(t *testing.T, path string) []byte {
	t.Helper()
	info, err := (&native.Program{Path: path, Cwd: "/", Args: []string{path}, Replicated: true}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestFrames: a replicated program is given a frame when all its dispatchers have it,
// and cannot give it back; what is said twice, or of what is not, does no harm.
func TestFrames(t *testing.T) {
	b := newBench(waits)
	b.Handle(&wire.Spawn{Program: 1, Name: "wait", Info: replicatedInfo(t, "wait"), Cores: []uint32{1, 2}})
	b.run(true)
	b.Handle(&wire.Extended{Part: part(1, 1), Doorbell: 520})
	b.Handle(&wire.Extended{Part: part(1, 2), Doorbell: 1030})
	b.run(true)
	b.log = nil
	if n := b.kernel.Shared(); n != 0 {
		t.Errorf("%d domains share tables", n)
	}
	d := b.kernel.Running()[0]
	d.AskFrame(4, 1<<20)
	b.run(true)
	expectLog(t, b, "grow 1 core 1 piece 4 of 1048576", "grow 1 core 2 piece 4 of 1048576")
	grown := func(core, number uint32) {
		b.Handle(&wire.Grown{Part: part(1, core), Number: number})
		b.run(true)
	}
	grown(1, 5)
	grown(1, 4)
	grown(1, 4)
	grown(3, 4)
	b.Handle(&wire.Grown{Part: part(2, 2), Number: 4})
	b.run(true)
	expectGiven(t, d)
	grown(2, 4)
	expectGiven(t, d, supply.Piece{Number: 4, Size: 1 << 20})
	grown(2, 4)
	d.GiveBack(4)
	d.Ask(5, supply.Least)
	b.run(true)
	expectGiven(t, d, supply.Piece{Number: 5, Size: supply.Least})
	d.AskFrame(4, 1<<20)
	b.run(true)
	expectGiven(t, d, supply.Piece{Number: 4, Error: capability.ErrInUse})
	b.log = nil
	d.AskFrame(6, 1<<20) // and is killed while it waits
	b.run(true)
	b.Handle(&wire.Kill{Program: 1})
	b.Handle(shrunk(1, 2))
	b.Handle(shrunk(1, 1))
	b.run(true)
	expectLog(t, b, "grow 1 core 1 piece 6 of 1048576", "grow 1 core 2 piece 6 of 1048576",
		"shrink 1 core 1", "shrink 1 core 2", "exit 1 kind 4 code 0")
	b.expectNothing(t)
}

// TestNoFrames: only the home of a replicated program is given frames.
func TestNoFrames(t *testing.T) {
	b := newBench(waits)
	b.spawn(t, 1, "wait")
	b.run(true)
	d := b.kernel.Running()[0]
	d.AskFrame(1, 1<<20)
	b.run(true)
	if len(d.Given) != 1 || d.Given[0].Error == 0 {
		t.Errorf("given %v", d.Given)
	}
}

// TestGrown: a dispatcher of another core's program gets its frames, and is ended if it
// cannot.
func TestGrown(t *testing.T) {
	to := wire.Part{Program: 1, Home: 5, Core: self}
	for why, grow := range map[capability.Error]wire.Grow{
		capability.ErrOccupied: {Part: to, Number: 8, Base: 1 << 30, Size: 1 << 20},
		capability.ErrArgument: {Part: to, Number: capability.MemorySlots, Base: 1 << 30, Size: 1 << 20},
	} {
		b := newBench(waits)
		b.Handle(&wire.Extend{Part: to, Domain: 9, Index: 1, Dispatchers: 2, Name: "wait", Info: replicatedInfo(t, "wait")})
		b.run(true)
		b.Handle(&wire.Peers{Part: to, Doorbells: []uint32{2562, self*abi.CoreDispatchers + 2}})
		b.run(true)
		b.log = nil
		d := b.kernel.Running()[0]
		b.Handle(&wire.Grow{Part: wire.Part{Program: 1, Home: 6, Core: self}, Number: 7, Base: 1 << 30, Size: 1 << 20})
		b.Handle(&wire.Grow{Part: to, Number: 7, Base: 1 << 30, Size: 1 << 20})
		b.run(true)
		expectLog(t, b, "grown 1 piece 7")
		if len(d.Frames()) != 1 || d.Frames()[7] != 1<<30 {
			t.Errorf("it has %v", d.Frames())
		}
		d.Obstinate = true
		b.Handle(&grow)
		b.run(true)
		expectLog(t, b, "shrunk 1 kind 0 "+why.Error())
		b.expectNothing(t)
	}
}
