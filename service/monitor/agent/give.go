package agent

import (
	"errors"

	"skerry/abi/capability"
	"skerry/lib/session"
	"skerry/protocol/transfer"
)

// giving is a capability on its way to another core.
type giving struct {
	v       *conversation
	binding uint32
	ticket  uint32
	copy    capability.Reference // the monitor's; 0: it is kept as a pin
}

// pin is a capability to what other cores have imports of.
type pin struct {
	reference capability.Reference
	rights    capability.Rights
}

// maxTravel is the largest frame that can go to another core, in bytes.
const maxTravel = 256 << 20

// give gives a capability of a program's to the other end of a binding.
func (a *Agent) give(v *conversation, m *session.Give) {
	e := v.ends[m.Binding]
	refuse := session.ErrNone
	switch {
	case e == nil || e.state != bound || m.Slot == 0 || m.Slot >= capability.ExchangeIn:
		refuse = session.ErrArgument
	case v.giving >= maxGiving:
		refuse = session.ErrLimit
	default:
		var done bool
		if done, refuse = a.giveTo(e, m); !done {
			return
		}
	}
	v.tell(session.KindGiven, &session.Given{Binding: m.Binding, Ticket: m.Ticket, Error: refuse})
}

// giveTo takes the capability out of the exchange, and sends it on. done is false if
// the answer comes later.
func (a *Agent) giveTo(e *end, m *session.Give) (done bool, refuse session.Error) {
	r, err := a.kernel.TakeFrom(e.v.Mount, uint32(m.Slot))
	if err != nil {
		return true, session.ErrCapability
	}
	d, err := a.kernel.Describe(r)
	rights := d.Rights & capability.Rights(m.Rights)
	switch {
	case err != nil || d.Rights&capability.RightGrant == 0 || d.Ready == 0:
		refuse = session.ErrCapability
	case e.peer == a.self:
		refuse = a.arrive(a.ends[e.other()], m.Ticket, r, rights)
	case d.Type == capability.Frame && d.Size <= maxTravel:
		a.transfers.Give(a.travel(e, m, r, transfer.Object{Owner: d.Owner, Base: d.Base, Size: d.Size}, rights))
		return false, session.ErrNone
	default:
		number, ok := a.doorbell(&d)
		if !ok {
			refuse = session.ErrTravel
			break
		}
		a.transfers.GiveBell(a.travel(e, m, r, transfer.Object{Base: number}, rights&bellRights))
		return false, session.ErrNone
	}
	a.discard(r)
	return true, refuse
}

// travel takes note of a capability that goes to another core.
func (a *Agent) travel(e *end, m *session.Give, r capability.Reference, o transfer.Object, rights capability.Rights) transfer.Give {
	a.lastAsked++
	e.v.giving++
	a.giving[a.lastAsked] = &giving{e.v, e.number, m.Ticket, r}
	return transfer.Give{Request: a.lastAsked, Object: o, Core: e.peer, To: e.peerNumber, Ticket: m.Ticket, Rights: rights}
}

// discard deletes what the monitor took from a program.
func (a *Agent) discard(r capability.Reference) {
	d, err := a.kernel.Describe(r)
	a.kernel.Discard(r)
	if err == nil && d.Type == capability.Frame && d.Owner != a.self {
		a.doubtful = append(a.doubtful, transfer.Object{Owner: d.Owner, Base: d.Base, Size: d.Size})
		a.changed = true
	}
}

// arrive puts a copy of what the monitor has into the exchange of the program at an
// end, and tells it so.
func (a *Agent) arrive(e *end, ticket uint32, r capability.Reference, rights capability.Rights) session.Error {
	return a.receive(e, ticket, func(slot uint32) error { return a.kernel.Place(e.v.Mount, slot, r, rights) })
}

// receive has a capability put into the exchange of the program at an end.
func (a *Agent) receive(e *end, ticket uint32, put func(slot uint32) error) session.Error {
	switch {
	case e == nil || e.v.child == nil:
		return session.ErrDied
	case e.state == hidden:
		return session.ErrEarly
	case e.state != bound:
		return session.ErrDied
	}
	slot, ok := a.vacancy(e.v, 1)
	if !ok || len(e.v.arrivals) > 0 { // these came first
		return session.ErrFull
	}
	switch err := put(slot); {
	case errors.Is(err, capability.ErrOccupied): // the program was faster
		return session.ErrFull
	case errors.Is(err, capability.ErrInUse):
		return session.ErrOverlap
	case err != nil:
		return session.ErrCapability
	}
	e.v.tellOf(uint8(slot), 1, session.KindArrived, &session.Arrived{Binding: e.number, Ticket: ticket, Slot: uint8(slot)})
	return session.ErrNone
}

// gave takes the answer to a capability that went to another core.
func (a *Agent) gave(request uint32, err session.Error) {
	g := a.giving[request]
	delete(a.giving, request)
	if g.copy != 0 {
		a.discard(g.copy)
	}
	g.v.giving--
	g.v.tell(session.KindGiven, &session.Given{Binding: g.binding, Ticket: g.ticket, Error: err})
}

// withdraw has other cores give up what they have of a frame.
func (a *Agent) withdraw(v *conversation, m *session.Withdraw) {
	answer := func(err session.Error) {
		v.tell(session.KindWithdrawn, &session.Withdrawn{Request: m.Request, Error: err})
	}
	if m.Slot == 0 || m.Slot >= capability.ExchangeIn {
		answer(session.ErrArgument)
		return
	}
	switch d, err := a.kernel.Look(v.Mount, uint32(m.Slot)); {
	case err != nil || d.Type == capability.Null:
		answer(session.ErrCapability)
	case v.withdrawing >= maxGiving:
		answer(session.ErrLimit)
	case d.Type == capability.Doorbell || d.Type == capability.RemoteDoorbell:
		answer(session.ErrDoorbell)
	case d.Type != capability.Frame && d.Type != capability.RAM:
		answer(session.ErrNone)
	case d.Owner != a.self:
		answer(session.ErrOwner)
	default:
		v.withdrawing++
		a.recall(d.Base, d.Size, func(err session.Error) {
			v.withdrawing--
			answer(err)
		})
	}
}

// recall has other cores give up what they have of a range, then calls then.
func (a *Agent) recall(base, size uint64, then func(session.Error)) {
	a.lastAsked++
	a.withdrawals[a.lastAsked] = then
	a.transfers.Withdraw(a.lastAsked, base, size)
}

// withdrawn takes the answer.
func (a *Agent) withdrawn(request uint32, err session.Error) {
	then := a.withdrawals[request]
	delete(a.withdrawals, request)
	then(err)
}

// Pin implements transfer.Kernel.
func (h *host) Pin(o transfer.Object, request uint32) session.Error {
	a, g := (*Agent)(h), h.giving[request]
	d, err := a.kernel.Describe(g.copy)
	switch {
	case err != nil:
		return session.ErrCapability
	case a.pinOf(o, d.Rights) != 0:
		return session.ErrNone
	case a.kernel.Relate(g.copy, true) != nil:
		return session.ErrCapability
	}
	a.pins[o], g.copy = append(a.pins[o], pin{g.copy, d.Rights}), 0
	return session.ErrNone
}

// pinOf returns a pin of an object that has some rights, 0 if there is none.
func (a *Agent) pinOf(o transfer.Object, rights capability.Rights) capability.Reference {
	for _, p := range a.pins[o] {
		if rights&^p.rights == 0 {
			return p.reference
		}
	}
	return 0
}

// Unpin implements transfer.Kernel.
func (h *host) Unpin(o transfer.Object) {
	a := (*Agent)(h)
	for _, p := range a.pins[o] {
		a.kernel.Relate(p.reference, false)
		a.kernel.Discard(p.reference)
	}
	delete(a.pins, o)
	a.notified = true // memory that waited for it may go
}

// Copy implements transfer.Kernel.
func (h *host) Copy(o transfer.Object, to transfer.Arrival) session.Error {
	a := (*Agent)(h)
	r := a.pinOf(o, to.Rights)
	if r == 0 {
		return session.ErrCapability
	}
	return a.arrive(a.endOf(to.To), to.Ticket, r, to.Rights)
}

// Import implements transfer.Kernel.
func (h *host) Import(o transfer.Object, to transfer.Arrival) session.Error {
	a := (*Agent)(h)
	e := a.endOf(to.To)
	return a.receive(e, to.Ticket, func(slot uint32) error {
		return a.kernel.ImportTo(e.v.Mount, slot, capability.Frame, o.Base, o.Size, o.Owner, to.Rights)
	})
}

// endOf returns the end of a number, nil if no program has it.
func (a *Agent) endOf(number uint32) *end {
	for _, c := range a.children {
		if v := a.conversation(c.program); v != nil && v.ends[number] != nil {
			return v.ends[number]
		}
	}
	return nil
}

// sweep tells the owners of imports of which nothing may be left that it is so. Programs
// copy what they were given, give it to others of their core and delete it, of which
// only the kernel knows.
func (a *Agent) sweep() (progress bool) {
	kept := a.doubtful[:0]
	for _, o := range a.doubtful {
		switch err := a.kernel.Gone(o.Base, o.Size); {
		case err == nil:
			a.transfers.Drop(o)
			progress = true
		case !errors.Is(err, capability.ErrOccupied):
			kept = append(kept, o)
		}
	}
	a.doubtful = kept
	return progress
}

// importer is what package transfer needs beside what host is to package binding:
// both have a method Remove.
type importer struct{ *host }

// Remove implements transfer.Kernel.
func (i importer) Remove(o transfer.Object) (done bool) {
	a := (*Agent)(i.host)
	a.expel(o.Base, o.Size, func() { a.transfers.Removed(o) })
	return false
}
