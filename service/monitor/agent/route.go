package agent

import (
	"cmp"
	"slices"

	"skerry/lib/session"
	"skerry/protocol/binding"
	"skerry/protocol/names"
	"skerry/protocol/transfer"
	"skerry/service/monitor/wire"
)

// meet makes this core's part of the protocols about names, bindings and gifts.
func (a *Agent) meet() {
	const limit = maxExports + maxRequests
	a.names = names.NewAgent(a.self, 0, limit, func(to uint32, m names.Message) {
		a.emit(&wire.Names{Route: wire.Route{From: a.self, To: to}, Message: m})
	}, a.answers())
	a.bindings = binding.NewCore[wire.Details](a.self, (*host)(a), func(to uint32, m binding.Message[wire.Details]) {
		a.send(&wire.Binding{Route: wire.Route{From: a.self, To: to}, Message: m})
	})
	a.transfers = transfer.NewCore(a.self, importer{(*host)(a)}, func(to uint32, m transfer.Message) {
		a.send(&wire.Transfer{Route: wire.Route{From: a.self, To: to}, Message: m})
	}, transfer.Answers{Given: a.gave, Withdrawn: a.withdrawn})
}

// send sends a message to another core, by way of core 0, or to this one.
func (a *Agent) send(m wire.Routed) {
	if m.Way().To == a.self {
		a.inbox = append(a.inbox, m)
		a.changed = true
		return
	}
	a.emit(m)
}

// take does what a message about names, bindings and gifts asks for.
func (a *Agent) take(m wire.Message) {
	switch m := m.(type) {
	case *wire.Names:
		a.names.Handle(m.Message)
	case *wire.Binding:
		a.bindings.Handle(m.From, m.Message)
	case *wire.Transfer:
		a.transfers.Handle(m.From, m.Message)
	case *wire.Inquire:
		a.inquire(m)
	case *wire.Told:
		a.told(m)
	case *wire.Lost:
		a.lost(m.Core)
	}
}

// goOn does what was put off since a protocol was at work.
func (a *Agent) goOn() (progress bool) {
	for len(a.later) > 0 {
		do := a.later[0]
		a.later = a.later[1:]
		do()
		progress = true
	}
	return progress
}

// lost takes note that a core is lost: nobody there uses anything any more.
func (a *Agent) lost(core uint32) {
	a.names.Lost(core)
	a.bindings.Lost(core)
	a.transfers.Lost(core)
	a.unanswered(core)
}

// cut takes note that no other core can be reached.
func (a *Agent) cut() {
	a.names.Lost(0)
	for core := range uint32(len(a.distances)) {
		if core != a.self {
			a.bindings.Cut(core)
			a.transfers.Cut(core)
			a.unanswered(core)
		}
	}
}

// unanswered answers what a core was asked that does not answer.
func (a *Agent) unanswered(core uint32) {
	a.away[core] = true
	for _, number := range sortedKeys(a.asked) {
		if r := a.asked[number]; r.entry.Core == core {
			delete(a.asked, number)
			if r.v.requests[r.id] == r {
				r.refuse(session.ErrCore)
			}
		}
	}
}

// channels lists the bindings that were made here.
func (a *Agent) channels(request uint32) (wire.Message, error) {
	m := &wire.ChannelsAnswer{Request: request}
	for _, e := range a.ends {
		if e.Side == binding.Client && e.state == bound && len(m.Channels) < maxChannels {
			m.Channels = append(m.Channels, wire.Channel{
				Name: e.name, Transport: e.transport, Client: e.v.child.domain.Number, Server: e.peerDomain, ServerCore: e.peer, Size: e.frame.Size,
			})
		}
	}
	slices.SortFunc(m.Channels, func(a, b wire.Channel) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Name.String(), b.Name.String()), cmp.Compare(a.Server, b.Server))
	})
	return m, nil
}

// maxChannels is the most bindings that one answer lists.
const maxChannels = 512

func sortedKeys[K cmp.Ordered, V any](m map[K]V) (keys []K) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
