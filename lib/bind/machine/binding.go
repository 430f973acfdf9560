package machine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"skerry/abi/capability"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/channel/lmp"
	"skerry/lib/channel/ring"
	"skerry/lib/native/endpoint"
	"skerry/lib/session"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

// conn is an end of a connection as transports make it.
type conn interface {
	channel.Conn
	Gone()
}

// numSlots is how many slots of the exchange a binding has: over LMP one with an endpoint
// of the peer's, else one with the frame and then the peer's board.
const numSlots = 1 + boardSlots

// depthUsual is how many slots a ring has if nothing else is asked for: as many as
// four pages have room for.
const depthUsual = 63

// arrivalsMore is how many more capabilities may have come than messages with one that the
// ring has room for: those whose sender did not wait until they were there. A peer that
// gives more has broken the rules.
const arrivalsMore = 64

// binding is the program's part in one.
type binding struct {
	m         *Machine
	id        uint32 // the monitor's number
	transport channel.Transport
	own       endpoint.Endpoint      // LMP: the program's
	item      *wait.Item             // else: with the number for hints
	slots     []capability.Reference // what it was given, but for the board
	views     []view                 // of that, where it is mapped
	board     *board                 // nil: LMP
	conn      conn
	silent    bool // the monitor knows already that it is over

	most int // capabilities that may have come

	mu       sync.Mutex
	arrivals map[uint32]capability.Reference // by ticket; 0: it was lost
	flooded  bool                            // more came than may
	over     bool                            // the peer is gone
	came     chan struct{}                   // holds one if the above has changed
}

// view is where part of a frame is mapped.
type view struct {
	at    uintptr
	bytes uint64
}

// terms are what the monitor says of a binding.
type terms struct {
	id, size  uint32
	hint      uint16
	transport uint8
	slot      uint8
}

// Bind implements network.Network.
func (m *Machine) Bind(ctx context.Context, r *network.Request) (channel.Conn, error) {
	return m.bind(ctx, r, func(channel.Facts) (network.Choice, error) {
		return network.Choice{Transport: r.Transport, Why: r.Why}, nil
	})
}

// bind asks the monitor to be bound by the request's transport, TransportAny for Doorbell to another
// core. choose says why it is that one.
func (m *Machine) bind(ctx context.Context, r *network.Request, choose func(channel.Facts) (network.Choice, error)) (channel.Conn, error) {
	name, err := session.MakeName(r.Name)
	if err != nil {
		return nil, err
	}
	t := r.Transport
	if t == channel.TransportAny {
		t = channel.TransportDoorbell
	}
	b, err := m.prepare(t, r.Depth)
	if err != nil {
		return nil, err
	}
	ask := session.Bind{
		Version: r.Interface.Version, Fingerprint: r.Interface.Fingerprint,
		Depth: depth(r.Depth), Transport: uint8(r.Transport), Name: name,
	}
	if ask.Hint, ask.Endpoint, err = b.offer(ctx); err != nil {
		return nil, errors.Join(err, b.release())
	}
	var q *request
	ask.Request, q = m.begin()
	q.bound = func(x *session.Bound) (conn, error) {
		defer m.exchange.took(ask.Endpoint)
		facts := factsOf(x.Facts)
		choice, err := choose(facts)
		if x.Error != session.ErrNone {
			b.silent = true
			if err == nil || x.Error != session.ErrTransport {
				err = boundError(x, r)
			}
			if failed := b.release(); failed != nil {
				err = errors.Join(err, failed)
			}
			return nil, err
		}
		return b.establish(&terms{x.Binding, x.Size, x.Hint, x.Transport, x.Slot}, urpc.A, channel.Binding{
			Transport: t, Why: choice.Why, Name: r.Name, Facts: facts,
		})
	}
	m.send(session.KindBind, &ask)
	return as[channel.Conn](m.await(ctx, ask.Request, q, session.KindCancel, func(answer any) {
		if c, ok := answer.(channel.Conn); ok {
			// Nobody wants it any more. What cannot be given up stays until the program ends.
			_ = c.Close()
		}
	}))
}

// boundError is why the monitor has not bound as was asked for.
func boundError(x *session.Bound, r *network.Request) error {
	switch x.Error {
	case session.ErrVersion:
		return &network.VersionError{Name: r.Name, Interface: r.Interface.Name, Want: r.Interface.Version, Have: x.Version}
	case session.ErrNear:
		return &nearError{factsOf(x.Facts)}
	}
	return x.Error
}

// depth is how many slots rings must have so that so many messages can be under way:
// what has been received of the last quarter need not have been acknowledged.
func depth(messages int) uint16 {
	if messages <= 0 {
		return depthUsual
	}
	return uint16(min(messages+messages/3+1, session.SlotsMax))
}

// bound takes the answer to a Bind.
func (m *Machine) bound(x *session.Bound) {
	m.mu.Lock()
	r := m.asked[x.Request]
	m.mu.Unlock()
	if r == nil || r.bound == nil {
		return
	}
	c, err := r.bound(x)
	if err != nil {
		m.answered(x.Request, err)
	} else {
		m.answered(x.Request, channel.Conn(c))
	}
}

// incoming answers somebody who binds to an export. It does not block.
func (m *Machine) incoming(x *session.Incoming) {
	if err := m.accept(x); err != nil {
		m.send(session.KindAnswer, &session.Answer{Binding: x.Binding, Error: refusal(err)})
	}
}

// accept makes a connection of what has come, hands it to the exporter, and says so. If it fails
// nothing is left of that, and nothing is said.
func (m *Machine) accept(x *session.Incoming) error {
	t := terms{x.Binding, x.Size, x.Hint, x.Transport, x.Slot}
	m.mu.Lock()
	e := m.exports[x.Export]
	m.mu.Unlock()
	if e == nil {
		m.discard(&t)
		return session.ErrNotFound
	}
	b, err := m.prepare(channel.Transport(x.Transport), 0)
	if err != nil {
		m.discard(&t)
		return err
	}
	b.silent = true // until it is answered
	answer := session.Answer{Binding: x.Binding}
	own := capability.Reference(b.own)
	if b.item != nil {
		answer.Hint = uint16(b.item.Number())
	}
	if _, err := b.establish(&t, urpc.B, channel.Binding{
		Transport: channel.Transport(x.Transport), Why: "the program that bound to it chose it", Name: e.Name, Facts: factsOf(x.Facts),
	}); err != nil {
		return err
	}
	if own != 0 {
		if err := m.exchange.reply(t.slot, own, endpointRights); err != nil {
			return errors.Join(err, b.conn.Close())
		}
	}
	// Before anything that is said of the binding once the exporter has it.
	m.mu.Lock()
	b.silent = false
	taken := e.Take(b.conn)
	ring, full := false, false
	if taken {
		ring, full = m.queue(session.KindAnswer, &answer)
	}
	b.silent = !taken
	m.mu.Unlock()
	if !taken {
		return errors.Join(session.ErrRefused, b.conn.Close())
	}
	m.follow(ring, full)
	// Who has bound waits for this. Who accepts here need not hurry: nothing has come.
	m.system.yieldToMonitor()
	return nil
}

// refusal is an error as whoever binds is told it.
func refusal(err error) session.Error {
	var e session.Error
	if errors.As(err, &e) {
		return e
	}
	return session.ErrMemory
}

// prepare makes what the program itself has to have for a binding.
func (m *Machine) prepare(t channel.Transport, messages int) (*binding, error) {
	b := &binding{m: m, transport: t, came: make(chan struct{}, 1)}
	switch t {
	case channel.TransportLMP:
		if m.system.several() {
			return nil, fmt.Errorf("%s is not for programs that run on several cores: %w", t, session.ErrTransport)
		}
		var err error
		if b.own, err = m.system.endpoint(messages); err != nil {
			return nil, fmt.Errorf("%w: %w", session.ErrTransport, err)
		}
	case channel.TransportPolled, channel.TransportDoorbell:
		var err error
		if b.item, err = m.set.Add(nil); err != nil {
			return nil, err
		}
	default:
		return nil, session.ErrTransport
	}
	return b, nil
}

// endpointRights are what a monitor wants of an endpoint that is for a peer.
const endpointRights = capability.RightSend | capability.RightGrant

// offer returns what the exporter is to be told: the number for hints, and a slot of the
// exchange with an endpoint of the program's.
func (b *binding) offer(ctx context.Context) (hint uint16, slot uint8, err error) {
	if b.item != nil {
		return uint16(b.item.Number()), 0, nil
	}
	slot, err = b.m.exchange.put(ctx, capability.Reference(b.own), endpointRights)
	return 0, slot, err
}

// discard empties the slots of a binding that is not to be.
func (m *Machine) discard(t *terms) {
	n := numSlots
	if channel.Transport(t.transport) == channel.TransportLMP {
		n = 1
	}
	for i := range n {
		m.exchange.discard(int(t.slot) + i)
	}
}

// establish makes a connection of what the monitor has put into the exchange. If it
// fails all of that is given up, and the monitor is told.
func (b *binding) establish(t *terms, side urpc.Side, as channel.Binding) (conn, error) {
	b.id, b.most = t.id, urpc.Slots(int(t.size))/2+arrivalsMore // such a message takes two slots
	err := b.take(t)
	if err == nil && b.transport == channel.TransportLMP {
		b.conn, err = b.m.system.connect(lmp.Config{
			Own: b.own, Peer: b.slots[0], Set: b.m.set, Binding: as,
			OnClose: func() error {
				b.own = 0
				return b.release()
			},
		})
	} else if err == nil {
		b.conn, err = b.rings(t, side, as)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bind to %q: %w", as.Name, err), b.release())
	}
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	b.m.bindings[b.id] = b
	return b.conn, nil
}

// take takes what the monitor has put into the exchange.
func (b *binding) take(t *terms) error {
	var failed error
	if b.transport != channel.TransportLMP {
		b.board, failed = b.m.boards.take(int(t.slot) + 1)
	}
	c, err := b.m.exchange.take(int(t.slot))
	if b.transport == channel.TransportLMP && errors.Is(err, capability.ErrEmpty) {
		// The peer has died or closed its end, and its endpoint went. What it has sent is there,
		// and who sends to it is told, as over any other transport.
		c, err = b.m.system.slot()
	}
	if err == nil {
		b.slots = append(b.slots, c)
	}
	return errors.Join(err, failed)
}

// rings makes a connection over rings.
func (b *binding) rings(t *terms, side urpc.Side, as channel.Binding) (conn, error) {
	base, err := b.m.system.mapped(b.slots[0], uint64(t.size), true)
	if err != nil {
		return nil, err
	}
	b.views = append(b.views, view{base, uint64(t.size)})
	bell := new(urpc.Bell)
	if !bell.Attach(b.board.hints, b.board.sleep, int(t.hint)) {
		return nil, fmt.Errorf("the peer wants hints by number %d, and a board has %d: it does not keep to the protocol", t.hint, urpc.Hints)
	}
	var neighbour *wait.Neighbour
	if give := b.board.bell.give; give != nil {
		neighbour = b.m.set.Neighbour(give)
	}
	c, err := ring.New(ring.Config{
		Base: base, Size: int(t.size), Side: side, Item: b.item, Bell: bell, Ring: b.board.bell.ring, Neighbour: neighbour,
		Polled: b.transport == channel.TransportPolled, Binding: as, Give: b.give, Take: b.arrival,
		OnClose: func() error {
			b.item = nil
			return b.release()
		},
	})
	if err != nil {
		if neighbour != nil {
			neighbour.Leave()
		}
		return nil, err
	}
	return c, nil
}

// release gives up all that the program has of the binding, and tells the monitor.
func (b *binding) release() (failed error) {
	if b.item != nil {
		b.item.Remove()
	}
	if b.own != 0 {
		failed = errors.Join(failed, b.m.system.revoke(b.own))
	}
	for _, v := range b.views {
		failed = errors.Join(failed, b.m.system.unmap(v.at, v.bytes))
	}
	for _, c := range b.slots {
		failed = errors.Join(failed, b.m.system.drop(c))
	}
	if b.board != nil {
		failed = errors.Join(failed, b.m.boards.drop(b.board))
	}
	b.m.mu.Lock()
	if b.conn != nil && b.m.bindings[b.id] == b {
		delete(b.m.bindings, b.id)
	}
	b.m.mu.Unlock()
	b.mu.Lock()
	for _, c := range b.arrivals {
		if c != 0 {
			failed = errors.Join(failed, b.m.system.drop(c))
		}
	}
	b.arrivals, b.over = nil, true
	b.mu.Unlock()
	if b.id != 0 && !b.silent {
		b.m.send(session.KindClose, &session.Close{Binding: b.id})
	}
	return failed
}

// bindingOf returns the binding of a number, nil if there is none.
func (m *Machine) bindingOf(id uint32) *binding {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bindings[id]
}

// gone is the news that the peer has closed its end, or has died.
func (b *binding) gone() {
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
	b.rouse()
	b.conn.Gone()
}

// rouse has whoever waits for a capability look again.
func (b *binding) rouse() {
	select {
	case b.came <- struct{}{}:
	default:
	}
}
