package agent

import (
	"errors"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/session"
	"skerry/lib/urpc"
	"skerry/protocol/binding"
	"skerry/service/monitor/wire"
)

// end is an end of a binding that a program here has, or had: package binding says how
// long what belongs to it is used.
type end struct {
	binding.End
	number      uint32 // by which the program knows it
	v           *conversation
	name        session.Name
	transport   uint8
	peer        uint32 // the other end's core
	peerProgram uint32
	peerDomain  uint32
	peerNumber  uint32 // the other end's number
	hint        uint16 // where the program wants hints
	export      uint32 // at the exporter's

	frame    Frame                // the client's, for all but LMP
	endpoint capability.Reference // the program's, for LMP
	used     []*imported
	removing int // of these, not removed yet

	request *request // the client's, until the program has been told that it is bound
	state   endState
	reply   uint8 // slot of the exchange for the endpoint of an exporter that is to answer; 0: none
}

// endState is what the program knows of its end.
type endState uint8

const (
	// hidden: nothing.
	hidden endState = iota
	// offered: somebody wants to be bound; it is to answer.
	offered
	// bound: it has it.
	bound
	// left: it has it no more.
	left
)

// newEnd takes note of an end.
func (a *Agent) newEnd(v *conversation, id binding.End) *end {
	a.lastEnd++
	e := &end{End: id, number: a.lastEnd, v: v}
	a.ends[id], v.ends[e.number] = e, e
	v.records++
	return e
}

// leaves takes note that a program has an end no more.
func (e *end) leaves() {
	e.state = left
	e.replied()
	delete(e.v.ends, e.number)
	kept := e.v.arrivals[:0]
	for _, w := range e.v.arrivals {
		if w.end != e {
			kept = append(kept, w)
		}
	}
	e.v.arrivals = kept
}

// awaits keeps a slot of the exchange free of all but the program's endpoint, until it has
// answered.
func (e *end) awaits(reply uint8) { e.reply, e.v.names[reply] = reply, reserved }

// replied takes note that the program has answered, or is not asked any more.
func (e *end) replied() {
	if e.reply != 0 {
		e.v.names[e.reply], e.reply = 0, 0
	}
}

// other names the other end.
func (e *end) other() binding.End { return binding.End{ID: e.ID, Side: 1 - e.Side} }

// lmp reports whether a binding goes through the kernel.
func (e *end) lmp() bool { return e.transport == uint8(channel.TransportLMP) }

// slots returns how many slots of the exchange are filled with what puts returns.
func (e *end) slots() int {
	if e.lmp() {
		return 1
	}
	return 4
}

// details are what this core gives to a binding.
func (a *Agent) details(e *end) wire.Details {
	c := e.v.child
	number, err := a.kernel.Number(&c.domain)
	if err != nil {
		number = noDoorbell // it is on its way out
	}
	return wire.Details{
		Base: e.frame.Base, Size: e.frame.Size, Sleep: e.v.Sleep.Base, Hints: e.v.Hints.Base, Doorbell: number, Hint: e.hint,
		Transport: e.transport, Name: e.name, Program: c.program, End: e.number, State: a.stateOf(c.program),
	}
}

const noDoorbell = 1<<32 - 1

// offer asks the exporter that was found to be bound.
func (a *Agent) offer(r *request) {
	v, m := r.v, r.bind
	if refuse := a.bindable(r); refuse != session.ErrNone {
		a.refuseBind(r, refuse)
		return
	}
	e := &end{v: v, name: m.Name, transport: m.Transport, peer: r.entry.Core, peerProgram: r.entry.Program, hint: m.Hint, request: r}
	e.number = a.lastEnd + 1
	refuse := session.ErrNone
	if e.lmp() {
		e.endpoint, refuse = a.endpoint(v, m.Endpoint)
	} else if frame, err := a.newFrame(v.child, uint64(urpc.FrameSize(int(m.Depth)))); err != nil {
		refuse = session.ErrMemory
	} else {
		e.frame = frame
	}
	if refuse == session.ErrNone {
		to := binding.Export{Program: r.entry.Program, Export: r.entry.Export}
		var id binding.ID
		if id, refuse = a.bindings.Bind(v.child.program, r.entry.Core, to, a.details(e)); refuse == session.ErrNone {
			e.End = binding.End{ID: id, Side: binding.Client}
		}
	}
	if refuse != session.ErrNone {
		a.empty(e)
		r.refuse(refuse)
		return
	}
	a.lastEnd++
	a.ends[e.End], v.ends[e.number] = e, e
	v.records++
	r.end = e
}

// refuseBind answers a request to be bound by an error, and by what the program has to know to
// ask for what can be.
func (a *Agent) refuseBind(r *request, err session.Error) {
	if err == session.ErrNear || err == session.ErrTransport {
		r.facts = a.facts(r.v, r.entry.Core, r.entry.Program, &wire.State{})
	}
	r.refuse(err)
}

// bindable says what a request to be bound asks in vain.
func (a *Agent) bindable(r *request) session.Error {
	m, e := r.bind, &r.entry
	switch {
	case e.Version != m.Version || e.Fingerprint != m.Fingerprint:
		return session.ErrVersion
	case r.v.records >= maxBindings:
		return session.ErrLimit
	}
	if m.Transport == uint8(channel.TransportAny) {
		if e.Core == a.self {
			return session.ErrNear
		}
		m.Transport = uint8(channel.TransportDoorbell)
	}
	switch channel.Transport(m.Transport) {
	case channel.TransportLMP:
		switch {
		case e.Core != a.self || r.v.child.domain.Span != nil:
			return session.ErrTransport
		case m.Endpoint == 0 || m.Endpoint >= capability.ExchangeIn:
			return session.ErrArgument
		}
	case channel.TransportPolled, channel.TransportDoorbell:
		if m.Depth == 0 || m.Depth > session.SlotsMax {
			return session.ErrArgument
		}
	default:
		return session.ErrTransport
	}
	return session.ErrNone
}

// endpoint takes a program's endpoint out of its exchange.
func (a *Agent) endpoint(v *conversation, slot uint8) (capability.Reference, session.Error) {
	r, err := a.kernel.TakeFrom(v.Mount, uint32(slot))
	if err != nil {
		return 0, session.ErrCapability
	}
	const needed = capability.RightSend | capability.RightGrant
	if d, err := a.kernel.Describe(r); err != nil || d.Type != capability.Endpoint || d.Rights&needed != needed {
		a.kernel.Discard(r)
		return 0, session.ErrCapability
	}
	return r, session.ErrNone
}

// puts are what a program needs of the other end, in the order of package session.
func (a *Agent) puts(e *end, d *wire.Details) ([]put, error) {
	other := a.ends[e.other()] // if it is here
	if e.lmp() {
		if other == nil || other.endpoint == 0 {
			return nil, capability.ErrPeer
		}
		return []put{{source: other.endpoint, rights: capability.RightSend}}, nil
	}
	const rw = capability.RightRead | capability.RightWrite
	frame := put{source: e.frame.Reference, rights: rw, base: d.Base, size: d.Size, core: e.peer}
	if e.peer != a.self {
		bell, err := a.kernel.Bell(d.Doorbell)
		return []put{
			frame,
			{base: d.Sleep, size: abi.PageSize, core: e.peer, rights: capability.RightRead},
			{base: d.Hints, size: abi.PageSize, core: e.peer, rights: rw},
			{source: bell, rights: capability.RightSend},
		}, err
	}
	if other == nil || other.v.child == nil {
		return nil, capability.ErrPeer
	}
	if e.Side == binding.Exporter {
		frame.source = other.frame.Reference
	}
	return []put{
		frame,
		{source: other.v.Sleep.Reference, rights: capability.RightRead},
		{source: other.v.Hints.Reference, rights: rw},
		{source: other.v.child.domain.Doorbell, rights: capability.RightSend},
	}, nil
}

// introduce puts what a program needs of the other end into its exchange, now or when
// there is room, then calls tell with the first slot; or fail, if it cannot.
func (a *Agent) introduce(e *end, d wire.Details, tell func(slot uint8), fail func(session.Error)) {
	w := &arrival{slots: e.slots(), end: e}
	w.place = func(slot uint32) bool {
		list, err := a.puts(e, &d)
		if err == nil {
			e.used, err = a.fill(e.v, slot, list)
		}
		switch {
		case errors.Is(err, capability.ErrAgain):
			return false
		case errors.Is(err, capability.ErrPeer):
			fail(session.ErrDied)
		case err != nil:
			fail(session.ErrMemory)
		default:
			tell(uint8(slot))
		}
		return true
	}
	e.v.arrivals = append(e.v.arrivals, w)
	a.roomy, a.changed = true, true
}

// drop has the protocol close an end that its program does not have, or no more.
func (a *Agent) drop(e *end, why session.Error) {
	e.leaves()
	a.later = append(a.later, func() { a.bindings.Close(e.End, why) })
	a.changed = true
}

// Offered implements binding.Host.
func (h *host) Offered(id binding.ID, to binding.Export, d wire.Details) session.Error {
	a := (*Agent)(h)
	v := a.conversation(to.Program)
	switch {
	case v == nil:
		return session.ErrNotFound
	case v.records >= maxBindings || len(v.arrivals) >= maxArrivals:
		return session.ErrLimit.Refusal()
	case d.Transport == uint8(channel.TransportLMP) && v.child.domain.Span != nil:
		return session.ErrTransport
	}
	if _, _, ok := a.names.Exports(to.Program, to.Export); !ok {
		return session.ErrNotFound
	}
	e := a.newEnd(v, binding.End{ID: id, Side: binding.Exporter})
	e.name, e.transport, e.peer, e.peerProgram, e.peerDomain = d.Name, d.Transport, id.Core, d.Program, d.State.Domain
	e.export, e.peerNumber = to.Export, d.End
	a.introduce(e, d, func(slot uint8) {
		e.state = offered
		v.tellOf(slot, e.slots(), session.KindIncoming, &session.Incoming{
			Export: e.export, Binding: e.number, Size: uint32(d.Size), Hint: d.Hint, Transport: e.transport, Slot: slot,
			Facts: a.facts(v, e.peer, e.peerProgram, &d.State),
		})
		if e.lmp() {
			e.awaits(slot)
		}
	}, func(why session.Error) { a.drop(e, why.Refusal()) })
	return session.ErrNone
}

// decide takes a program's answer to an offer.
func (a *Agent) decide(v *conversation, m *session.Answer) {
	e := v.ends[m.Binding]
	if e == nil || e.state != offered {
		return
	}
	if m.Error != session.ErrNone {
		e.leaves()
		a.bindings.Close(e.End, m.Error.Refusal())
		return
	}
	e.state, e.hint = bound, m.Hint
	if e.lmp() {
		var why session.Error
		if e.endpoint, why = a.endpoint(v, e.reply); why != session.ErrNone {
			e.leaves()
			a.bindings.Close(e.End, session.ErrDied) // it has closed it already
			return
		}
		e.replied()
	}
	a.bindings.Accept(e.ID, a.details(e))
}

// Accepted implements binding.Host.
func (h *host) Accepted(id binding.ID, d wire.Details) session.Error {
	a := (*Agent)(h)
	e := a.ends[binding.End{ID: id, Side: binding.Client}]
	if len(e.v.arrivals) >= maxArrivals {
		return session.ErrLimit
	}
	e.peerDomain, e.peerNumber = d.State.Domain, d.End
	a.introduce(e, d, func(slot uint8) {
		r := e.request
		e.request, e.state = nil, bound
		delete(e.v.requests, r.id)
		e.v.tellOf(slot, e.slots(), session.KindBound, &session.Bound{
			Request: r.id, Binding: e.number, Size: uint32(e.frame.Size), Hint: d.Hint, Transport: e.transport, Slot: slot,
			Facts: a.facts(e.v, e.peer, e.peerProgram, &d.State), Version: r.entry.Version,
		})
	}, func(why session.Error) { a.unbound(e, why) })
	return session.ErrNone
}

// unbound answers a request to be bound that the protocol has granted, and that comes
// to nothing.
func (a *Agent) unbound(e *end, why session.Error) {
	if e.request != nil {
		e.request.refuse(why)
		e.request = nil
	}
	a.drop(e, session.ErrNone)
}

// cancelBind cancels a request to be bound that has been offered.
func (a *Agent) cancelBind(r *request) {
	a.bindings.Cancel(r.end.ID)
	if r.end.request == r { // it was granted, and the program does not know it yet
		a.unbound(r.end, session.ErrCancelled)
	}
}

// Bound implements binding.Host. If all is well the program hears so when it has what
// it needs.
func (h *host) Bound(id binding.ID, err session.Error) {
	a := (*Agent)(h)
	e := a.ends[binding.End{ID: id, Side: binding.Client}]
	if err != session.ErrNone && e.request != nil {
		e.leaves()
		a.refuseBind(e.request, err)
		e.request = nil
	}
}

// Gone implements binding.Host.
func (h *host) Gone(id binding.End, err session.Error) {
	a := (*Agent)(h)
	e := a.ends[id]
	switch {
	case e.state == left:
	case e.request != nil:
		if err == session.ErrNone {
			err = session.ErrDied
		}
		a.unbound(e, err)
	case e.state == hidden:
		a.drop(e, session.ErrNone)
	default:
		e.v.tell(session.KindGone, &session.Gone{Binding: e.number, Error: err})
	}
}

func (a *Agent) closed(v *conversation, m *session.Close) {
	if e := v.ends[m.Binding]; e != nil && (e.state == bound || e.state == offered) {
		e.leaves()
		a.bindings.Close(e.End, session.ErrNone)
	}
}

// Remove implements binding.Host.
func (h *host) Remove(id binding.End) (done bool) {
	a := (*Agent)(h)
	e := a.ends[id]
	used := e.used
	e.used, e.removing = nil, 1
	for _, i := range used {
		e.removing++
		a.unuse(i, func() {
			if e.removing--; e.removing == 0 {
				a.bindings.Removed(id)
			}
		})
	}
	e.removing--
	return e.removing == 0
}

// Free implements binding.Host.
func (h *host) Free(id binding.End) {
	a := (*Agent)(h)
	e := a.ends[id]
	delete(a.ends, id)
	delete(e.v.ends, e.number)
	a.empty(e)
	e.v.records--
	a.ended(e.v)
}

// empty frees what this core gave to an end.
func (a *Agent) empty(e *end) {
	if e.v.child != nil {
		a.disown(e.v.child, &e.frame)
	}
	a.freeFrame(&e.frame)
	if e.endpoint != 0 {
		a.kernel.Discard(e.endpoint)
		e.endpoint = 0
	}
}

// host is what the agent does for packages binding and transfer.
type host Agent
