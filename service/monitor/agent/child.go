package agent

import (
	"errors"
	"fmt"
	"math/bits"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/stdio"
	"skerry/lib/supply"
	"skerry/lib/urpc"
	"skerry/service/memory"
	"skerry/service/monitor/wire"
)

// firstPiece is the least memory that a domain starts with, in bytes.
const firstPiece = 512 << 10

// child is a program that is to run, that runs, or that has ended but is not
// reported.
type child struct {
	program uint32
	state   state
	domain  Domain

	channel urpc.Channel
	input   []byte // not yet taken by the program's ring
	granted uint32 // more input that the coordinator may send
	freed   uint32 // bytes that have left input and are not granted again yet
	sent    uint32 // bytes sent to the program
	read    uint32 // of these, read by it
	eof     bool   // input ends after that
	eofSent bool

	session *conversation // nil: it has none

	supply     urpc.Channel
	quota      uint64
	held, peak uint64 // bytes of its pieces
	pieces     map[uint32]Piece
	returned   map[uint32]bool // of these, pieces on their way back
	frames     map[uint32]bool // of these, pieces that other cores have imported
	want       *want           // asked for, not yet answered
	refused    bool            // no other core lends
	listing    *listing        // of its threads; nil: none is under way

	// others are the dispatchers of a program that is at home here on other
	// cores, in order; share is what each of them may hold.
	others []other
	share  uint64
	// part is which dispatcher this is of a program that is at home on another
	// core; nil else.
	part *wire.Part

	failure   error // why it could not be started
	status    abi.Status
	endedOn   uint32 // the core of the dispatcher whose end that was
	elsewhere uint64 // bytes that its dispatchers on other cores held at most
	cpu       int64  // ns that they ran
}

// state is how far a child is.
type state uint8

const (
	waiting state = iota // for memory to start with
	built                // and waits for its other dispatchers
	running
	ended // or failed to start; its memory is on its way back
)

// spawn takes a program in.
func (a *Agent) spawn(m *wire.Spawn) {
	if a.byProgram[m.Program] != nil {
		a.emit(&wire.Failed{Program: m.Program, Reason: taken(m.Program)})
		return
	}
	n := uint32(1 + len(m.Cores))
	home, satellite, err := divide(m.Quota, uint64(n))
	c := newChild(m.Program, home, Domain{Name: m.Name, Info: infoFor(m.Info, n, 0), Grants: m.Grants, Share: m.Share})
	c.share, c.endedOn = satellite, a.self
	for _, core := range m.Cores {
		c.others = append(c.others, other{core: core})
	}
	if n > 1 {
		c.domain.Span = &Span{Home: a.self, Dispatchers: n, Replicated: replicated(m.Info)}
	}
	if err != nil {
		a.add(c)
		a.fail(c, a.spawnError(c, err))
		return
	}
	a.enter(c)
}

func taken(program uint32) string { return fmt.Sprintf("program number %d is taken", program) }

func newChild(program uint32, quota uint64, d Domain) *child {
	return &child{
		program: program, quota: quota, domain: d,
		pieces: make(map[uint32]Piece), returned: make(map[uint32]bool), frames: make(map[uint32]bool),
	}
}

// enter adds a child and starts it.
func (a *Agent) enter(c *child) {
	if c.quota == 0 {
		s := a.pool.Statistics()
		c.quota = max(s.Size-s.Borrowed, reserve) - reserve
	}
	a.add(c)
	a.start(c)
	a.changed = true
}

// start starts a program if there is memory for it. It reports whether it is
// settled whether it runs.
func (a *Agent) start(c *child) bool {
	size := uint64(1) << bits.Len64(max(a.kernel.Least(&c.domain)+memory.Least, firstPiece)-1)
	if size > c.quota {
		a.fail(c, a.spawnError(c, capability.ErrQuota))
		return true
	}
	b, ok := a.pool.Take(size, reserve)
	if !ok {
		if a.mayCome(c, size) {
			return false
		}
		a.fail(c, a.spawnError(c, capability.ErrMemory))
		return true
	}
	err := a.build(c, b)
	switch {
	case errors.Is(err, capability.ErrAgain) && len(c.pieces) == 0:
		return false
	case err != nil:
		a.fail(c, a.spawnError(c, err))
	case c.part != nil:
		c.state = built
		a.emit(&wire.Extended{Part: *c.part, Doorbell: c.domain.Span.Doorbell})
	case len(c.others) > 0:
		c.state = built
		if err := a.extend(c); err != nil {
			a.fail(c, a.spawnError(c, err))
		}
	default:
		a.run(c)
	}
	return true
}

// spawnError says that a program could not be started; home adds that to what it
// hears from other cores.
func (a *Agent) spawnError(c *child, err error) error {
	if c.part != nil {
		return err
	}
	return fmt.Errorf("spawn %s: %w", c.domain.Name, err)
}

// run lets a domain run, all of whose dispatchers have been built.
func (a *Agent) run(c *child) {
	if err := a.kernel.Run(&c.domain); err != nil {
		a.fail(c, a.spawnError(c, err))
		return
	}
	c.state = running
	if c.part == nil {
		a.emit(&wire.Started{Program: c.program, Domain: c.domain.Number})
		a.grant(c, inputWindow)
	}
}

// admit has a child scheduled as its spawner said.
func (a *Agent) admit(c *child) error {
	s := &c.domain.Share
	if s.Weight != 0 {
		if err := a.kernel.Weigh(&c.domain, s.Weight); err != nil {
			return err
		}
	}
	if s.Budget == 0 {
		return nil
	}
	return overload(a.kernel.Reserve(&c.domain, s.Period, s.Budget, s.Deadline))
}

// build makes a domain of a block, and has it admitted.
func (a *Agent) build(c *child, b memory.Block) error {
	p, err := a.kernel.Make(b)
	if err != nil {
		a.pool.Give(b)
		return err
	}
	a.keep(c, 0, p)
	d := &c.domain
	d.Memory = p
	var ok bool
	if d.Mount, ok = a.mounts.take(); !ok {
		return errTooMany
	}
	if d.Span != nil {
		if d.Span.Mount, ok = a.mounts.take(); !ok {
			return errTooMany
		}
	}
	d.Number, _ = a.numbers.take() // there are fewer mounts
	if n := len(a.frames); n > 0 {
		d.Channels, a.frames = a.frames[n-1], a.frames[:n-1]
	} else if d.Channels, err = a.kernel.Channels(); err != nil {
		return err
	}
	stdio.AttachSpawner(&c.channel, d.Channels.Address)
	supply.AttachSpawner(&c.supply, d.Channels.Address+abi.StdioSize)
	if err := a.makeSession(c); err != nil {
		return err
	}
	if err := a.kernel.Build(d); err != nil {
		return err
	}
	return a.admit(c)
}

var errTooMany = errors.New("the core runs as many programs as it has room for: end one of them, or start this one on another core")

// fail takes note that a program cannot be started.
func (a *Agent) fail(c *child, err error) {
	c.failure = err
	a.end(c, abi.Status{})
}

// look takes note if a program has ended by itself.
func (a *Agent) look(c *child) bool {
	if c.state != running {
		return false
	}
	state, err := a.kernel.State(&c.domain)
	if err == nil && state != abi.DomainEnded {
		return false
	}
	status, err := a.kernel.Status(&c.domain)
	if err != nil {
		// It has destroyed its dispatcher, or what the monitor has of it.
		status = abi.Status{Kind: abi.ExitKilled}
	}
	status.Domain = c.domain.Number
	a.end(c, status)
	return true
}

// kill ends a program, unless it has just ended by itself.
func (a *Agent) kill(c *child) {
	a.look(c)
	switch c.state {
	case waiting:
		a.fail(c, errors.New("killed before it had memory to start with"))
	case built:
		a.fail(c, errEarly)
	case running:
		status := abi.Status{Domain: c.domain.Number, Kind: abi.ExitKilled}
		status.CPU = a.stop(c)
		a.end(c, status)
	}
}

// stop takes a domain off the core, and returns how many ns it has run.
func (a *Agent) stop(c *child) (cpu int64) {
	if info, ok, err := a.kernel.Dispatcher(c.domain.Number); err == nil && ok && info.Domain == c.domain.Number {
		cpu = info.CPU
	}
	a.kernel.Stop(&c.domain) // it goes with its memory in any case
	return cpu
}

// end ends a program: its dispatchers on other cores, which use its memory, then
// takes that back.
func (a *Agent) end(c *child, status abi.Status) {
	c.state, c.status = ended, status
	a.changed = true
	if l := c.listing; l != nil {
		c.listing = nil
		a.refuse(l.Query, errNotRunning)
	}
	a.leave(c)
	if a.shrink(c); c.alone() {
		a.reclaim(c)
	}
}

// reclaim takes a program's memory back.
func (a *Agent) reclaim(c *child) {
	// Its first piece holds its dispatcher and its CSpace.
	for number := range uint32(capability.MemorySlots) {
		if p, ok := c.pieces[number]; ok && !c.returned[number] {
			a.takeBack(c, number, p)
		}
	}
	a.bury()
}

// release gives back all else that a program had.
func (a *Agent) release(c *child) {
	d := &c.domain
	if d.Mount == 0 {
		return
	}
	a.kernel.Forget(d)
	a.mounts.give(d.Mount)
	if d.Span != nil && d.Span.Mount != 0 {
		a.mounts.give(d.Span.Mount)
	}
	a.doubtful, a.changed = a.transfers.Imports(), true
	if d.Session != nil && d.Session.Mount != 0 {
		a.mounts.give(d.Session.Mount)
	}
	a.numbers.give(d.Number)
	if d.Channels.Address != 0 {
		a.frames = append(a.frames, d.Channels)
	}
}

// ring rings a program that sleeps and was sent something.
func (a *Agent) ring(c *child) {
	input, memory := c.channel.NeedsDoorbell(), c.supply.NeedsDoorbell()
	session := c.session != nil && c.session.channel.NeedsDoorbell()
	if input || memory || session {
		// It can only fail because the program has ended meanwhile.
		a.kernel.Ring(&c.domain)
		a.owed = c
	}
}
