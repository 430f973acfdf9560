// Package agent is what a monitor does for its own core: it starts, feeds,
// drains and ends the core's programs, gives them memory, binds them to each other
// and to those of other cores, and answers questions about the core. It does so for whoever coordinates the machine, in messages of
// package wire, and does not know whether that is in the same monitor or in
// another's.
//
// Only the monitor imports it. It is a state machine with the kernel below it
// (Kernel): it has no goroutine and no clock, and must never block.
package agent

import (
	"cmp"
	"slices"

	"skerry/lib/session"
	"skerry/protocol/binding"
	"skerry/protocol/names"
	"skerry/protocol/transfer"
	"skerry/service/memory"
	"skerry/service/memory/loan"
	"skerry/service/monitor/wire"
)

const (
	// inputWindow is how much input of a program is on its way or buffered
	// here at most, in bytes.
	inputWindow = 32 << 10
	// outputChunk is the most output that one message carries, in bytes, and
	// that one program may hand in before the next one's turn.
	outputChunk = 4096
	// maxDomains is the most domains that one answer lists.
	maxDomains = 256
	// reserve is how much of the core's RAM is kept for the monitor, in bytes.
	reserve = 8 << 20
)

// Agent looks after one core's programs.
type Agent struct {
	// Counts returns how many messages the core's monitor has sent to others
	// and received from them; nil stands for none.
	Counts func() (sent, received uint64)

	self   uint32 // the core
	kernel Kernel
	emit   func(wire.Message)
	// inbox is what other cores have said about programs, and nobody has looked
	// at: it may come while that is being done which it answers.
	inbox  []wire.Message
	shared map[uint32]uint32 // programs with a dispatcher on another core, by core

	pool  *memory.Pool
	loans *loan.Core
	given uint64 // bytes that programs have
	kept  uint64 // bytes that the monitor took for itself
	dying []dying

	byProgram map[uint32]*child
	children  []*child // by program number
	numbers   numbers  // of domains
	mounts    numbers
	frames    []Channels // in no use

	slabs       []*slab
	dyingFrames []Frame
	distances   []byte
	away        map[uint32]bool // cores that are lost or cut
	names       *names.Agent
	bindings    *binding.Core[wire.Details]
	transfers   *transfer.Core
	asked       map[uint32]*request // for other cores
	ends        map[binding.End]*end
	imports     map[uint64]*imported // by address
	expulsions  []expulsion
	pins        map[transfer.Object][]pin
	doubtful    []transfer.Object // imports of which nothing may be left
	giving      map[uint32]*giving
	withdrawals map[uint32]func(session.Error)
	later       []func() // to be called when no protocol is at work
	// The last numbers given to what is asked, and to an end.
	lastAsked, lastEnd uint32
	roomy              bool // exchanges are to be looked at: there may be room

	owed     *child // rung, and not given the core yet
	output   []byte // one message's worth, reused
	notified bool
	freed    bool // the loans are to be looked at: memory may be free
	changed  bool // something that Poll has not seen
}

// New returns an agent of a core whose RAM is in the pool. It hands its messages
// to emit, whose argument is valid until emit returns.
func New(core uint32, kernel Kernel, pool *memory.Pool, emit func(wire.Message)) *Agent {
	a := &Agent{
		self:      core,
		kernel:    kernel,
		emit:      emit,
		shared:    make(map[uint32]uint32),
		pool:      pool,
		byProgram: make(map[uint32]*child),
		numbers:   numbers{first: firstDomain, end: 1<<32 - 1},
		mounts:    numbers{first: firstMount, end: firstMount + maxMounts},
		output:    make([]byte, 0, outputChunk),

		away:        make(map[uint32]bool),
		asked:       make(map[uint32]*request),
		ends:        make(map[binding.End]*end),
		imports:     make(map[uint64]*imported),
		pins:        make(map[transfer.Object][]pin),
		giving:      make(map[uint32]*giving),
		withdrawals: make(map[uint32]func(session.Error)),
	}
	a.meet()
	a.loans = loan.NewCore(pool, kernel, func(m loan.Message) { emit(&wire.Loan{Message: m}) }, a.borrowed)
	a.loans.Reserve = 2 * reserve
	return a
}

// Ready says that the agent is there, and how far from the core the memory of
// each core is.
func (a *Agent) Ready(distances []byte) {
	a.distances = slices.Clone(distances)
	a.emit(&wire.Ready{Spare: a.pool.Spare(a.loans.Reserve), Distances: distances})
}

// Handle does what a message to the core asks for.
func (a *Agent) Handle(m wire.Message) {
	switch m := m.(type) {
	case *wire.Spawn:
		a.spawn(m)
	case *wire.Kill:
		if c := a.byProgram[m.Program]; c != nil {
			a.kill(c)
		}
	case *wire.Stdin:
		if c := a.byProgram[m.Program]; c != nil && len(m.Data) <= int(c.granted) && !c.eof {
			c.granted -= uint32(len(m.Data))
			c.input = append(c.input, m.Data...)
		}
	case *wire.StdinEOF:
		if c := a.byProgram[m.Program]; c != nil {
			c.eof = true
		}
	case *wire.Extend:
		a.join(m)
	case *wire.Peers:
		if c := a.partFor(m.Part); c != nil && c.state == built {
			a.connect(c, m.Doorbells)
		}
	case *wire.Shrink:
		if c := a.partFor(m.Part); c != nil {
			a.kill(c)
		}
	case *wire.Grow:
		if c := a.partFor(m.Part); c != nil && c.state == running {
			a.grow(c, m)
		}
	case *wire.Extended, *wire.Shrunk, *wire.Grown, wire.Routed, *wire.Lost:
		a.inbox = append(a.inbox, m)
		a.changed = true
	case *wire.Loan:
		a.loans.Handle(m.Message)
		a.changed = true
	case *wire.QueryCore:
		a.answer(m.Request, a.core)
	case *wire.QueryDomains:
		a.answer(m.Request, a.domains)
	case *wire.QueryMemory:
		a.answer(m.Request, a.memory)
	case *wire.QueryChannels:
		a.answer(m.Request, a.channels)
	case *wire.QueryThreads:
		a.threads(m)
	case *wire.Weigh:
		a.schedule(m.Request, m.Program, func(d *Domain) (uint64, error) { return 0, a.kernel.Weigh(d, m.Weight) })
	case *wire.Reserve:
		a.schedule(m.Request, m.Program, func(d *Domain) (uint64, error) {
			return a.kernel.Reserve(d, m.Period, m.Budget, m.Deadline)
		})
	}
}

// Alone says that whoever coordinates the machine is lost: no memory comes from
// other cores.
func (a *Agent) Alone() {
	a.loans.Alone()
	a.cut()
	a.changed = true
}

// Unfinished reports whether the kernel is at work on what was destroyed. It
// notifies the monitor when it has nothing left to do; but as long as programs
// give it more, the agent should be Notified now and then without that.
func (a *Agent) Unfinished() bool {
	return len(a.dying)+len(a.dyingFrames)+len(a.expulsions) > 0 || a.crowded()
}

// Notified says that the monitor's doorbell was rung: the state of a domain or of
// a capability may have changed.
func (a *Agent) Notified() { a.notified = true }

// Poll does what there is to do: it takes note of ends, moves input in and output
// out, gives memory, and rings whom it must. With output false it leaves the
// programs' output where it is, so that they wait; an end is then reported only
// when the output before it could be. It returns whether it has done anything.
func (a *Agent) Poll(output bool) bool {
	progress := a.changed
	a.changed = false
	progress = a.answered() || progress
	progress = a.goOn() || progress
	if a.notified {
		a.notified = false
		for _, c := range a.children {
			progress = a.look(c) || progress
		}
		for {
			r, ok := a.kernel.Reclaim()
			if !ok {
				break
			}
			a.pool.Add(r)
			progress = true
		}
		a.roomy = true
		a.freed = true // or what the kernel would not do for a loan, it may do now
		progress = a.bury() || progress
		progress = a.buryFrames() || progress
	}
	progress = a.expelled() || progress
	progress = a.sweep() || progress
	for i := 0; i < len(a.children); i++ {
		c := a.children[i]
		if c.state == waiting {
			progress = a.start(c) || progress
			continue
		}
		drained := false
		if output {
			var moved bool
			moved, drained = a.drain(c)
			progress = progress || moved
		}
		if c.state == ended {
			if drained && c.held == 0 {
				a.remove(i)
				i--
				progress = true
			}
			continue
		}
		// After the drain, which brings the acknowledgements that make room.
		progress = a.feed(c) || progress
		progress = a.serve(c) || progress
		progress = a.converse(c.session) || progress
		a.ring(c)
	}
	a.roomy = false
	if a.freed {
		a.freed = false
		progress = a.loans.Retry() || progress
	}
	return progress
}

// HandOver gives what is left of the monitor's turn to a program that it has rung, if no other
// wants the core, and reports whether it did. The program has it until it sleeps or the monitor's
// doorbell is rung: whoever waits for the program's answer has that sooner than if the monitor
// slept first. Where others wait they are not to wait for one that runs at the monitor's expense.
func (a *Agent) HandOver() bool {
	c := a.owed
	a.owed = nil
	if c == nil || c.state != running || a.kernel.Others() != 1 {
		return false
	}
	a.kernel.Yield(&c.domain)
	return true
}

// add adds a child.
func (a *Agent) add(c *child) {
	a.byProgram[c.program] = c
	at, _ := slices.BinarySearchFunc(a.children, c.program, func(c *child, program uint32) int {
		return cmp.Compare(c.program, program)
	})
	a.children = slices.Insert(a.children, at, c)
}

// remove reports the end of the i-th child, of whose memory nothing is left, and
// forgets it.
func (a *Agent) remove(i int) {
	c := a.children[i]
	a.children = slices.Delete(a.children, i, i+1)
	delete(a.byProgram, c.program)
	a.release(c)
	switch {
	case c.part != nil:
		m := &wire.Shrunk{Part: *c.part, Peak: c.peak, Status: c.status}
		if c.failure != nil {
			m.Reason = c.failure.Error()
		}
		a.emit(m)
	case c.failure != nil:
		a.emit(&wire.Failed{Program: c.program, Reason: c.failure.Error()})
	default:
		c.status.CPU += c.cpu
		a.emit(&wire.Exit{Program: c.program, Core: c.endedOn, Peak: c.peak + c.elsewhere, Status: c.status})
	}
}

// Announce tells the programs that the monitor stops polling. It returns false
// when one of them has written meanwhile, which does not count with output
// false. Withdraw must follow in any case.
func (a *Agent) Announce(output bool) bool {
	for _, c := range a.children {
		if output || !c.channel.Pending() {
			if !c.channel.Announce() && output {
				return false
			}
		}
		if c.state == running && (c.want == nil || !c.supply.Pending()) {
			if !c.supply.Announce() && c.want == nil {
				return false
			}
		}
		if v := c.session; v != nil && c.state == running && !v.announce() {
			return false
		}
	}
	return true
}

// Withdraw takes the announcements back.
func (a *Agent) Withdraw() {
	for _, c := range a.children {
		c.channel.Withdraw()
		c.supply.Withdraw()
		if c.session != nil {
			c.session.channel.Withdraw()
		}
	}
}

// Memory describes the core's RAM.
func (a *Agent) Memory() memory.Statistics { return a.pool.Statistics() }

// Running returns how many programs have not been reported as ended.
func (a *Agent) Running() int { return len(a.children) }
