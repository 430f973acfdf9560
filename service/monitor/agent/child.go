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

	supply     urpc.Channel
	quota      uint64
	held, peak uint64 // bytes of its pieces
	pieces     map[uint32]Piece
	returned   map[uint32]bool // of these, pieces on their way back
	want       *supply.Piece   // asked for, not yet answered
	refused    bool            // no other core lends

	failure error // why it could not be started
	status  abi.Status
}

// state is how far a child is.
type state uint8

const (
	waiting state = iota // for memory to start with
	running
	ended // or failed to start; its memory is on its way back
)

// spawn takes a program in.
func (a *Agent) spawn(m *wire.Spawn) {
	if a.byProgram[m.Program] != nil {
		a.emit(&wire.Failed{Program: m.Program, Reason: fmt.Sprintf("program number %d is taken", m.Program)})
		return
	}
	c := &child{
		program: m.Program, quota: m.Quota,
		pieces: make(map[uint32]Piece), returned: make(map[uint32]bool),
		domain: Domain{Name: m.Name, Info: append([]byte(nil), m.Info...), Grants: m.Grants},
	}
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
		a.fail(c, spawnError(c, capability.ErrQuota))
		return true
	}
	b, ok := a.pool.Take(size, reserve)
	if !ok {
		if a.mayCome(c, size) {
			return false
		}
		a.fail(c, spawnError(c, capability.ErrMemory))
		return true
	}
	if err := a.build(c, b); err != nil {
		a.fail(c, spawnError(c, err))
		return true
	}
	c.state = running
	a.emit(&wire.Started{Program: c.program, Domain: c.domain.Number})
	a.grant(c, inputWindow)
	return true
}

func spawnError(c *child, err error) error { return fmt.Errorf("spawn %s: %w", c.domain.Name, err) }

// build makes a domain of a block and lets it run.
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
		return errors.New("the core runs too many programs")
	}
	d.Number, _ = a.numbers.take() // there are fewer mounts
	if n := len(a.frames); n > 0 {
		d.Channels, a.frames = a.frames[n-1], a.frames[:n-1]
	} else if d.Channels, err = a.kernel.Channels(); err != nil {
		return err
	}
	stdio.AttachSpawner(&c.channel, d.Channels.Address)
	supply.AttachSpawner(&c.supply, d.Channels.Address+abi.StdioSize)
	if err := a.kernel.Build(d); err != nil {
		return err
	}
	return a.kernel.Run(d)
}

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
	case running:
		status := abi.Status{Domain: c.domain.Number, Kind: abi.ExitKilled}
		if info, ok, err := a.kernel.Dispatcher(c.domain.Number); err == nil && ok && info.Domain == c.domain.Number {
			status.CPU = info.CPU
		}
		a.kernel.Stop(&c.domain) // it goes with its memory in any case
		a.end(c, status)
	}
}

// end takes a program's memory back.
func (a *Agent) end(c *child, status abi.Status) {
	c.state, c.status = ended, status
	a.changed = true
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
	a.numbers.give(d.Number)
	if d.Channels.Address != 0 {
		a.frames = append(a.frames, d.Channels)
	}
}

// ring rings a program that sleeps and was sent something.
func (a *Agent) ring(c *child) {
	input, memory := c.channel.NeedsDoorbell(), c.supply.NeedsDoorbell()
	if input || memory {
		// It can only fail because the program has ended meanwhile.
		a.kernel.Ring(&c.domain)
	}
}
