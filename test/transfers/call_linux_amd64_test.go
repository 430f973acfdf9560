package transfers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"skerry/interface/echo"
	"skerry/lib/channel/ring"
	"skerry/lib/stub"
	"skerry/lib/urpc"
)

// A call through generated stubs, over a connection whose ends poll: a client's thread and
// a server's take turns of one instruction each. All that they execute counts, the Go
// runtime's as well, for there is nothing else in a call.

// callVariable is set in the environment of the child that calls.
const callVariable = "TRANSFERS_CALL"

// Where the child's threads are: the client's index, then the server's.
const (
	client = iota
	server
	parties
)

// calledTimes is how many calls are made: those that cost least are told.
const calledTimes = 4 * slots

// calledBefore is how many are made before any is counted: then neither end waits for long, nor has
// the runtime do anything for it, and what the two threads do is the same each time.
const calledBefore = slots

// pausing is how long a PAUSE takes: as long as so many instructions.
const pausing = 40

// callChild calls and serves for ever, each in a thread that is traced when it is ready.
func callChild() {
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(parties + 1)
	m, err := syscall.Mmap(-1, 0, page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	base := uintptr(unsafe.Pointer(&m[0]))
	end := func(side urpc.Side) *ring.Conn {
		c, err := ring.New(ring.Config{Base: base, Size: frameSize, Side: side, Polled: true})
		if err != nil {
			panic(err)
		}
		return c
	}
	ready := func(party int) {
		fmt.Printf("%d %d %#x\n", party, syscall.Gettid(), base)
		pin()
		var told [1]byte
		syscall.RawSyscall(syscall.SYS_READ, 0, uintptr(unsafe.Pointer(&told)), 1)
	}
	ctx := context.Background()
	go func() {
		runtime.LockOSThread()
		panic(echo.Serve(ctx, end(urpc.B), &parrot{ready: func() { ready(server) }}, stub.Inline))
	}()
	runtime.LockOSThread()
	calls := echo.NewClient(end(urpc.A))
	for i := uint64(0); ; i++ {
		if i == calledBefore {
			calls.Note(ctx, 0)
			ready(client)
		}
		if w, err := calls.Word(ctx, i); err != nil || w != i {
			panic(fmt.Sprint("call ", i, ": ", w, " ", err))
		}
	}
}

// parrot gives back what it gets. A note has it get ready to be traced.
type parrot struct {
	echo.Echo
	ready func()
}

func (*parrot) Word(_ context.Context, word uint64) (uint64, error) { return word, nil }

func (p *parrot) Note(context.Context, uint64) error {
	p.ready()
	return nil
}

// party is what is known of one of the two threads.
type party struct {
	phase phase
	spent spending         // in this phase
	least [phases]spending // the call that took the fewest instructions
}

// phase is what a party does.
type phase int

const (
	polls   phase = iota
	answers       // from seeing the peer's message to publishing its own
	settles       // from there to its first look for the next
	phases
)

// spending is what was executed: of which function each instruction is.
type spending struct {
	functions []*function
	fences    int // instructions that are full ones
	entered   int // how many instructions there were when the last function began
	makesWay  bool
}

// add counts an instruction. What the runtime does to have a goroutine make way, which
// then begins its function again, does not count: see counter.
func (s *spending) add(step *Step) {
	f, entry := functionAt(step.Address)
	switch {
	case f.makesWay:
		s.makesWay = true
	case entry && s.makesWay:
		s.functions, s.makesWay = s.functions[:min(s.entered, len(s.functions))], false
	case entry:
		s.entered = len(s.functions)
	}
	if s.makesWay {
		return
	}
	s.functions = append(s.functions, f)
	if step.Fence {
		s.fences++
	}
}

// enter ends a phase and begins another.
func (p *party) enter(next phase) {
	if s := &p.least[p.phase]; s.functions == nil || len(p.spent.functions) < len(s.functions) {
		*s = p.spent
	}
	p.phase, p.spent = next, spending{}
}

// function is one whose instructions are counted, or one that was inlined.
type function struct {
	name     string
	makesWay bool
}

var functions = map[uint64]*function{}

// functionAt returns the function of an instruction, and whether it is the first of it.
func functionAt(address uint64) (f *function, entry bool) {
	f, ok := functions[address]
	whole := runtime.FuncForPC(uintptr(address))
	if !ok {
		frame, _ := runtime.CallersFrames([]uintptr{uintptr(address) + 1}).Next()
		f = &function{frame.Function, strings.HasPrefix(frame.Function, "runtime.morestack")}
		functions[address] = f
	}
	return f, whole != nil && uint64(whole.Entry()) == address && strings.Contains(f.name, "/")
}

// playCall counts what the two parties of a call execute.
func playCall(t *testing.T) (p [parties]party) {
	t.Helper()
	in, said := startChild(t, callVariable, "1")
	var threads [parties]int
	var base uint64
	for range parties {
		var who, thread int
		if _, err := fmt.Fscanf(said, "%d %d %v\n", &who, &thread, &base); err != nil {
			t.Fatalf("the child says nothing: %v", err)
		}
		threads[who] = thread
	}
	published, paused := 0, [parties]bool{}
	fresh := map[uint64]int{} // who is to see a header, by its address
	release := func() error { _, err := in.Write(make([]byte, parties)); return err }
	err := Interleave(threads[:], release, func(who int, s *Step) (int, bool) {
		if paused[who] = s.Pause && !paused[who]; paused[who] {
			return pausing, true
		}
		me := &p[who]
		next := me.phase
		for _, a := range s.Accesses {
			if a.Address < base+urpc.Rings || a.Address >= base+frameSize || a.Address%urpc.SlotSize != urpc.PayloadSize {
				continue
			}
			reader, unseen := fresh[a.Address]
			switch {
			case a.Write:
				next = settles
				fresh[a.Address] = 1 - who
				published++
			case unseen && reader == who:
				next = answers
				delete(fresh, a.Address)
			case me.phase == settles:
				next = polls
			}
		}
		me.spent.add(s)
		if next != me.phase {
			me.enter(next)
		}
		return 0, published < parties*calledTimes
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// In which of its looks a party finds the other's message depends on which of the two
// threads begins first, and is then the same for all calls. So the counts may be so much
// above those kept.
var callSlack = map[phase]struct{ instructions, fences float64 }{
	answers: {30, 1},
	settles: {60, 1},
}

// callRows gives what a call costs to row, and logs of what that consists.
func callRows(t *testing.T, row func(name string, value, slack float64)) {
	t.Helper()
	p := playCall(t)
	for who, name := range []string{"client", "server"} {
		for phase, verb := range map[phase]string{answers: "answers", settles: "settles"} {
			s := &p[who].least[phase]
			row("call_"+name+"_"+verb+"_instructions", float64(len(s.functions)), callSlack[phase].instructions)
			row("call_"+name+"_"+verb+"_fences", float64(s.fences), callSlack[phase].fences)
			count := map[string]int{}
			for _, f := range s.functions {
				count[f.name]++
			}
			for _, n := range slices.SortedFunc(maps.Keys(count), func(a, b string) int {
				return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
			}) {
				t.Logf("%s %s: %4d %s", name, verb, count[n], n)
			}
		}
	}
}
