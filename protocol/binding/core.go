package binding

import (
	"cmp"
	"maps"
	"slices"

	"skerry/lib/session"
)

// Core is one core's part.
type Core[D any] struct {
	self   uint32
	host   Host[D]
	send   func(to uint32, m Message[D])
	ends   map[End]*end
	away   map[uint32]bool // cores that are lost or cut
	number uint32
}

// end is what a core knows of an end that it has.
type end struct {
	program uint32
	peer    uint32 // the other end's core
	state   state
	holds   bool // what the other core gave
	told    bool // the program knows that the other end is gone
	gone    bool // the other core has nothing of this end
	why     session.Error
}

// state says how far an end is.
type state uint8

const (
	// asking: the client has no answer, the exporter has not answered.
	asking state = iota
	// open: the program has the end.
	open
	// closing: the program has it no more; what it held is being removed.
	closing
	// closed: this core has nothing of the binding, and has said so.
	closed
)

// NewCore returns the part of core self. It speaks to other cores by send.
func NewCore[D any](self uint32, host Host[D], send func(to uint32, m Message[D])) *Core[D] {
	return &Core[D]{self: self, host: host, send: send, ends: map[End]*end{}, away: map[uint32]bool{}}
}

// Bind begins to bind a program of this core to an export of a core. What the core
// gives to the binding, said in d, is the binding's until Host.Free. Host.Bound
// answers, unless the program ends first. If the other core is lost or cut, Bind
// returns ErrCore, and nothing has happened.
func (c *Core[D]) Bind(program, core uint32, to Export, d D) (ID, session.Error) {
	if c.away[core] {
		return ID{}, session.ErrCore
	}
	c.number++
	e := End{ID{c.self, c.number}, Client}
	c.ends[e] = &end{program: program, peer: core}
	c.say(e, Message[D]{Kind: Offer, Export: to, Details: d})
	return e.ID, session.ErrNone
}

// Cancel ends a Bind that has not been answered, by ErrCancelled.
func (c *Core[D]) Cancel(id ID) {
	e := End{id, Client}
	if s := c.ends[e]; s != nil && s.state == asking {
		c.host.Bound(id, session.ErrCancelled)
		c.leave(e, session.ErrCancelled)
	}
}

// Accept says that an exporter takes what it was offered. What the core gives to
// the binding, said in d, is the binding's until Host.Free; if Accept returns false
// there is no such offer, and nothing is given.
func (c *Core[D]) Accept(id ID, d D) bool {
	e := End{id, Exporter}
	s := c.ends[e]
	if s == nil || s.state != asking {
		return false
	}
	s.state = open
	if !s.gone {
		c.say(e, Message[D]{Kind: Accepted, Details: d})
	}
	return true
}

// Close says that a program closes an end which it has, or which it was offered and
// does not take, and if that is not the program's own will, why.
func (c *Core[D]) Close(e End, why session.Error) {
	s := c.ends[e]
	switch {
	case s == nil || s.state > open || s.state == asking && e.Side == Client:
		return
	case s.state == asking && why == session.ErrNone:
		why = session.ErrRefused
	}
	c.leave(e, why)
}

// Ended takes note that a program has ended, with all its ends.
func (c *Core[D]) Ended(program uint32) {
	for _, e := range c.those(func(s *end) bool { return s.program == program }) {
		if c.ends[e].state <= open {
			c.leave(e, session.ErrDied)
		}
	}
}

// Removed says that what an end held is removed, as Host.Remove was asked.
func (c *Core[D]) Removed(e End) {
	if s := c.ends[e]; s != nil && s.state == closing {
		c.shut(e)
	}
}

// Handle takes a message from a core.
func (c *Core[D]) Handle(from uint32, m Message[D]) {
	e := End{m.ID, m.To}
	s := c.ends[e]
	if m.Kind == Offer {
		if s == nil && m.To == Exporter && m.ID.Core == from {
			c.offered(e, m)
		}
		return
	}
	if s == nil || s.peer != from {
		return
	}
	switch m.Kind {
	case Accepted:
		if m.To == Client && s.state == asking {
			c.accepted(e, m.Details)
		}
	case Closed:
		c.gone(e, m.Error)
	}
}

// Lost takes note that a core has stopped: its ends are closed.
func (c *Core[D]) Lost(core uint32) {
	c.away[core] = true
	for _, e := range c.those(func(s *end) bool { return s.peer == core }) {
		c.gone(e, session.ErrCore)
	}
}

// Cut takes note that a core cannot be reached any more, though it may run: its
// ends are as good as closed, but what this core gave is never freed.
func (c *Core[D]) Cut(core uint32) {
	c.away[core] = true
	for _, e := range c.those(func(s *end) bool { return s.peer == core }) {
		c.tell(e, session.ErrCore)
	}
}

// Idle reports whether the core has no end.
func (c *Core[D]) Idle() bool { return len(c.ends) == 0 }

// those returns the ends of which something is so, in order.
func (c *Core[D]) those(is func(*end) bool) []End {
	list := slices.SortedFunc(maps.Keys(c.ends), func(a, b End) int {
		return cmp.Or(cmp.Compare(a.Core, b.Core), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Side, b.Side))
	})
	return slices.DeleteFunc(list, func(e End) bool { return !is(c.ends[e]) })
}

// say sends a message about an end to the other.
func (c *Core[D]) say(e End, m Message[D]) {
	if s := c.ends[e]; !c.away[s.peer] {
		m.ID, m.To = e.ID, 1-e.Side
		c.send(s.peer, m)
	}
}

// offered handles Offer.
func (c *Core[D]) offered(e End, m Message[D]) {
	if err := c.host.Offered(e.ID, m.Export, m.Details); err != session.ErrNone {
		c.send(e.Core, Message[D]{Kind: Closed, To: Client, ID: e.ID, Error: err})
		return
	}
	c.ends[e] = &end{program: m.Export.Program, peer: e.Core, holds: true}
}

// accepted handles Accepted.
func (c *Core[D]) accepted(e End, d D) {
	if err := c.host.Accepted(e.ID, d); err != session.ErrNone {
		c.fail(e, err)
		return
	}
	s := c.ends[e]
	s.state, s.holds = open, true
	c.host.Bound(e.ID, session.ErrNone)
}

// gone takes note that the other core has nothing of an end, and closed its own.
func (c *Core[D]) gone(e End, why session.Error) {
	s := c.ends[e]
	s.gone = true
	if s.state == closed {
		c.free(e)
	} else {
		c.tell(e, why)
	}
}

// tell tells the program at an end that the other is gone.
func (c *Core[D]) tell(e End, why session.Error) {
	s := c.ends[e]
	switch {
	case s.state > open || s.told:
	case e.Side == Client && s.state == asking:
		if why == session.ErrNone {
			why = session.ErrRefused
		}
		c.fail(e, why)
	default:
		s.told = true
		c.host.Gone(e, why)
	}
}

// fail answers a Bind with an error.
func (c *Core[D]) fail(e End, why session.Error) {
	c.host.Bound(e.ID, why)
	c.leave(e, why)
}

// leave ends a program's part in an end.
func (c *Core[D]) leave(e End, why session.Error) {
	s := c.ends[e]
	s.state, s.why = closing, why
	if !s.holds || c.host.Remove(e) {
		c.shut(e)
	}
}

// shut says that this core has nothing of a binding any more.
func (c *Core[D]) shut(e End) {
	s := c.ends[e]
	s.state = closed
	c.say(e, Message[D]{Kind: Closed, Error: s.why})
	if s.gone {
		c.free(e)
	}
}

func (c *Core[D]) free(e End) {
	delete(c.ends, e)
	c.host.Free(e)
}
