package agent

import (
	"errors"
	"math/bits"
	"slices"

	"skerry/abi/capability"
	"skerry/lib/session"
	"skerry/lib/supply"
	"skerry/lib/urpc"
	"skerry/service/memory"
)

// want is a piece that a program asks for.
type want struct {
	supply.Piece
	frame bool // that all its dispatchers can map
	// handed is how large a frame it has been handed, which other dispatchers may
	// lack.
	handed uint64
}

// dying is a piece that is being destroyed.
type dying struct {
	piece Piece
	of    *child
	// number is its number there.
	number uint32
	// alone says that no other core has anything of it.
	alone *bool
}

// keep takes note that a program has a piece.
func (a *Agent) keep(c *child, number uint32, p Piece) {
	c.pieces[number] = p
	c.held += p.Size
	c.peak = max(c.peak, c.held)
	a.given += p.Size
}

// takeBack begins to destroy a piece; bury goes on.
func (a *Agent) takeBack(c *child, number uint32, p Piece) {
	c.returned[number] = true
	alone := new(bool)
	a.dying = append(a.dying, dying{p, c, number, alone})
	a.recall(p.Base, p.Size, func(err session.Error) {
		// If a core cannot be reached that may use it, it is never free.
		*alone, a.notified = err == session.ErrNone, true
	})
}

// bury goes on with the pieces that are being destroyed, and reports whether one
// is gone.
func (a *Agent) bury() (progress bool) {
	a.dying = slices.DeleteFunc(a.dying, func(d dying) bool {
		if !*d.alone || a.kernel.Destroy(d.piece) != nil {
			return false
		}
		a.pool.Give(d.piece.Block)
		a.given -= d.piece.Size
		d.of.held -= d.piece.Size
		delete(d.of.pieces, d.number)
		delete(d.of.returned, d.number)
		a.freed, progress = true, true
		return true
	})
	return progress
}

// mayCome reports whether memory may come for a child that finds none. If no more
// is on its way, other cores are asked.
func (a *Agent) mayCome(c *child, size uint64) bool {
	if len(a.dying) > 0 {
		return true
	}
	if !c.refused {
		c.refused = true // unless the answer is another
		a.loans.Ask(size)
		return true
	}
	return a.loans.Asking()
}

// borrowed takes note of an answer to what was asked of other cores.
func (a *Agent) borrowed(got bool) {
	a.changed, a.freed = true, true
	for _, c := range a.children {
		c.refused = c.refused && !got
	}
}

// burstSupply is how many messages about memory one program may send before the
// next one's turn.
const burstSupply = 8

// mostGiven bounds a piece, in bytes.
const mostGiven = 1 << 40

// mostFrame bounds a frame, in bytes: the kernel clears it while the monitor waits.
const mostFrame = 64 << 20

// serve does what a program asks about memory, and asks it about its threads.
func (a *Agent) serve(c *child) (progress bool) {
	progress = c.ask()
	var slot [urpc.PayloadSize]byte
	for range burstSupply {
		if c.want != nil {
			if !a.provide(c) {
				return progress
			}
			progress = true
		}
		kind, n, ok := c.supply.Receive(&slot)
		if !ok {
			return progress
		}
		progress = true
		var p supply.Piece
		switch kind {
		case supply.ThreadIs:
			c.thread(slot[:], n)
			continue
		case supply.Listed:
			a.listed(c, slot[:], n)
			continue
		}
		if !p.Get(slot[:], n) {
			continue // a newer libos may say more than we know
		}
		switch kind {
		case supply.Want, supply.WantFrame:
			c.want, c.refused = &want{Piece: p, frame: kind == supply.WantFrame}, false
		case supply.Back:
			// The first piece holds the domain itself.
			if held, ok := c.pieces[p.Number]; ok && p.Number != 0 && !c.returned[p.Number] && !c.frames[p.Number] {
				a.takeBack(c, p.Number, held)
				a.bury()
			}
		}
	}
	return progress
}

// provide answers what a program asks for, unless it must wait for the answer.
func (a *Agent) provide(c *child) bool {
	w := c.want
	size, err := uint64(0), error(nil)
	switch {
	case w.handed != 0:
		if c.lacking() {
			return false
		}
		size = w.handed
	case w.Number == 0, w.Number >= capability.MemorySlots, w.frame && !c.shares():
		err = capability.ErrArgument
	case c.returned[w.Number]:
		return false // until that is gone
	case c.pieces[w.Number].Size != 0:
		err = capability.ErrInUse
	case c.held+memory.Least > c.quota:
		if len(c.returned) > 0 {
			return false
		}
		err = capability.ErrQuota
	default:
		size = 1 << bits.Len64(max(min(w.Size, mostGiven), memory.Least)-1)
		if w.frame {
			size = min(size, mostFrame)
		}
		size = min(size, 1<<(bits.Len64(c.quota-c.held)-1))
		var settled bool
		if size, settled, err = a.hand(c, w.Number, size); !settled {
			return false
		}
		if w.frame && err == nil {
			w.handed = size
			a.spread(c, w.Number)
			return a.provide(c)
		}
	}
	c.want = nil
	given := supply.Piece{Number: w.Number, Size: size}
	if err != nil {
		given.Size, given.Error = 0, capability.ErrMemory
		errors.As(err, &given.Error)
	}
	var b [supply.PieceSize]byte
	given.Put(&b)
	// It fails only for those who do not read the answers.
	c.supply.Send(supply.Given, b[:])
	return true
}

// hand gives a program a piece of at most size bytes. settled is false as long as
// there is none, but may be.
func (a *Agent) hand(c *child, number uint32, size uint64) (given uint64, settled bool, err error) {
	for given = size; given >= memory.Least; given >>= 1 {
		b, ok := a.pool.Take(given, reserve)
		if !ok {
			continue
		}
		p, err := a.kernel.Make(b)
		if err != nil {
			a.pool.Give(b)
			return 0, !errors.Is(err, capability.ErrAgain), err
		}

		a.keep(c, number, p)
		if c.want.frame {
			err = a.kernel.HandFrame(&c.domain, number, p)
		} else {
			err = a.kernel.Hand(&c.domain, number, p)
		}
		if err != nil {
			a.takeBack(c, number, p)
			a.bury()
			return 0, true, err
		}
		return given, true, nil
	}
	return 0, !a.mayCome(c, size), capability.ErrMemory
}

// Memory that the monitor keeps for itself, in bytes: it takes a portion when it
// has less than half.
const (
	sustain = 4 << 20
	portion = 4 << 20
)

// Sustain sees to it that the monitor's own libos has memory.
func (a *Agent) Sustain() {
	m, err := a.kernel.Own()
	if err != nil || m.Free >= sustain {
		return
	}
	for size := uint64(portion); size >= memory.Least; size >>= 1 {
		b, ok := a.pool.Take(size, 0)
		if !ok {
			continue
		}
		if err := a.kernel.Sustain(b); err != nil {
			a.pool.Give(b)
		} else {
			a.kept += size
		}
		return
	}
}
