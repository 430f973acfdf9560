package agent_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
	"skerry/lib/stdio"
	"skerry/lib/supply"
	"skerry/service/memory"
	"skerry/service/memory/loan"
	"skerry/service/monitor/agent"
	"skerry/service/monitor/agenttest"
	"skerry/service/monitor/wire"
)

// limited spawns a program with a quota.
func (b *bench) limited(t *testing.T, number uint32, path string, quota uint64) {
	t.Helper()
	info, err := (&native.Program{Path: path, Cwd: "/", Args: []string{path}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	b.Handle(&wire.Spawn{Program: number, Name: path, Info: info, Quota: quota})
}

// expectGiven checks what a program was given since the last time.
func expectGiven(t *testing.T, d *agenttest.Domain, want ...supply.Piece) {
	t.Helper()
	if fmt.Sprint(d.Given) != fmt.Sprint(want) {
		t.Errorf("given %v, want %v", d.Given, want)
	}
	d.Given = nil
}

var waits = map[string]func(*agenttest.Domain){"wait": func(*agenttest.Domain) {}}

// TestSupply: a program gets what it asks for up to its quota, and as much again
// when it has given back.
func TestSupply(t *testing.T) {
	const mib = 1 << 20
	b := newBench(waits)
	b.kernel.Slow = 3
	b.limited(t, 1, "wait", 4*mib)
	d := b.kernel.Running()[0]
	ask := func(number uint32, size uint64) {
		d.Ask(number, size)
		b.run(true)
	}
	ask(1, 2*mib)
	ask(2, 2*mib)
	expectGiven(t, d, supply.Piece{Number: 1, Size: 2 * mib}, supply.Piece{Number: 2, Size: mib})
	ask(3, supply.Least)
	ask(4, mib)
	ask(5, supply.Least)
	expectGiven(t, d, supply.Piece{Number: 3, Size: supply.Least}, supply.Piece{Number: 4, Size: mib / 4}, supply.Piece{Number: 5, Size: supply.Least})
	ask(6, supply.Least)
	ask(7, supply.Least)
	ask(8, supply.Least)
	expectGiven(t, d, supply.Piece{Number: 6, Size: supply.Least}, supply.Piece{Number: 7, Size: supply.Least}, supply.Piece{Number: 8, Error: capability.ErrQuota})
	// What is on its way back counts until it is gone; then there is room.
	d.GiveBack(1)
	d.Ask(1, 8*mib)
	b.run(true)
	expectGiven(t, d, supply.Piece{Number: 1, Size: 2 * mib})
	for _, wrong := range []supply.Piece{{Number: 0, Size: mib}, {Number: capability.MemorySlots, Size: mib}} {
		ask(wrong.Number, wrong.Size)
		expectGiven(t, d, supply.Piece{Number: wrong.Number, Error: capability.ErrArgument})
	}
	// Sizes that are none are rounded up.
	d.GiveBack(1)
	b.run(true)
	ask(8, mib+1)
	ask(1, 0)
	expectGiven(t, d, supply.Piece{Number: 8, Size: 2 * mib}, supply.Piece{Number: 1, Error: capability.ErrQuota})
	d.GiveBack(6)
	d.GiveBack(7)
	b.run(true)
	ask(1, 0)
	expectGiven(t, d, supply.Piece{Number: 1, Size: supply.Least})
	ask(5, supply.Least)
	expectGiven(t, d, supply.Piece{Number: 5, Error: capability.ErrInUse})
	for _, nothing := range []uint32{0, 6, 99, 1 << 31} {
		d.GiveBack(nothing)
	}
	b.run(true)
	d.Obstinate = true
	ask(6, supply.Least)
	expectGiven(t, d, supply.Piece{Number: 6, Error: capability.ErrOccupied})
	if m := b.memory(t); m.Given != 4*mib-supply.Least {
		t.Errorf("%d bytes given", m.Given)
	}
	d.Exit(abi.ExitMemory, uint64(capability.ErrQuota))
	b.run(true)
	if b.peak[1] != 4*mib || b.status[1].Code != uint64(capability.ErrQuota) {
		t.Errorf("held at most %d bytes, ended %+v", b.peak[1], b.status[1])
	}
	b.expectNothing(t)
}

// TestOutOfMemory: programs wait for memory that is on its way back, and for the
// answer of other cores; they are refused when there is none, and the monitor's
// reserve stays.
func TestOutOfMemory(t *testing.T) {
	b := newBench(waits)
	b.limited(t, 1, "wait", 1<<40)
	first := b.kernel.Running()[0]
	got := func() (sum uint64) {
		for _, p := range first.Given {
			sum += p.Size
		}
		return sum
	}
	for number := uint32(1); len(b.loans) == 0; number++ {
		if number == capability.MemorySlots {
			t.Fatal("no other core was asked")
		}
		first.Ask(number, 64<<20)
		b.run(true)
	}
	if m := b.memory(t); m.Free != 8<<20 || got()+512<<10 != agenttest.RAM-8<<20 {
		t.Errorf("%d bytes got, %d free", got(), m.Free)
	}
	if m := b.loans[0]; len(b.loans) != 1 || m.Kind != loan.Borrow || m.Size != 64<<20 || m.Free != 0 {
		t.Errorf("asked others: %+v", b.loans)
	}
	// Another program waits for the same answer.
	b.spawn(t, 2, "wait")
	b.run(true)
	if len(b.loans) != 1 || len(b.kernel.Running()) != 1 {
		t.Errorf("asked others: %+v", b.loans)
	}
	// The first gets all of what is lent; then others are asked for the second.
	first.Given = nil
	b.Handle(&wire.Loan{Message: loan.Message{Kind: loan.Lent, Loan: 5, Base: 64 << 30, Size: 2 << 20}})
	b.run(true)
	if len(b.kernel.Running()) != 1 || got() != 2<<20 || len(b.loans) != 2 {
		t.Errorf("%d programs, %d bytes, after 2 MiB were lent; %+v", len(b.kernel.Running()), got(), b.loans)
	}
	b.Handle(&wire.Loan{Message: loan.Message{Kind: loan.Lent, Loan: 6, Base: 65 << 30, Size: 2 << 20}})
	b.run(true)
	if len(b.kernel.Running()) != 2 || len(b.loans) != 2 {
		t.Errorf("%d programs after 2 MiB more; %+v", len(b.kernel.Running()), b.loans)
	}
	first.Ask(120, 2<<20)
	b.run(true)
	first.Ask(121, 2<<20)
	b.run(true)
	first.Ask(122, 2<<20)
	b.run(true)
	if len(b.loans) != 3 {
		t.Fatalf("messages to others: %+v", b.loans)
	}
	b.Handle(&wire.Loan{Message: loan.Message{Kind: loan.Refused}})
	b.run(true)
	if n := len(first.Given); n == 0 || first.Given[n-1] != (supply.Piece{Number: 122, Error: capability.ErrMemory}) {
		t.Errorf("given %+v", first.Given)
	}
	// A program may start when one that ends has given its memory back.
	b.kernel.Slow = 4
	first.Exit(abi.ExitCode, 0)
	b.kernel.Step()
	b.Notified()
	b.Poll(true)
	b.loans = nil
	b.spawn(t, 3, "wait")
	if len(b.loans) != 0 {
		t.Errorf("others are asked for what is on its way back: %+v", b.loans)
	}
	b.spawn(t, 4, "wait")
	b.Handle(&wire.Kill{Program: 4})
	b.run(true)
	b.Handle(&wire.Kill{Program: 2})
	b.Handle(&wire.Kill{Program: 3})
	b.run(true)
	returned := 0
	for _, m := range b.loans {
		if m.Kind == loan.Returned {
			returned++
		}
	}
	if returned != 2 {
		t.Errorf("the loans are not given back: %+v", b.loans)
	}
	b.expectNothing(t)
}

// TestAlone: without other cores a program that finds no memory hears so at once.
func TestAlone(t *testing.T) {
	b := newBench(waits)
	b.Alone()
	b.limited(t, 1, "wait", 1<<40)
	d := b.kernel.Running()[0]
	for number := uint32(1); number < 9; number++ {
		d.Ask(number, agenttest.RAM)
	}
	b.run(true)
	if n := len(d.Given); n != 8 || d.Given[7].Error != capability.ErrMemory || len(b.loans) != 0 {
		t.Errorf("given %+v, asked others %+v", d.Given, b.loans)
	}
}

func TestTooSmallQuota(t *testing.T) {
	b := newBench(waits)
	b.limited(t, 1, "wait", 300<<10)
	b.run(true)
	expectLog(t, b, "failed 1: spawn wait: the domain's memory quota is used up")
	b.expectNothing(t)
}

// TestTooMany: a core runs as many programs as it has slots for, and says so.
func TestTooMany(t *testing.T) {
	b := newBench(waits)
	kernel := b.kernel
	kernel.Slow = 1
	const most = 240 // what fits into its memory
	for number := range uint32(most + 5) {
		b.limited(t, number, "wait", 512<<10)
	}
	b.run(true)
	if n := len(kernel.Running()); n != most || b.Running() != most+5 {
		t.Errorf("%d programs run, %d wait", n, b.Running()-n)
	}
	b.Handle(&wire.Loan{Message: loan.Message{Kind: loan.Refused}})
	b.run(true)
	if n := len(kernel.Running()); n != most || b.Running() != most {
		t.Errorf("%d programs run, %d wait", n, b.Running()-n)
	}
	for number := range uint32(most) {
		b.Handle(&wire.Kill{Program: number})
	}
	b.run(true)
	b.expectNothing(t)
}

// TestSustain: the monitor tops itself up when it has little left, out of its
// reserve too.
func TestSustain(t *testing.T) {
	b := newBench(waits)
	b.Sustain()
	if b.kernel.Sustained != 0 {
		t.Errorf("%d bytes for a monitor that has enough", b.kernel.Sustained)
	}
	for n := uint64(1); n <= agenttest.RAM/(4<<20); n++ {
		b.kernel.Free = 1 << 20
		if b.Sustain(); b.kernel.Sustained != n*4<<20 {
			t.Fatalf("%d bytes after %d times", b.kernel.Sustained, n)
		}
	}
	b.kernel.Free = 0
	b.Sustain()
	if m := b.memory(t); m.Free != 0 || b.kernel.Sustained != agenttest.RAM || m.Monitor != agenttest.RAM {
		t.Errorf("%d bytes, %d free, %d of the monitor's", b.kernel.Sustained, m.Free, m.Monitor)
	}
}

// TestChurn starts, feeds and kills programs at random points for 10^5 times:
// nothing is left, numbers are not in use twice (the kernel would panic), and no
// more channels are made than programs run at a time.
func TestChurn(t *testing.T) {
	cycles := 100_000
	if testing.Short() {
		cycles = 5_000
	}
	r := rand.New(rand.NewPCG(3, 7))
	b := newBench(map[string]func(*agenttest.Domain){
		"busy": func(d *agenttest.Domain) {
			switch r.IntN(6) {
			case 0:
				d.Ask(uint32(r.IntN(140)), supply.Least<<r.IntN(6))
			case 1:
				d.GiveBack(uint32(r.IntN(140)))
			case 2:
				d.Write(stdio.Stdout, "text")
			case 3:
				d.Exit(abi.ExitCode, 0)
			}
		},
	})
	next := uint32(0)
	spawned := 0
	most := 0
	for spawned < cycles {
		switch r.IntN(4) {
		case 0, 1:
			if b.Running() < 10 {
				b.kernel.Slow = r.IntN(6)
				next++
				spawned++
				b.limited(t, next, "busy", uint64(1+r.IntN(8))<<20)
				most = max(most, b.Running())
			}
		case 2:
			if next > 0 {
				b.Handle(&wire.Kill{Program: next - uint32(r.IntN(10))})
			}
		case 3:
			b.kernel.Step()
		}
		if b.kernel.Notified() {
			b.Notified()
		}
		b.Poll(r.IntN(8) > 0)
		b.log, b.loans = b.log[:0], b.loans[:0]
		clear(b.status)
		clear(b.peak)
		clear(b.text)
		clear(b.window)
	}
	for number := next; number > 0 && number+20 > next; number-- {
		b.Handle(&wire.Kill{Program: number})
	}
	b.run(true)
	b.expectNothing(t)
	if _, _, channels := b.kernel.Left(); channels > most {
		t.Errorf("%d channels for %d programs at a time", channels, most)
	}
}

// TestRings: a program that sleeps is rung for memory and for input, one that
// polls is not; and the agent does not sleep over what a program asks.
func TestRings(t *testing.T) {
	b := newBench(waits)
	b.spawn(t, 1, "wait")
	b.run(true)
	d := b.kernel.Running()[0]
	d.Ask(1, supply.Least)
	if b.Announce(true) {
		t.Error("the agent sleeps over a question")
	}
	b.Withdraw()
	b.run(true)
	if n := b.kernel.Rung[d.Number]; n != 0 {
		t.Errorf("a program that polls was rung %d times", n)
	}
	d.Ask(2, supply.Least)
	d.Sleep()
	b.Poll(true)
	if n := b.kernel.Rung[d.Number]; n != 1 {
		t.Errorf("a program that waits for memory was rung %d times", n)
	}
	b.run(true)
	if !b.Announce(true) {
		t.Error("the agent does not sleep")
	}
	b.Withdraw()
	d.Sleep()
	b.Handle(&wire.Stdin{Program: 1, Data: []byte("x")})
	b.Poll(true)
	if n := b.kernel.Rung[d.Number]; n != 2 {
		t.Errorf("a program that waits for input was rung %d times", n)
	}
}

// TestReclaim: RAM that nobody had any more comes into the pool.
func TestReclaim(t *testing.T) {
	b := newBench(waits)
	b.kernel.Orphans = []memory.Root{{Reference: 7, Base: 1 << 40, Size: 1 << 20}, {Reference: 8, Base: 2 << 40, Size: 1 << 20}}
	b.Notified()
	b.run(true)
	if s := b.Memory(); s.Size != agenttest.RAM+2<<20 || s.Free != s.Size {
		t.Errorf("%+v", s)
	}
}

var _ agent.Kernel = (*agenttest.Kernel)(nil)
