package machine

import (
	"slices"
	"sync"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/session"
	"skerry/lib/urpc"
)

// monitor does for the programs of this test what package session says, and no more.
type monitor struct {
	t    testing.TB
	rung chan struct{}

	mu       sync.Mutex
	programs []*program
	names    map[session.Name]*exported
	asking   []asked // lookups and watches that wait
	bindings map[uint32]*pair
	last     uint32
	facts    session.Facts
	hold     bool          // Binds are not passed on to exporters
	lenient  bool          // programs may do wrong
	revoked  bool          // what is given, and endpoints, are withdrawn before they are taken
	late     func(func())  // takes what is to be done about gifts, if not nil
	deaf     *program      // who is not heard, if not nil
	refused  session.Error // what is said of what is given, if not ErrNone

	impossible bool // two programs cannot be bound by what they ask for
	binds      int  // that were asked for
}

type exported struct {
	by          *program
	id, version uint32
	fingerprint uint64
}

type asked struct {
	by    *program
	id    uint32
	name  session.Name
	watch bool
}

// pair is a binding: end 0 has asked for it.
type pair struct {
	ends      [2]*program // nil: has closed
	request   uint32      // not answered; 0 when it is
	ring      frame
	hint      uint16
	transport uint8
	inbox     any   // LMP: the asker's endpoint
	slot      uint8 // LMP: where the exporter is to put its own
}

func newMonitor(t testing.TB) *monitor {
	m := &monitor{
		t: t, rung: make(chan struct{}, 1), names: map[session.Name]*exported{}, bindings: map[uint32]*pair{},
		facts: session.Facts{Core: 3, Distance: 12, Load: 2},
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-m.rung:
				m.work()
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return m
}

func (m *monitor) ring() {
	select {
	case m.rung <- struct{}{}:
	default:
	}
}

// wrong says what a program did wrong.
func (m *monitor) wrong(format string, a ...any) {
	if !m.lenient {
		m.t.Errorf(format, a...)
	}
}

// work hears all programs, until they have nothing more to say.
func (m *monitor) work() {
	m.mu.Lock()
	defer m.mu.Unlock()
	var slot [urpc.PayloadSize]byte
	for again := true; again; {
		again = false
		for _, p := range slices.Clone(m.programs) {
			if p == m.deaf {
				p.flush()
				continue
			}
			p.session.Withdraw()
			for {
				kind, n, ok := p.session.Receive(&slot)
				if !ok {
					break
				}
				again = true
				m.hear(p, kind, slot[:], n)
			}
			p.flush()
			if !p.session.Announce() {
				again = true
			}
		}
	}
}

// tell tells a program something.
func (m *monitor) tell(p *program, kind uint8, body any) {
	if p == nil {
		return
	}
	var b [urpc.PayloadSize]byte
	n := session.Put(&b, body)
	p.unsent = append(p.unsent, message{kind, n, b})
	p.flush()
}

// flush sends a program what there is room for.
func (p *program) flush() {
	for len(p.unsent) > 0 && p.session.Send(p.unsent[0].kind, p.unsent[0].payload[:p.unsent[0].length]) {
		p.unsent = p.unsent[1:]
	}
	if p.session.NeedsDoorbell() {
		p.ring()
	}
}

func (m *monitor) hear(p *program, kind uint8, b []byte, n int) {
	switch kind {
	case session.KindExport:
		hear(b, n, func(x *session.Export) { m.export(p, x) })
	case session.KindUnexport:
		hear(b, n, func(x *session.Unexport) {
			for name, e := range m.names {
				if e.by == p && e.id == x.ID {
					m.nameGone(name)
				}
			}
		})
	case session.KindLookup:
		hear(b, n, func(x *session.Lookup) {
			a := asked{by: p, id: x.Request, name: x.Name}
			if m.names[x.Name] != nil || x.Wait == 0 {
				m.found(a)
			} else {
				m.asking = append(m.asking, a)
			}
		})
	case session.KindWatch:
		hear(b, n, func(x *session.Watch) {
			if m.names[x.Name] == nil {
				m.tell(p, session.KindNameGone, &session.NameGone{Request: x.Request})
			} else {
				m.asking = append(m.asking, asked{p, x.Request, x.Name, true})
			}
		})
	case session.KindCancel:
		hear(b, n, func(x *session.Cancel) { m.cancel(p, x.Request) })
	case session.KindBind:
		hear(b, n, func(x *session.Bind) { m.bind(p, x) })
	case session.KindAnswer:
		hear(b, n, func(x *session.Answer) { m.answer(p, x) })
	case session.KindClose:
		hear(b, n, func(x *session.Close) { m.closed(p, x.Binding, session.ErrNone) })
	case session.KindGive:
		hear(b, n, func(x *session.Give) {
			if m.late != nil {
				m.late(func() { m.give(p, x) })
			} else {
				m.give(p, x)
			}
		})
	case session.KindWithdraw:
		hear(b, n, func(x *session.Withdraw) {
			m.tell(p, session.KindWithdrawn, &session.Withdrawn{Request: x.Request})
		})
	default:
		m.wrong("message of kind %d", kind)
	}
}

func (m *monitor) export(p *program, x *session.Export) {
	if m.names[x.Name] != nil {
		m.tell(p, session.KindExported, &session.Exported{ID: x.ID, Error: session.ErrTaken})
		return
	}
	m.names[x.Name] = &exported{p, x.ID, x.Version, x.Fingerprint}
	m.tell(p, session.KindExported, &session.Exported{ID: x.ID})
	m.asking = slices.DeleteFunc(m.asking, func(a asked) bool {
		if a.watch || a.name != x.Name {
			return false
		}
		m.found(a)
		return true
	})
}

func (m *monitor) found(a asked) {
	f := session.Found{Request: a.id, Facts: m.facts, Error: session.ErrNotFound}
	if e := m.names[a.name]; e != nil {
		f.Version, f.Fingerprint, f.Error = e.version, e.fingerprint, session.ErrNone
	}
	m.tell(a.by, session.KindFound, &f)
}

func (m *monitor) nameGone(name session.Name) {
	delete(m.names, name)
	m.asking = slices.DeleteFunc(m.asking, func(a asked) bool {
		if !a.watch || a.name != name {
			return false
		}
		m.tell(a.by, session.KindNameGone, &session.NameGone{Request: a.id})
		return true
	})
}

func (m *monitor) cancel(p *program, request uint32) {
	m.asking = slices.DeleteFunc(m.asking, func(a asked) bool {
		if a.by != p || a.id != request {
			return false
		}
		if a.watch {
			m.tell(p, session.KindNameGone, &session.NameGone{Request: request, Error: session.ErrCancelled})
		} else {
			m.tell(p, session.KindFound, &session.Found{Request: request, Error: session.ErrCancelled})
		}
		return true
	})
}

// place puts capabilities into the first empty slots in a row of a program's exchange.
func (p *program) place(list ...any) uint8 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for first, run := capability.ExchangeIn, 0; first+run < capability.L2Slots; run++ {
		if p.exchange[first+run] != nil || p.kept[first+run] {
			first, run = first+run+1, -1
		} else if run+1 == len(list) {
			copy(p.exchange[first:], list)
			return uint8(first)
		}
	}
	p.monitor.wrong("an exchange is full")
	return 0
}

// crowded reports whether a program's exchange is full.
func (p *program) crowded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !slices.Contains(p.exchange[capability.ExchangeIn:], nil)
}

func (m *monitor) bind(p *program, x *session.Bind) {
	refuse := func(e session.Error, version uint32) {
		m.tell(p, session.KindBound, &session.Bound{Request: x.Request, Error: e, Version: version, Facts: m.facts})
	}
	m.binds++
	e := m.names[x.Name]
	switch {
	case e == nil:
		refuse(session.ErrNotFound, 0)
		return
	case e.version != x.Version || e.fingerprint != x.Fingerprint:
		refuse(session.ErrVersion, e.version)
		return
	case m.impossible:
		refuse(session.ErrTransport, 0)
		return
	case x.Transport == uint8(channel.TransportAny) && m.facts.SameCore != 0:
		refuse(session.ErrNear, 0)
		return
	case x.Transport == uint8(channel.TransportAny):
		x.Transport = uint8(channel.TransportDoorbell)
	}
	m.last++
	size := (urpc.FrameSize(int(x.Depth)) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	b := &pair{ends: [2]*program{p, e.by}, request: x.Request, ring: memory(m.t, size), hint: x.Hint, transport: x.Transport, inbox: p.given(x.Endpoint)}
	m.bindings[m.last] = b
	if m.hold {
		return
	}
	m.offer(m.last, e.id)
}

func (m *monitor) offer(id, export uint32) {
	b := m.bindings[id]
	b.slot = m.introduce(b, 1, b.inbox)
	m.tell(b.ends[1], session.KindIncoming, &session.Incoming{
		Export: export, Binding: id, Size: uint32(b.ring.bytes), Hint: b.hint, Transport: b.transport, Facts: m.facts,
		Slot: b.slot,
	})
	if b.transport == uint8(channel.TransportLMP) {
		b.ends[1].keep(b.slot, true)
	}
}

// introduce puts what an end of a binding needs of the other, whose endpoint is given if it has
// one, into its exchange.
func (m *monitor) introduce(b *pair, end int, inbox any) (slot uint8) {
	to, of := b.ends[end], b.ends[1-end]
	if b.transport != uint8(channel.TransportLMP) {
		return to.place(b.ring, of.board[0], of.board[1], doorbell{of})
	}
	slot = to.place(inbox)
	if m.revoked {
		to.empty(slot)
	}
	return slot
}

// keep keeps a slot of a program's exchange free for what it is to put there.
func (p *program) keep(slot uint8, kept bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[slot] = kept
}

// given takes what a program gives out of its exchange; slot 0 is none.
func (p *program) given(slot uint8) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.exchange[slot]
	p.exchange[slot] = nil
	return o
}

func (m *monitor) answer(p *program, x *session.Answer) {
	b := m.bindings[x.Binding]
	if b == nil || b.ends[1] != p || b.request == 0 {
		m.wrong("answer to no binding: %+v", x)
		return
	}
	request := b.request
	b.request = 0
	why, own := x.Error.Refusal(), any(nil)
	if b.transport == uint8(channel.TransportLMP) {
		p.keep(b.slot, false)
		if own = p.given(b.slot); own == nil && why == session.ErrNone {
			why = session.ErrDied // it has closed it, which comes next
		}
	}
	if why == session.ErrDied {
		m.tell(b.ends[0], session.KindBound, &session.Bound{Request: request, Error: why})
		b.ends[0] = nil
		return
	}
	if why != session.ErrNone {
		delete(m.bindings, x.Binding)
		m.tell(b.ends[0], session.KindBound, &session.Bound{Request: request, Error: why})
		return
	}
	m.tell(b.ends[0], session.KindBound, &session.Bound{
		Request: request, Binding: x.Binding, Size: uint32(b.ring.bytes), Hint: x.Hint, Transport: b.transport, Facts: m.facts,
		Slot: m.introduce(b, 0, own),
	})
}

// closed takes an end out of a binding.
func (m *monitor) closed(p *program, id uint32, why session.Error) {
	b := m.bindings[id]
	if b == nil {
		m.wrong("binding %d is closed, which there is not", id)
		return
	}
	for i, e := range b.ends {
		if e == p {
			b.ends[i] = nil
			m.tell(b.ends[1-i], session.KindGone, &session.Gone{Binding: id, Error: why})
			break
		}
	}
	if b.ends == [2]*program{} {
		delete(m.bindings, id)
	}
}

func (m *monitor) give(p *program, x *session.Give) {
	b := m.bindings[x.Binding]
	given := session.Given{Binding: x.Binding, Ticket: x.Ticket}
	o := p.given(x.Slot)
	var peer *program
	if b != nil {
		peer = b.ends[0]
		if peer == p {
			peer = b.ends[1]
		}
	}
	switch {
	case o == nil:
		given.Error = session.ErrCapability
	case peer == nil:
		given.Error = session.ErrDied
	case m.refused != session.ErrNone:
		given.Error = m.refused
	case peer.crowded():
		given.Error = session.ErrFull
	default:
		slot := peer.place(o)
		if m.revoked {
			peer.empty(slot)
		}
		m.tell(peer, session.KindArrived, &session.Arrived{Binding: x.Binding, Ticket: x.Ticket, Slot: slot})
	}
	m.tell(p, session.KindGiven, &given)
}

// kill ends a program without a word of its own.
func (m *monitor) kill(p *program) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.programs = slices.DeleteFunc(m.programs, func(q *program) bool { return q == p })
	for name, e := range m.names {
		if e.by == p {
			m.nameGone(name)
		}
	}
	for id, b := range m.bindings {
		if b.ends[0] == p || b.ends[1] == p {
			m.closed(p, id, session.ErrDied)
		}
	}
}
