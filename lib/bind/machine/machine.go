// Package machine is the machine that a program runs on as a network.Network: the
// names that programs export on any core, and bindings to them, by way of the session
// that the program has with its core's monitor (package lib/session).
//
// What a binding takes the monitor puts into the program's exchange; this package takes
// it from there, maps it, and makes a transport of it. The monitor is trusted to say
// what is so; whatever it says, the program does not crash.
//
// Package bind imports it. A program has one Machine. It must never look into a message
// of a connection.
package machine

import (
	"context"
	"io"
	"sync"

	"skerry/abi/capability"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

// Machine is a program's session with its monitor.
type Machine struct {
	system   system
	set      *wait.Set
	item     *wait.Item
	exchange exchange
	boards   boards

	// The receiving half is the serving goroutine's, the sending half is used under mu.
	// Under mu nothing of the set may be called.
	channel *urpc.Channel

	mu       sync.Mutex
	unsent   []message // while the ring is full
	last     uint32    // number given to a request, an export or a gift
	asked    map[uint32]*request
	exports  map[uint32]*network.Export
	bindings map[uint32]*binding
	over     error // why there is no session any more
}

// message is one to the monitor.
type message struct {
	kind    uint8
	length  int
	payload [urpc.PayloadSize]byte
}

// request is something that the monitor is to answer.
type request struct {
	answer chan any // room for one
	// forsaken is done with the answer if nobody waits for it any more.
	forsaken func(answer any)
	// bound makes the answer to a Bind of what the monitor says.
	bound func(*session.Bound) (conn, error)
}

// newMachine returns the Machine of a session whose channel is attached, and begins to serve
// it.
func newMachine(s system, c *urpc.Channel, set *wait.Set) (*Machine, error) {
	m := &Machine{
		system: s, set: set, channel: c, exchange: newExchange(s),
		asked: map[uint32]*request{}, exports: map[uint32]*network.Export{}, bindings: map[uint32]*binding{},
	}
	m.boards = boards{system: s, exchange: &m.exchange, known: map[uint64]*board{}}
	var err error
	// The monitor rings once for each time that it was told to.
	if m.item, err = set.Add(func() bool { m.awake(); return !m.asleep() }); err != nil {
		return nil, err
	}
	go m.serve()
	return m, nil
}

// Carries implements network.Network.
func (m *Machine) Carries(t channel.Transport) bool {
	switch t {
	case channel.TransportAny, channel.TransportLMP, channel.TransportPolled, channel.TransportDoorbell:
		return true
	}
	return false
}

// Export implements network.Network.
func (m *Machine) Export(e *network.Export) (io.Closer, error) {
	name, err := session.MakeName(e.Name)
	if err != nil {
		return nil, err
	}
	id, r := m.begin()
	m.mu.Lock()
	m.exports[id] = e
	m.mu.Unlock()
	m.send(session.KindExport, &session.Export{ID: id, Version: e.Interface.Version, Fingerprint: e.Interface.Fingerprint, Name: name})
	exported, err := as[*session.Exported](m.await(context.Background(), id, r, 0, nil))
	if err == nil {
		err = errorOf(exported.Error)
	}
	if err != nil {
		m.mu.Lock()
		delete(m.exports, id)
		m.mu.Unlock()
		return nil, err
	}
	return &offer{m: m, id: id}, nil
}

// offer is an export that can be taken back.
type offer struct {
	m    *Machine
	id   uint32
	once sync.Once
}

// Close takes the export back.
func (o *offer) Close() error {
	o.once.Do(func() {
		o.m.mu.Lock()
		delete(o.m.exports, o.id)
		o.m.mu.Unlock()
		o.m.send(session.KindUnexport, &session.Unexport{ID: o.id})
	})
	return nil
}

// Find implements network.Network.
func (m *Machine) Find(ctx context.Context, name string, wait bool) (network.Info, error) {
	n, err := session.MakeName(name)
	if err != nil {
		return network.Info{}, err
	}
	id, r := m.begin()
	look := session.Lookup{Request: id, Name: n}
	if wait {
		look.Wait = 1
	}
	m.send(session.KindLookup, &look)
	found, err := as[*session.Found](m.await(ctx, id, r, session.KindCancel, nil))
	if err != nil {
		return network.Info{}, err
	}
	return network.Info{
		Version: found.Version, Fingerprint: found.Fingerprint, Facts: factsOf(found.Facts),
	}, errorOf(found.Error)
}

// Watch implements network.Network.
func (m *Machine) Watch(ctx context.Context, name string) error {
	n, err := session.MakeName(name)
	if err != nil {
		return err
	}
	id, r := m.begin()
	m.send(session.KindWatch, &session.Watch{Request: id, Name: n})
	gone, err := as[*session.NameGone](m.await(ctx, id, r, session.KindCancel, nil))
	if err != nil {
		return err
	}
	return errorOf(gone.Error)
}

// Withdraw returns when no other core has a copy any more of the capability, or of
// anything made of its object, so that the object can be revoked.
func (m *Machine) Withdraw(ctx context.Context, c capability.Reference) error {
	slot, err := m.exchange.put(ctx, c, capability.AllRights)
	if err != nil {
		return err
	}
	id, r := m.begin()
	m.send(session.KindWithdraw, &session.Withdraw{Request: id, Slot: slot})
	withdrawn, err := as[*session.Withdrawn](m.await(ctx, id, r, 0, func(any) { m.exchange.empty(slot) }))
	if err != nil {
		return err // the slot is emptied when the answer comes
	}
	m.exchange.empty(slot)
	return errorOf(withdrawn.Error)
}

// errorOf is an error of the monitor's; ErrNone is none.
func errorOf(e session.Error) error {
	if e == session.ErrNone {
		return nil
	}
	return e
}

// factsOf are facts as the monitor says them.
func factsOf(f session.Facts) channel.Facts {
	return channel.Facts{
		SameDomain: f.SameDomain != 0, SameCore: f.SameCore != 0, SharedCache: f.SharedCache != 0,
		Core: uint32(f.Core), Distance: uint32(f.Distance), Load: uint32(f.Load),
	}
}
