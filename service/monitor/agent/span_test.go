package agent_test

import (
	"fmt"
	"testing"

	"skerry/abi"
	"skerry/lib/native"
	"skerry/lib/supply"
	"skerry/service/monitor/agenttest"
	"skerry/service/monitor/wire"
)

// self is the core of a bench.
const self = 3

func infoOf(t *testing.T, path string) []byte {
	t.Helper()
	info, err := (&native.Program{Path: path, Cwd: "/", Args: []string{path}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// spanned spawns a program that is at home here and has a dispatcher on cores 1
// and 2.
func (b *bench) spanned(t *testing.T, number uint32) {
	t.Helper()
	b.Handle(&wire.Spawn{Program: number, Name: "wait", Info: infoOf(t, "wait"), Cores: []uint32{1, 2}})
	b.run(true)
}

func part(program, core uint32) wire.Part { return wire.Part{Program: program, Home: self, Core: core} }

func shrunk(program, core uint32) *wire.Shrunk {
	return &wire.Shrunk{Part: part(program, core), Status: abi.Status{Kind: abi.ExitKilled}}
}

// TestHome: a program runs when all its dispatchers are there, and its memory is
// the core's again when all are gone; what is said twice, or of what is not, does
// no harm.
func TestHome(t *testing.T) {
	b := newBench(waits)
	b.spanned(t, 1)
	expectLog(t, b, "extend 1 core 1 index 1", "extend 1 core 2 index 2")
	if n := b.kernel.Shared(); n != 2 {
		t.Errorf("%d domains shared", n)
	}
	b.Handle(&wire.Extended{Part: part(1, 2), Doorbell: 1030})
	b.Handle(&wire.Extended{Part: part(1, 2), Doorbell: 1031})
	b.Handle(&wire.Extended{Part: part(1, 4), Doorbell: 1})
	b.Handle(&wire.Extended{Part: part(2, 1), Doorbell: 1})
	b.Handle(&wire.Shrunk{Part: part(1, 4)})
	b.Handle(&wire.Shrunk{Part: part(2, 1)})
	b.run(true)
	expectLog(t, b)
	b.Handle(&wire.Extended{Part: part(1, 1), Doorbell: 520})
	b.run(true)
	doorbells := fmt.Sprint([]uint32{self*abi.CoreDispatchers + 2, 520, 1030})
	expectLog(t, b, "peers 1 core 1 "+doorbells, "peers 1 core 2 "+doorbells, "started 1 as 2")
	if d := b.kernel.Running()[0]; fmt.Sprint(d.Peers()) != doorbells {
		t.Errorf("home has doorbells %v", d.Peers())
	}
	b.kernel.Running()[0].End(abi.Status{Kind: abi.ExitCode, Code: 7})
	b.run(true)
	expectLog(t, b, "shrink 1 core 1", "shrink 1 core 2")
	if pieces, _, _ := b.kernel.Left(); pieces == 0 {
		t.Error("its memory is taken while its dispatchers use it")
	}
	b.Handle(shrunk(1, 2))
	b.Handle(shrunk(1, 2))
	b.Handle(&wire.Kill{Program: 1})
	b.Handle(&wire.Extended{Part: part(1, 1), Doorbell: 520})
	b.run(true)
	expectLog(t, b)
	if n := b.kernel.Shared(); n != 1 {
		t.Errorf("%d domains shared", n)
	}
	b.Handle(shrunk(1, 1))
	b.run(true)
	expectLog(t, b, "exit 1 kind 1 code 7")
	b.expectNothing(t)
	if n := b.kernel.Shared(); n != 0 {
		t.Errorf("%d domains shared", n)
	}
}

// TestHomeFails: a dispatcher that cannot be made, or is lost, is why the program
// is not started, once the others are gone.
func TestHomeFails(t *testing.T) {
	for want, m := range map[string]*wire.Shrunk{
		"failed 1: spawn wait: core 2: no room":    {Part: part(1, 2), Reason: "no room"},
		"failed 1: spawn wait: core 2: it is lost": {Part: part(1, 2)},
	} {
		b := newBench(waits)
		b.spanned(t, 1)
		b.Handle(m)
		b.run(true)
		expectLog(t, b, "extend 1 core 1 index 1", "extend 1 core 2 index 2", "shrink 1 core 1")
		b.Handle(shrunk(1, 1))
		b.run(true)
		expectLog(t, b, want)
		b.expectNothing(t)
	}
}

// TestSatellite: a dispatcher of another core's program runs when it knows the
// others, and says so when it is gone, however it ended.
func TestSatellite(t *testing.T) {
	for want, end := range map[string]func(b *bench, d *agenttest.Domain){
		"shrunk 1 kind 4 ": func(b *bench, d *agenttest.Domain) {
			b.Handle(&wire.Shrink{Part: wire.Part{Program: 1, Home: 5, Core: self}})
		},
		"shrunk 1 kind 3 ": func(b *bench, d *agenttest.Domain) { d.End(abi.Status{Kind: abi.ExitFault}) },
	} {
		b := newBench(waits)
		b.kernel.Slow = 2
		to := wire.Part{Program: 1, Home: 5, Core: self}
		extend := &wire.Extend{Part: to, Domain: 9, Index: 1, Dispatchers: 2, Quota: 1 << 20, Name: "wait", Info: infoOf(t, "wait")}
		b.Handle(extend)
		b.Handle(extend)
		b.run(true)
		expectLog(t, b, "extended 1 doorbell 1538", "shrunk 1 kind 0 program number 1 is taken")
		b.Handle(&wire.Peers{Part: wire.Part{Program: 1, Home: 6, Core: self}, Doorbells: []uint32{1}})
		b.Handle(&wire.Kill{Program: 7})
		if n := len(b.kernel.Running()); n != 0 {
			t.Fatalf("%d dispatchers run", n)
		}
		b.Handle(&wire.Peers{Part: to, Doorbells: []uint32{2562, 1538}})
		b.run(true)
		d := b.kernel.Running()[0]
		d.Ask(1, 1<<20)
		b.run(true)
		expectGiven(t, d, supply.Piece{Number: 1, Size: 512 << 10})
		b.Handle(&wire.QueryDomains{Request: 9})
		if m := b.answer.(*wire.DomainsAnswer).Domains[0]; m.Home != 5 || m.HomeDomain != 9 || m.Index != 1 || m.Dispatchers != 2 {
			t.Errorf("%+v", m)
		}
		end(b, d)
		b.run(true)
		expectLog(t, b, want)
		b.Handle(&wire.Shrink{Part: to})
		b.run(true)
		expectLog(t, b)
		b.expectNothing(t)
	}
}

// TestScheduledEverywhere: how a program is to be scheduled goes for each of its
// dispatchers, and where one of them is refused the program is not started.
func TestScheduledEverywhere(t *testing.T) {
	share := wire.Share{Weight: 300, Period: 10e6, Budget: 2e6, Deadline: 5e6}
	b := newBench(waits)
	b.Handle(&wire.Spawn{Program: 1, Name: "wait", Info: infoOf(t, "wait"), Share: share, Cores: []uint32{1}})
	b.run(true)
	expectLog(t, b, "extend 1 core 1 index 1")
	if b.extend.Share != share {
		t.Errorf("core 1 is asked for %+v", b.extend.Share)
	}
	b.kernel.Unreserved = 390_000
	b.Handle(&wire.Extend{Part: wire.Part{Program: 2, Home: 5, Core: self}, Index: 1, Dispatchers: 2, Info: infoOf(t, "wait"), Name: "wait", Share: share})
	b.run(true)
	expectLog(t, b, "shrunk 2 kind 0 more processor time than is left of the core: 39.0 % can be reserved for it")
	b.kernel.Unreserved = 400_000
	b.Handle(&wire.Extend{Part: wire.Part{Program: 3, Home: 5, Core: self}, Index: 1, Dispatchers: 2, Info: infoOf(t, "wait"), Name: "wait", Share: share})
	b.run(true)
	if b.kernel.Unreserved != 0 {
		t.Errorf("%d millionths are left", b.kernel.Unreserved)
	}
}

// TestNotYet: memory that other cores may still know is waited for.
func TestNotYet(t *testing.T) {
	b := newBench(waits)
	b.kernel.Hesitant = 3
	b.spawn(t, 1, "wait")
	b.run(true)
	expectLog(t, b, "started 1 as 2")
	d := b.kernel.Running()[0]
	b.kernel.Hesitant = 3
	d.Ask(1, supply.Least)
	b.run(true)
	expectGiven(t, d, supply.Piece{Number: 1, Size: supply.Least})
}

// TestSlots: the slots of dispatchers that are gone are used again.
func TestSlots(t *testing.T) {
	b := newBench(waits)
	for number := uint32(1); number < 1000; number++ {
		b.log = nil
		b.Handle(&wire.Extend{Part: wire.Part{Program: number, Home: 5, Core: self}, Index: 1, Dispatchers: 2, Info: infoOf(t, "wait"), Name: "wait"})
		b.Handle(&wire.Shrink{Part: wire.Part{Program: number, Home: 5, Core: self}})
		b.run(true)
		if len(b.log) != 2 {
			t.Fatalf("%d: %q", number, b.log)
		}
	}
	b.expectNothing(t)
}
