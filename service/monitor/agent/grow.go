package agent

import (
	"slices"

	"skerry/abi/capability"
	"skerry/service/monitor/wire"
)

// The memory of a replicated program is frames that all its dispatchers can map.
// Home's monitor makes one when the program asks for it, and hands it out when the
// monitors of all its other cores have imported it. None is taken back before the
// program ends: then the imports go first.

// shares reports whether all dispatchers of a program are to have frames: it is at
// home here, on several cores, and replicated.
func (c *child) shares() bool {
	s := c.domain.Span
	return s != nil && s.Replicated && c.part == nil
}

// spread gives a piece to the dispatchers on other cores.
func (a *Agent) spread(c *child, number uint32) {
	c.frames[number] = true
	p := c.pieces[number]
	for i := range c.others {
		o := &c.others[i]
		o.lacks = number
		a.emit(&wire.Grow{Part: a.partOf(c, o), Number: number, Base: p.Base, Size: p.Size})
	}
}

// lacking reports whether a dispatcher does not have yet what it was given.
func (c *child) lacking() bool {
	return slices.ContainsFunc(c.others, func(o other) bool { return o.lacks != 0 })
}

// grown takes note that a dispatcher has a piece.
func (a *Agent) grown(m *wire.Grown) {
	if _, o := a.other(m.Part); o != nil && o.lacks == m.Number {
		o.lacks, a.changed = 0, true
	}
}

// grow takes a piece of a program that is at home elsewhere. If that cannot be, the
// program ends.
func (a *Agent) grow(c *child, m *wire.Grow) {
	err := error(capability.ErrArgument)
	if m.Number > 0 && m.Number < capability.MemorySlots && c.domain.Span.Replicated {
		err = a.kernel.Import(&c.domain, m.Number, m.Base, m.Size)
	}
	if err != nil {
		a.stop(c)
		a.fail(c, err)
		return
	}
	a.emit(&wire.Grown{Part: *c.part, Number: m.Number})
}
