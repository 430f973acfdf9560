package transfer

import (
	"maps"
	"slices"

	"skerry/lib/session"
)

// object is an object of this core of which others have imports, or are sent some.
type object struct {
	// held is how many Imports a core was sent that may not be gone; cores with none are
	// not in it.
	held        map[uint32]int
	withdrawing bool
}

// sending is an Import or a Bell that has not been answered, on behalf of a core's
// request.
type sending struct {
	object        Object
	to            uint32
	asker         uint32
	askersRequest uint32
	bell          bool
}

// withdrawal is one that has not been answered. It has when no object is in its
// range.
type withdrawal struct {
	request    uint32
	base, size uint64
}

// own gives an object of this core to another.
func (c *Core) own(g Give) {
	err := session.ErrNone
	switch {
	case g.Core == c.self:
		err = session.ErrArgument
	case c.away[g.Core]:
		err = session.ErrCore
	case slices.ContainsFunc(c.withdrawals, func(w withdrawal) bool { return g.Object.within(w.base, w.size) }):
		err = session.ErrWithdrawn
	case c.objects[g.Object] != nil && c.objects[g.Object].withdrawing: // and that has failed, for a core that is cut
		err = session.ErrWithdrawn
	default:
		err = c.kernel.Pin(g.Object, g.Request)
	}
	if err != session.ErrNone {
		c.answer.Given(g.Request, err)
		return
	}
	if c.objects[g.Object] == nil {
		c.objects[g.Object] = &object{held: map[uint32]int{}}
	}
	c.export(g.Object, g.Core, Arrival{To: g.To, Ticket: g.Ticket, Rights: g.Rights}, c.self, g.Request)
}

// asked handles Ask.
func (c *Core) asked(from uint32, o Object, m Message) {
	a := Arrival{To: m.To, Ticket: m.Ticket, Rights: m.Rights}
	err := session.ErrNone
	switch obj := c.objects[o]; {
	case obj == nil || obj.withdrawing:
		err = session.ErrWithdrawn
	case m.Core == c.self:
		err = c.kernel.Copy(o, a)
	case c.away[m.Core]:
		err = session.ErrCore
	default:
		c.export(o, m.Core, a, from, m.Request)
		return
	}
	c.send(from, Message{Kind: Given, Request: m.Request, Error: err})
}

// export sends an import of a pinned object.
func (c *Core) export(o Object, to uint32, a Arrival, asker, askersRequest uint32) {
	obj := c.objects[o]
	obj.held[to]++
	c.request++
	c.sending[c.request] = sending{object: o, to: to, asker: asker, askersRequest: askersRequest}
	c.send(to, Message{
		Kind: Import, Base: o.Base, Size: o.Size,
		Request: c.request, To: a.To, Ticket: a.Ticket, Rights: a.Rights,
	})
}

// sent handles Imported.
func (c *Core) sent(from uint32, m Message) {
	s, ok := c.sending[m.Request]
	if !ok || s.to != from {
		return
	}
	if m.Error != session.ErrNone && !s.bell {
		c.less(s.object, from, 1)
	}
	c.finish(m.Request, m.Error)
}

// finish answers whoever wanted an import sent.
func (c *Core) finish(request uint32, err session.Error) {
	s := c.sending[request]
	delete(c.sending, request)
	switch {
	case s.asker == c.self:
		c.answer.Given(s.askersRequest, err)
	case !c.away[s.asker]:
		c.send(s.asker, Message{Kind: Given, Request: s.askersRequest, Error: err})
	}
}

// dropped handles Dropped.
func (c *Core) dropped(from uint32, o Object, count uint32) { c.less(o, from, int(count)) }

// removed handles Removed.
func (c *Core) removed(from uint32, o Object) {
	if obj := c.objects[o]; obj != nil {
		c.less(o, from, obj.held[from])
	}
}

// less takes note that a core has n imports less. When no core has any the object
// is this core's alone again.
func (c *Core) less(o Object, core uint32, n int) {
	obj := c.objects[o]
	if obj == nil {
		return
	}
	if obj.held[core] -= n; obj.held[core] <= 0 {
		delete(obj.held, core)
	}
	if len(obj.held) > 0 {
		return
	}
	delete(c.objects, o)
	c.kernel.Unpin(o)
	c.withdrawn()
}

// Withdraw has all imports removed of what lies in a range of this core's memory,
// whatever objects it was given as. When the answer comes (Answers.Withdrawn) no
// other core has an import of it, nor can one be on its way unless it was given
// after that. The answer is ErrCore if it cannot be told, because a core is cut. It
// may come before Withdraw returns. No request is under way twice.
func (c *Core) Withdraw(request uint32, base, size uint64) {
	c.withdrawals = append(c.withdrawals, withdrawal{request, base, size})
	for _, o := range c.inside(base, size) {
		obj := c.objects[o]
		if obj.withdrawing {
			continue
		}
		obj.withdrawing = true
		for _, core := range sorted(obj.held) {
			if !c.away[core] {
				c.send(core, Message{Kind: Remove, Base: o.Base, Size: o.Size})
			}
		}
	}
	c.cutWithdrawals()
	c.withdrawn()
}

// inside returns the objects of which a part is in a range, in order.
func (c *Core) inside(base, size uint64) (list []Object) {
	for o := range c.objects {
		if o.within(base, size) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, compare)
	return list
}

// withdrawn answers the withdrawals that have come to their end.
func (c *Core) withdrawn() {
	c.answerWithdrawals(session.ErrNone, func(w withdrawal) bool { return len(c.inside(w.base, w.size)) == 0 })
}

// cutWithdrawals answers the withdrawals that cannot come to their end: a core that
// cannot be reached has a part in them.
func (c *Core) cutWithdrawals() {
	c.answerWithdrawals(session.ErrCore, func(w withdrawal) bool {
		return slices.ContainsFunc(c.inside(w.base, w.size), func(o Object) bool {
			for core := range c.objects[o].held {
				if c.away[core] {
					return true
				}
			}
			return false
		})
	})
}

// answerWithdrawals answers and forgets those that are done.
func (c *Core) answerWithdrawals(err session.Error, done func(withdrawal) bool) {
	var answered []withdrawal
	c.withdrawals = slices.DeleteFunc(c.withdrawals, func(w withdrawal) bool {
		if !done(w) {
			return false
		}
		answered = append(answered, w)
		return true
	})
	for _, w := range answered {
		c.answer.Withdrawn(w.request, err)
	}
}

// lostImporter has a lost core have nothing of this core's.
func (c *Core) lostImporter(core uint32) {
	c.cutSending(core)
	for _, o := range slices.SortedFunc(maps.Keys(c.objects), compare) {
		c.less(o, core, c.objects[o].held[core])
	}
}

// cutSending answers for imports that were sent to a core that will not.
func (c *Core) cutSending(core uint32) {
	for _, request := range sorted(c.sending) {
		if c.sending[request].to == core {
			c.finish(request, session.ErrCore)
		}
	}
}
