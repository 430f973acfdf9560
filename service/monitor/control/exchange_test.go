package control_test

import (
	"slices"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/manifest"
	"skerry/lib/session"
	"skerry/service/monitor/agenttest"
)

// slow is a server that at times does not hear its monitor: of what it has received it then
// has not done the last yet.
type slow struct {
	deaf     bool
	last     any
	bound    int                          // who has been accepted
	arrivals map[uint32][]*agenttest.Slot // by ticket: what was in their slots
}

func slowly(d *agenttest.Domain) {
	if d.State == nil {
		d.State = &slow{arrivals: map[uint32][]*agenttest.Slot{}}
		d.Say(session.KindExport, &session.Export{ID: 3, Version: 7, Fingerprint: 9, Name: nameOf("store")})
	}
	s := d.State.(*slow)
	if s.last == nil {
		s.last = hearOne(d)
	}
	for ; s.last != nil && !s.deaf; s.last = hearOne(d) {
		switch m := s.last.(type) {
		case *session.Incoming:
			take(d, m.Transport, m.Slot, m.Size)
			d.Say(session.KindAnswer, &session.Answer{Binding: m.Binding})
			s.bound++
		case *session.Arrived:
			got := d.Take(uint32(m.Slot))
			s.arrivals[m.Ticket] = append(s.arrivals[m.Ticket], got)
			d.Drop(got)
		}
	}
}

// giver is a program that binds to "store", and gives it frames, when it is told to.
type giver struct {
	bind    bool
	lmp     bool   // so is it to be bound
	asked   bool   // to be bound
	give    int    // how many, one after the other
	ticket  uint32 // of the next
	binding uint32 // 0: it has none
	waits   bool   // for an answer
	refused []session.Error
}

func gives(d *agenttest.Domain) {
	if d.State == nil {
		d.State = &giver{}
	}
	g := d.State.(*giver)
	for _, m := range hear(d) {
		switch m := m.(type) {
		case *session.Bound:
			if m.Error != session.ErrNone {
				g.refused = append(g.refused, m.Error)
				break
			}
			take(d, m.Transport, m.Slot, m.Size)
			g.binding = m.Binding
		case *session.Given:
			g.waits = false
			if m.Error != session.ErrNone {
				g.refused = append(g.refused, m.Error)
			}
		}
	}
	if g.bind && !g.asked {
		g.asked = true
		ask := session.Bind{Request: 2, Version: 7, Fingerprint: 9, Depth: 32, Transport: uint8(channel.TransportPolled), Name: nameOf("store")}
		if g.lmp {
			ask.Transport, ask.Endpoint = uint8(channel.TransportLMP), 2
			d.Exchange()[2] = ownEndpoint(d)
		}
		d.Say(session.KindBind, &ask)
	}
	if g.give > 0 && g.binding != 0 && !g.waits {
		d.Exchange()[1] = d.OwnFrame(0)
		d.Say(session.KindGive, &session.Give{Binding: g.binding, Ticket: g.ticket, Slot: 1, Rights: uint8(capability.AllRights)})
		g.give, g.ticket, g.waits = g.give-1, g.ticket+1, true
	}
}

// ownEndpoint returns a capability to an endpoint of a program's.
func ownEndpoint(d *agenttest.Domain) *agenttest.Slot {
	return &agenttest.Slot{Type: capability.Endpoint, Rights: capability.AllRights, Base: d.Memory.Base, Size: 256, Owner: d.Memory.Root.Node}
}

// newStore runs a slow server on core 0, and programs that are to give it frames.
func newStore(t *testing.T, givers ...int) (x *machine, server *slow, domains []*agenttest.Domain) {
	m := &manifest.Manifest{Programs: []manifest.Program{speaking(0, "slowly")}, Link: true}
	for _, core := range givers {
		m.Programs = append(m.Programs, speaking(core, "gives"))
	}
	x = newMachineOf(t, 2, m, map[string]func(*agenttest.Domain){"slowly": slowly, "gives": gives})
	x.run()
	next := map[int]int{0: 1} // the server is core 0's first
	for _, core := range givers {
		domains = append(domains, x.kernels[core].Running()[next[core]])
		next[core]++
	}
	return x, x.running(0, "slowly").State.(*slow), domains
}

// TestWithdrawnUnheard: what is withdrawn before the program has heard that it came leaves its
// slot empty. Nothing else is put there until the program has: it would take the one for the
// other.
func TestWithdrawnUnheard(t *testing.T) {
	const kept, lost, last = 0, 100, 200 // tickets
	for i := range 4 * 20 {
		core, bindsFirst := i%2, i/2%2 == 1 // where the giver is that dies, and what comes then
		x, server, givers := newStore(t, core, 1, 0)
		dies, gives, binds := givers[0].State.(*giver), givers[1].State.(*giver), givers[2].State.(*giver)
		dies.bind, gives.bind, gives.give, gives.ticket = true, true, i/4, kept // so many are heard of before
		x.run()
		server.deaf = true
		dies.give, dies.ticket = 1, lost
		x.run()
		givers[0].End(abi.Status{Kind: abi.ExitCode})
		x.run()
		binds.bind = bindsFirst
		x.run()
		gives.give, gives.ticket = 1, last
		x.run()
		binds.bind = true
		x.run()
		server.deaf = false
		x.run()
		if a, b := server.arrivals[lost], server.arrivals[last]; len(a) != 1 || a[0] != nil || len(b) != 1 || b[0] == nil {
			t.Errorf("of %d gifts the last two, of which the first was withdrawn, came as %v and %v", len(server.arrivals), a, b)
		}
		if server.bound != 3 || binds.binding == 0 {
			t.Errorf("%d are bound, the last as %d", server.bound, binds.binding)
		}
	}
}

// TestWithdrawnUntaken: the same where the program has received what says so, and not taken
// what came yet. There is no other slot: who gives is told.
func TestWithdrawnUntaken(t *testing.T) {
	for before := range 20 { // programs say of many messages at once that they have received them
		x, server, givers := newStore(t, 0, 0)
		dies, gives := givers[0].State.(*giver), givers[1].State.(*giver)
		dies.bind, gives.bind, gives.give = true, true, before
		x.run()
		server.deaf = true
		dies.give = 1
		x.run()
		exchange := x.running(0, "slowly").Exchange()
		for slot := uint32(capability.ExchangeIn); slot < capability.L2Slots; slot++ {
			if exchange[slot] == nil {
				exchange[slot] = &agenttest.Slot{Type: capability.Endpoint}
			}
		}
		givers[0].End(abi.Status{Kind: abi.ExitCode})
		x.run()
		gives.give = 1
		x.run()
		if !slices.Equal(gives.refused, []session.Error{session.ErrFull}) || len(exchange) != capability.L2Slots-capability.ExchangeIn-1 {
			t.Errorf("after %d gifts: the next was answered by %v, %d slots are in use", before, gives.refused, len(exchange))
		}
	}
}

// TestSlotsAreUsedAgain: however much a program is given, there is room as long as it takes
// what comes.
func TestSlotsAreUsedAgain(t *testing.T) {
	const each = 1000
	x, server, givers := newStore(t, 0, 1)
	for _, d := range givers {
		g := d.State.(*giver)
		g.bind, g.give = true, each
	}
	x.run()
	if n := len(server.arrivals); n != each {
		t.Errorf("of %d numbers %d came", each, n)
	}
	for core, d := range givers {
		if g := d.State.(*giver); g.give != 0 || len(g.refused) > 0 {
			t.Errorf("core %d: %d were not given, %d were refused", core, g.give, len(g.refused))
		}
	}
}

// ponderer is a server that takes its time to answer who binds to it by LMP.
type ponderer struct {
	binding uint32 // to be answered
	reply   uint32 // slot for its endpoint
	came    []uint32
	answers bool
	closes  bool // before its answer is heard
	refuses session.Error
}

func ponders(d *agenttest.Domain) {
	if d.State == nil {
		d.State = &ponderer{}
		d.Say(session.KindExport, &session.Export{ID: 3, Version: 7, Fingerprint: 9, Name: nameOf("store")})
	}
	p := d.State.(*ponderer)
	for _, m := range hear(d) {
		switch m := m.(type) {
		case *session.Incoming:
			take(d, m.Transport, m.Slot, m.Size)
			if m.Transport == uint8(channel.TransportLMP) {
				p.binding, p.reply = m.Binding, uint32(m.Slot)
			} else {
				d.Say(session.KindAnswer, &session.Answer{Binding: m.Binding, Error: p.refuses})
			}
		case *session.Arrived:
			p.came = append(p.came, uint32(m.Slot))
			d.Drop(d.Take(uint32(m.Slot)))
		}
	}
	if p.answers && p.binding != 0 {
		if !p.closes {
			d.Exchange()[p.reply] = ownEndpoint(d)
		}
		d.Say(session.KindAnswer, &session.Answer{Binding: p.binding})
		p.binding = 0
	}
}

// TestReply has a program take its time to answer who binds by LMP: nothing comes into the slot
// that is for its endpoint until it has answered, and then what comes does.
func TestReply(t *testing.T) {
	for _, closes := range []bool{false, true} {
		m := &manifest.Manifest{Programs: []manifest.Program{speaking(0, "ponders"), speaking(0, "gives"), speaking(0, "gives")}}
		x := newMachineOf(t, 1, m, map[string]func(*agenttest.Domain){"ponders": ponders, "gives": gives})
		x.run()
		p := x.running(0, "ponders").State.(*ponderer)
		p.closes = closes
		giver, near := x.kernels[0].Running()[1].State.(*giver), x.kernels[0].Running()[2].State.(*giver)
		giver.bind = true
		x.run()
		near.bind, near.lmp = true, true
		x.run()
		const gifts = 100
		giver.give = gifts
		x.run()
		if p.reply == 0 || len(p.came) != gifts || slices.Contains(p.came, p.reply) {
			t.Fatalf("slot %d is for its endpoint, and gifts came in %v", p.reply, p.came)
		}
		p.answers = true
		x.run()
		if closes != slices.Equal(near.refused, []session.Error{session.ErrDied}) || closes == (near.binding != 0) {
			t.Errorf("closed at once: %v. bound as %d, refused by %v", closes, near.binding, near.refused)
		}
		giver.give = gifts
		x.run()
		if len(p.came) != 2*gifts || !slices.Contains(p.came[gifts:], p.reply) {
			t.Errorf("slot %d was for its endpoint, and then gifts came in %v", p.reply, p.came)
		}
	}
}

// TestRefusals has exporters of the same core and of another refuse: whoever binds is told why.
func TestRefusals(t *testing.T) {
	for refused, told := range map[session.Error]session.Error{
		session.ErrRefused: session.ErrRefused, session.ErrMemory: session.ErrRefusedMemory, session.ErrLimit: session.ErrRefusedLimit,
		session.ErrTransport: session.ErrTransport, session.ErrNotFound: session.ErrNotFound, session.ErrVersion: session.ErrRefused, 250: session.ErrRefused,
	} {
		m := &manifest.Manifest{Programs: []manifest.Program{speaking(0, "ponders"), speaking(0, "gives"), speaking(1, "gives")}, Link: true}
		x := newMachineOf(t, 2, m, map[string]func(*agenttest.Domain){"ponders": ponders, "gives": gives})
		x.run()
		x.running(0, "ponders").State.(*ponderer).refuses = refused
		for _, g := range []*giver{x.kernels[0].Running()[1].State.(*giver), x.kernels[1].Running()[0].State.(*giver)} {
			g.bind = true
			x.run()
			if !slices.Equal(g.refused, []session.Error{told}) {
				t.Errorf("refused by %d, and told %v", refused, g.refused)
			}
		}
	}
}
