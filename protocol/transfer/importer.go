package transfer

import (
	"maps"
	"slices"

	"skerry/lib/session"
)

// imported is what this core has of another's object: what the owner has sent, or
// copies of that.
type imported struct {
	count    uint32 // of Imports that the owner has not been told are gone
	removing bool
}

// ask asks the owner to give what this core has an import of.
func (c *Core) ask(g Give) {
	switch {
	case c.away[g.Object.Owner]:
		c.answer.Given(g.Request, session.ErrCore)
		return
	case c.imports[g.Object] == nil:
		c.answer.Given(g.Request, session.ErrCapability)
		return
	}
	c.asks[g.Request] = g.Object.Owner
	c.send(g.Object.Owner, Message{
		Kind: Ask, Base: g.Object.Base, Size: g.Object.Size,
		Request: g.Request, Core: g.Core, To: g.To, Ticket: g.Ticket, Rights: g.Rights,
	})
}

// told handles Given.
func (c *Core) told(from uint32, m Message) {
	if owner, ok := c.asks[m.Request]; ok && owner == from {
		delete(c.asks, m.Request)
		c.answer.Given(m.Request, m.Error)
	}
}

// take handles Import.
func (c *Core) take(o Object, m Message) {
	err := c.kernel.Import(o, Arrival{To: m.To, Ticket: m.Ticket, Rights: m.Rights})
	if err == session.ErrNone {
		if c.imports[o] == nil {
			c.imports[o] = &imported{}
		}
		c.imports[o].count++
	}
	c.send(o.Owner, Message{Kind: Imported, Request: m.Request, Error: err})
}

// Imports returns what this core may have of others' objects, in order. What it has of
// them only its kernel knows, since programs copy and delete what they were given.
func (c *Core) Imports() []Object { return slices.SortedFunc(maps.Keys(c.imports), compare) }

// Drop says that nothing is left here of another core's object: who had it has ended,
// or has deleted it.
func (c *Core) Drop(o Object) {
	i := c.imports[o]
	if i == nil || i.removing { // or Removed tells it
		return
	}
	delete(c.imports, o)
	if !c.away[o.Owner] {
		c.send(o.Owner, Message{Kind: Dropped, Base: o.Base, Size: o.Size, Count: i.count})
	}
}

// remove handles Remove.
func (c *Core) remove(o Object) {
	i := c.imports[o]
	if i == nil || i.removing {
		return // nothing was left, and its owner hears that
	}
	i.removing = true
	if c.kernel.Remove(o) {
		c.Removed(o)
	}
}

// Removed says that the imports of an object are removed, as Kernel.Remove was
// asked.
func (c *Core) Removed(o Object) {
	i := c.imports[o]
	if i == nil || !i.removing {
		return
	}
	delete(c.imports, o)
	if !c.away[o.Owner] {
		c.send(o.Owner, Message{Kind: Removed, Base: o.Base, Size: o.Size})
	}
}

// lostOwner removes what this core has of a lost one's.
func (c *Core) lostOwner(core uint32) {
	c.cutAsks(core)
	for _, o := range c.Imports() {
		if o.Owner == core {
			c.remove(o)
		}
	}
}

// cutAsks answers for an owner that will not.
func (c *Core) cutAsks(owner uint32) {
	for _, request := range sorted(c.asks) {
		if c.asks[request] == owner {
			delete(c.asks, request)
			c.answer.Given(request, session.ErrCore)
		}
	}
}
