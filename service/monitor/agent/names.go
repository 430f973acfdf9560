package agent

import (
	"skerry/abi"
	"skerry/lib/session"
	"skerry/protocol/names"
	"skerry/service/monitor/wire"
)

// request is what a program has asked and what is not answered: a Lookup, a Watch or
// a Bind.
type request struct {
	v     *conversation
	id    uint32 // the program's number
	what  uint8  // session.KindLookup, KindWatch or KindBind
	found bool   // core 0 has answered
	entry names.Entry
	bind  *session.Bind
	facts session.Facts // of a Bind that is refused: what the program is to know
	end   *end          // when it has been offered
}

// request takes note of a request, unless one has its number, or there are too many.
func (v *conversation) request(what uint8, id uint32) (*request, session.Error) {
	r := &request{v: v, id: id, what: what}
	switch {
	case id == 0 || v.requests[id] != nil:
		return r, session.ErrArgument
	case len(v.requests) >= maxRequests:
		return r, session.ErrLimit
	}
	v.requests[id] = r
	return r, session.ErrNone
}

// refuse answers a request by an error.
func (r *request) refuse(err session.Error) {
	if r.v.requests[r.id] == r {
		delete(r.v.requests, r.id)
	}
	switch r.what {
	case session.KindLookup:
		r.v.tell(session.KindFound, &session.Found{Request: r.id, Error: err})
	case session.KindWatch:
		r.v.tell(session.KindNameGone, &session.NameGone{Request: r.id, Error: err})
	case session.KindBind:
		bound := &session.Bound{Request: r.id, Error: err}
		bound.Facts = r.facts
		if err == session.ErrVersion {
			bound.Version = r.entry.Version
		}
		r.v.tell(session.KindBound, bound)
	}
}

func (a *Agent) export(v *conversation, m *session.Export) {
	if m.ID == 0 {
		v.tell(session.KindExported, &session.Exported{Error: session.ErrArgument})
		return
	}
	a.names.Export(v.child.program, m.ID, m.Name, m.Version, m.Fingerprint)
}

func (a *Agent) unexport(v *conversation, m *session.Unexport) {
	a.names.Unexport(v.child.program, m.ID)
}

func (a *Agent) lookup(v *conversation, m *session.Lookup) {
	if r, refuse := v.request(session.KindLookup, m.Request); refuse != session.ErrNone {
		v.tell(session.KindFound, &session.Found{Request: r.id, Error: refuse})
	} else {
		a.names.Lookup(v.child.program, m.Request, m.Name, m.Wait != 0)
	}
}

func (a *Agent) watch(v *conversation, m *session.Watch) {
	if r, refuse := v.request(session.KindWatch, m.Request); refuse != session.ErrNone {
		v.tell(session.KindNameGone, &session.NameGone{Request: r.id, Error: refuse})
	} else {
		a.names.Watch(v.child.program, m.Request, m.Name)
	}
}

func (a *Agent) bind(v *conversation, m *session.Bind) {
	r, refuse := v.request(session.KindBind, m.Request)
	if refuse != session.ErrNone {
		v.tell(session.KindBound, &session.Bound{Request: r.id, Error: refuse})
		return
	}
	r.bind = m
	a.names.Lookup(v.child.program, m.Request, m.Name, false)
}

// cancel has a request answered, by ErrCancelled unless another answer is on its way.
func (a *Agent) cancel(v *conversation, m *session.Cancel) {
	switch r := v.requests[m.Request]; {
	case r == nil:
	case !r.found:
		a.names.Cancel(v.child.program, r.id)
	case r.end == nil:
		r.refuse(session.ErrCancelled)
	default:
		a.cancelBind(r)
	}
}

// answers are what core 0 answers to programs of this core.
func (a *Agent) answers() names.Answers {
	return names.Answers{
		Exported: func(program, export uint32, err session.Error) {
			if v := a.conversation(program); v != nil {
				v.tell(session.KindExported, &session.Exported{ID: export, Error: err})
			}
		},
		Found: func(program, id uint32, e names.Entry, err session.Error) {
			if r := a.requestOf(program, id); r != nil {
				r.found, r.entry = true, e
				a.changed = true
				// The protocol is not to be asked from inside.
				a.later = append(a.later, func() { a.found(r, err) })
			}
		},
		Gone: func(program, id uint32, err session.Error) {
			if r := a.requestOf(program, id); r != nil {
				r.refuse(err)
			}
		},
	}
}

func (a *Agent) requestOf(program, id uint32) *request {
	if v := a.conversation(program); v != nil {
		return v.requests[id]
	}
	return nil
}

// found goes on when core 0 has answered: the other core is asked how it is, or the
// program there to be bound.
func (a *Agent) found(r *request, err session.Error) {
	switch {
	case r.v.requests[r.id] != r: // it has been cancelled meanwhile
	case err != session.ErrNone:
		r.refuse(err)
	case r.what == session.KindBind:
		a.offer(r)
	case a.away[r.entry.Core]:
		r.refuse(session.ErrCore)
	default:
		a.lastAsked++
		a.asked[a.lastAsked] = r
		a.send(&wire.Inquire{Route: wire.Route{From: a.self, To: r.entry.Core}, Request: a.lastAsked, Program: r.entry.Program})
	}
}

// told answers a Lookup: what was found, and what the other core says.
func (a *Agent) told(m *wire.Told) {
	r := a.asked[m.Request]
	if r == nil || r.entry.Core != m.From {
		return
	}
	delete(a.asked, m.Request)
	if r.v.requests[r.id] != r {
		return
	}
	delete(r.v.requests, r.id)
	e := r.entry
	r.v.tell(session.KindFound, &session.Found{
		Request: r.id, Version: e.Version, Fingerprint: e.Fingerprint, Facts: a.facts(r.v, e.Core, e.Program, &m.State),
	})
}

// inquire answers for this core.
func (a *Agent) inquire(m *wire.Inquire) {
	a.send(&wire.Told{Route: wire.Route{From: a.self, To: m.From}, Request: m.Request, State: a.stateOf(m.Program)})
}

// stateOf says how the core is for who would talk to a program of it.
func (a *Agent) stateOf(program uint32) wire.State {
	others := a.kernel.Others()
	s := wire.State{Load: 1 + others, Cache: a.kernel.Cache()}
	c := a.byProgram[program]
	if c == nil {
		return s
	}
	s.Domain = c.domain.Number
	if others > 0 && c.state == running {
		if state, err := a.kernel.State(&c.domain); err == nil && state == abi.DomainReady {
			s.Load-- // it is one of them
		}
	}
	return s
}

// facts are those of a program on a core, for one here.
func (a *Agent) facts(v *conversation, core, program uint32, other *wire.State) session.Facts {
	own := a.stateOf(v.child.program)
	f := session.Facts{Core: uint16(core), Load: uint16(min(max(own.Load, other.Load), 1<<16-1)), Distance: a.distance(core)}
	if core == a.self {
		f.SameCore = 1
		if program == v.child.program {
			f.SameDomain = 1
		}
	}
	if core == a.self || own.Cache != wire.NoCache && own.Cache == other.Cache {
		f.SharedCache = 1
	}
	return f
}

// distance says how far the memory of another core is.
func (a *Agent) distance(core uint32) uint8 {
	if int(core) < len(a.distances) {
		return a.distances[core]
	}
	return 10
}

// conversation returns the session of a program, nil if it has none.
func (a *Agent) conversation(program uint32) *conversation {
	if c := a.byProgram[program]; c != nil && c.session != nil && c.session.child != nil {
		return c.session
	}
	return nil
}
