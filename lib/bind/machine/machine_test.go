package machine

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"skerry/abi/capability"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/channel/conntest"
	"skerry/lib/session"
)

var iface = channel.Interface{Name: "test", Version: 3, Fingerprint: 7}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// export has a program export a name; connections come out of what it returns.
func export(t testing.TB, p *program, name string) <-chan channel.Conn {
	t.Helper()
	came := make(chan channel.Conn, 4)
	_, err := p.machine.Export(&network.Export{Name: name, Interface: iface, Take: func(c channel.Conn) bool {
		select {
		case came <- c:
			return true
		default:
			return false
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return came
}

func dial(ctx context.Context, p *program, name string) (channel.Conn, error) {
	return p.machine.Bind(ctx, &network.Request{Name: name, Interface: iface, Transport: channel.TransportDoorbell, Why: "test"})
}

// connected returns two programs that are bound to each other, and their ends.
func connected(t testing.TB, m *monitor) (p [2]*program, c [2]channel.Conn) {
	t.Helper()
	p = [2]*program{m.start(), m.start()}
	came := export(t, p[1], "connected")
	var err error
	if c[0], err = dial(within(t), p[0], "connected"); err != nil {
		t.Fatal(err)
	}
	c[1] = <-came
	return p, c
}

// TestConn holds what is bound by a monitor to what all transports promise.
func TestConn(t *testing.T) {
	var programs [2]*program
	conntest.Run(t, conntest.Transport{
		Transport: channel.TransportDoorbell,
		Connect: func(t testing.TB) (channel.Conn, channel.Conn) {
			var ends [2]channel.Conn
			programs, ends = connected(t, newMonitor(t))
			return ends[0], ends[1]
		},
		Kill:       func(testing.TB, channel.Conn, channel.Conn) { programs[0].monitor.kill(programs[1]) },
		Capability: func(testing.TB, channel.Conn) capability.Reference { return programs[0].add(thing{9}) },
		Same: func(_ testing.TB, sent, received capability.Reference) bool {
			return programs[1].at(received) == thing{9}
		},
		Allocates: true, // the pipe that stands for a doorbell does
	})
}

// TestNothingIsLeft checks that ends give up all that they were given.
func TestNothingIsLeft(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	a, b := m.start(), m.start()
	came := export(t, b, "store")
	gift := a.add(thing{1})
	before := [2]int{a.holds(), b.holds()}
	for i := range 50 {
		c, err := dial(ctx, a, "store")
		if err != nil {
			t.Fatal(err)
		}
		s := <-came
		// Some capabilities are received, some not.
		for range i % 4 {
			if err := c.Send(ctx, &channel.Message{Kind: 1, Capability: gift}); err != nil {
				t.Fatal(err)
			}
		}
		if i%4 == 3 {
			var got channel.Message
			if err := s.Receive(ctx, &got); err != nil {
				t.Fatal(err)
			}
			b.drop(got.Capability)
		}
		ends := []channel.Conn{c, s}
		for j := range ends {
			if err := ends[(i+j)%2].Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	// They hear of what has arrived, and the monitor of what they closed, in their own time.
	if _, err := a.machine.Find(ctx, "store", false); err != nil {
		t.Error(err)
	}
	if _, err := b.machine.Find(ctx, "store", false); err != nil {
		t.Error(err)
	}
	if after := [2]int{a.holds(), b.holds()}; after != before {
		t.Errorf("the programs hold %d capabilities and mappings, and held %d", after, before)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.bindings) != 0 {
		t.Errorf("%d bindings are left", len(m.bindings))
	}
}

// TestRefused has bindings refused, for each reason that there is.
func TestRefused(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	a, b := m.start(), m.start()
	if _, err := dial(ctx, a, "nowhere"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("a name that is not there: %v", err)
	}
	came := export(t, b, "busy")
	if _, err := a.machine.Export(&network.Export{Name: "busy", Interface: iface}); !errors.Is(err, session.ErrTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	r := network.Request{Name: "busy", Interface: iface, Transport: channel.TransportDoorbell}
	r.Interface.Version = 8
	var v *network.VersionError
	if _, err := a.machine.Bind(ctx, &r); !errors.As(err, &v) || v.Want != 8 || v.Have != 3 {
		t.Errorf("another version: %v", err)
	}
	r.Interface, r.Transport = iface, channel.TransportLMP
	if _, err := a.machine.Bind(ctx, &r); !errors.Is(err, session.ErrTransport) {
		t.Errorf("LMP with several dispatchers: %v", err)
	}
	for range cap(came) {
		if _, err := dial(ctx, a, "busy"); err != nil {
			t.Fatal(err)
		}
	}
	before := [2]int{a.holds(), b.holds()}
	if _, err := dial(ctx, a, "busy"); err != session.ErrRefused {
		t.Errorf("an exporter that takes no more: %v", err)
	}
	b.mu.Lock()
	b.poor = true
	b.mu.Unlock()
	<-came
	if _, err := dial(ctx, a, "busy"); err != session.ErrRefusedMemory {
		t.Errorf("an exporter without slots: %v", err)
	}
	if after := [2]int{a.holds(), b.holds()}; after != before {
		t.Errorf("the programs hold %d capabilities and mappings, and held %d", after, before)
	}
}

// TestNames looks names up, waits for one that comes, and watches one that goes.
func TestNames(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	a, b := m.start(), m.start()
	if _, err := a.machine.Find(ctx, "later", false); !errors.Is(err, session.ErrNotFound) {
		t.Error(err)
	}
	if err := a.machine.Watch(ctx, "later"); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	if _, err := a.machine.Find(short, "later", true); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	cancel()
	var found, all sync.WaitGroup
	for range 100 {
		found.Add(1)
		all.Go(func() {
			info, err := a.machine.Find(ctx, "later", true)
			found.Done()
			if err != nil || info.Version != 3 || info.Fingerprint != 7 || info.Facts.Core != 3 || info.Facts.Distance != 12 || info.Facts.Load != 2 {
				t.Errorf("%+v, %v", info, err)
			}
			if err := a.machine.Watch(ctx, "later"); err != nil {
				t.Error(err)
			}
		})
	}
	offer, err := b.machine.Export(&network.Export{Name: "later", Interface: iface})
	if err != nil {
		t.Fatal(err)
	}
	short, cancel = context.WithTimeout(ctx, time.Millisecond)
	if err := a.machine.Watch(short, "later"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	cancel()
	found.Wait() // who looks after this waits for another
	offer.Close()
	all.Wait()
}

// TestNoRoom asks the monitor more than there is room for while it does not look: when it
// does, it is told all, though it says nothing itself.
func TestNoRoom(t *testing.T) {
	const many = 200
	m := newMonitor(t)
	ctx, cancel := context.WithCancel(within(t))
	p := m.start()
	var all sync.WaitGroup
	m.mu.Lock()
	for range many {
		all.Go(func() { p.machine.Find(ctx, "nobody", true) })
	}
	until := func(done func() bool) {
		t.Helper()
		for !done() {
			if ctx.Err() != nil {
				t.Fatal(ctx.Err())
			}
			runtime.Gosched()
		}
	}
	until(func() bool {
		p.machine.mu.Lock()
		defer p.machine.mu.Unlock()
		return len(p.machine.asked) == many && len(p.machine.unsent) > 0
	})
	m.mu.Unlock()
	until(func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.asking) == many
	})
	cancel()
	all.Wait()
}

// TestForsaken has whoever binds go away before the exporter answers: when it does, the
// binding is closed.
func TestForsaken(t *testing.T) {
	m := newMonitor(t)
	a, b := m.start(), m.start()
	came := export(t, b, "slow")
	m.mu.Lock()
	m.hold = true
	m.mu.Unlock()
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := dial(short, a, "slow"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	m.mu.Lock()
	for _, e := range m.names {
		m.offer(m.last, e.id)
	}
	m.mu.Unlock()
	m.ring()
	s := <-came
	if err := s.Receive(within(t), new(channel.Message)); !errors.Is(err, channel.ErrPeer) {
		t.Errorf("bound to nobody: %v", err)
	}
}

// TestBoardOnce binds two programs often: each has the other's board once, until the
// last connection is closed.
func TestBoardOnce(t *testing.T) {
	const often = 50
	m := newMonitor(t)
	a, b := m.start(), m.start()
	came := export(t, b, "often")
	ctx := within(t)
	var ends []channel.Conn
	for range often {
		c, err := dial(ctx, a, "often")
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, c, <-came)
	}
	for _, p := range []*program{a, b} {
		// The frame of each and the board's three, and all but the doorbell are mapped.
		if n, want := p.holds(), 2*often+5; n != want {
			t.Errorf("with %d connections a program holds %d capabilities and mappings, not %d", often, n, want)
		}
	}
	for i, c := range ends {
		if i == len(ends)-2 { // whose boards are still there
			if err := ends[i].Send(ctx, &channel.Message{Kind: 1}); err != nil {
				t.Error(err)
			}
			if err := ends[i+1].Receive(ctx, new(channel.Message)); err != nil {
				t.Error(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := a.holds() + b.holds(); n != 0 {
		t.Errorf("the programs hold %d in the end", n)
	}
}

// TestNeverClosed has one end closed: of the other nothing is kept either, though nobody
// closes it, once what was sent before has been received.
func TestNeverClosed(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, t *testing.T, p [2]*program, c [2]channel.Conn) error{
		"who receives no more": func(_ context.Context, _ *testing.T, _ [2]*program, c [2]channel.Conn) error {
			return c[0].Close()
		},
		"who waits": func(ctx context.Context, t *testing.T, _ [2]*program, c [2]channel.Conn) error {
			told := make(chan error, 1)
			go func() { told <- c[1].Receive(ctx, new(channel.Message)) }()
			err := c[0].Close()
			if err := <-told; err != channel.ErrPeer {
				t.Error("who waits was told", err)
			}
			return err
		},
		"who is late": func(ctx context.Context, t *testing.T, p [2]*program, c [2]channel.Conn) error {
			err := errors.Join(c[0].Send(ctx, &channel.Message{Kind: 1}), c[0].Close())
			// What answers this was said after it was told that the other is gone.
			if _, err := p[1].machine.Find(ctx, "connected", false); err != nil {
				t.Error(err)
			}
			if p[1].holds() == 0 {
				t.Error("what was sent is lost")
			}
			err = errors.Join(err, c[1].Receive(ctx, new(channel.Message)))
			if err := c[1].Receive(ctx, new(channel.Message)); err != channel.ErrPeer {
				t.Error("who is late was told", err)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMonitor(t)
			ctx := within(t)
			p, c := connected(t, m)
			if err := end(ctx, t, p, c); err != nil {
				t.Error(err)
			}
			for p[1].holds() > 0 {
				if ctx.Err() != nil {
					t.Fatalf("the program holds %d still", p[1].holds())
				}
				time.Sleep(time.Millisecond)
			}
			for _, err := range []error{c[1].Send(ctx, &channel.Message{Kind: 1}), c[1].Receive(ctx, new(channel.Message))} {
				if err != channel.ErrPeer {
					t.Error("after the end:", err)
				}
			}
			if err := c[1].Close(); err != nil {
				t.Error(err)
			}
			if err := c[1].Send(ctx, &channel.Message{Kind: 1}); err != channel.ErrClosed {
				t.Error("sent after Close:", err)
			}
		})
	}
}

// TestWithdraw leaves nothing in the exchange.
func TestWithdraw(t *testing.T) {
	p := newMonitor(t).start()
	c := p.add(thing{4})
	for range 100 {
		if err := p.machine.Withdraw(within(t), c); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.holds(); n != 1 {
		t.Errorf("the program holds %d capabilities", n)
	}
}

// TestWithdrawnOnItsWay has a capability withdrawn before it is taken: its message comes,
// with an empty slot, and the connection goes on.
func TestWithdrawnOnItsWay(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	p, c := connected(t, m)
	gift := p[0].add(thing{3})
	var r channel.Message
	for _, revoked := range []bool{true, false, true} {
		m.mu.Lock()
		m.revoked = revoked
		m.mu.Unlock()
		if err := c[0].Send(ctx, &channel.Message{Kind: 5, Capability: gift}); err != nil {
			t.Fatal(err)
		}
		if err := c[1].Receive(ctx, &r); err != nil || r.Kind != 5 || r.Capability == 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		want := any(thing{3})
		if revoked {
			want = nothing{}
		}
		if got := p[1].at(r.Capability); got != want {
			t.Errorf("received %v, want %v", got, want)
		}
	}
}

// TestFull has the receiver's exchange full for a while: nothing is lost.
func TestFull(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	p, c := connected(t, m)
	gift := channel.Message{Kind: 5, Capability: p[0].add(thing{3})}
	refuse := func(e session.Error) {
		m.mu.Lock()
		m.refused = e
		m.mu.Unlock()
	}
	refuse(session.ErrFull)
	if err := c[0].TrySend(&gift); err != channel.ErrFull {
		t.Error(err)
	}
	sent := make(chan error, 1)
	go func() { sent <- c[0].Send(ctx, &gift) }()
	refuse(session.ErrNone)
	var r channel.Message
	if err := c[1].Receive(ctx, &r); err != nil || p[1].at(r.Capability) != (thing{3}) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// TestDeep sends more capabilities than the exchange has room for, through a deep ring,
// before any is received.
func TestDeep(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	p := [2]*program{m.start(), m.start()}
	came := export(t, p[1], "deep")
	c, err := p[0].machine.Bind(ctx, &network.Request{Name: "deep", Interface: iface, Transport: channel.TransportDoorbell, Depth: 1000})
	if err != nil {
		t.Fatal(err)
	}
	peer := <-came
	const sent = 500
	for i := range sent {
		if err := c.Send(ctx, &channel.Message{Kind: 5, Capability: p[0].add(thing{i})}); err != nil {
			t.Fatal(err)
		}
	}
	var r channel.Message
	for i := range sent {
		if err := peer.Receive(ctx, &r); err != nil || p[1].at(r.Capability) != (thing{i}) {
			t.Fatalf("%d: %+v, %v", i, r, err)
		}
	}
}

// TestTravel names the type of what cannot go to another core.
func TestTravel(t *testing.T) {
	m := newMonitor(t)
	m.refused = session.ErrTravel
	p, c := connected(t, m)
	err := c[0].Send(within(t), &channel.Message{Kind: 5, Capability: p[0].add(thing{3})})
	if !errors.Is(err, session.ErrTravel) || !strings.Contains(err.Error(), "Endpoint") {
		t.Error(err)
	}
}

// TestFlood has a peer give more than anybody receives: only its connection breaks.
func TestFlood(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	p, c := connected(t, m)
	gift := p[0].add(thing{2})
	before := p[1].holds()
	var end *binding
	p[0].machine.mu.Lock()
	for _, b := range p[0].machine.bindings {
		end = b
	}
	p[0].machine.mu.Unlock()
	most := end.most
	for range 3 * most {
		_, err := end.give(ctx, gift)
		for ; err == channel.ErrFull; _, err = end.give(ctx, gift) {
			runtime.Gosched()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	heard := func() {
		if _, err := p[1].machine.Find(ctx, "connected", false); err != nil {
			t.Fatal(err)
		}
	}
	heard()
	if n := p[1].holds(); n > before+most+1 {
		t.Errorf("the receiver holds %d more", n-before)
	}
	if err := c[0].Send(ctx, &channel.Message{Kind: 1, Capability: gift}); err != nil {
		t.Fatal(err)
	}
	if err := c[1].Receive(ctx, new(channel.Message)); err != channel.ErrBroken {
		t.Errorf("received from one that gives without measure: %v", err)
	}
	if err := c[1].Close(); err != nil {
		t.Error(err)
	}
	heard()
	if n := p[1].holds(); n != 0 {
		t.Errorf("it holds %d in the end", n)
	}
}

// FuzzMonitor has the monitor say anything: the program goes on.
func FuzzMonitor(f *testing.F) {
	f.Add([]byte{session.KindBound, 1, 0, 0, 0})
	for _, x := range []struct {
		kind uint8
		body any
	}{
		{session.KindExported, &session.Exported{ID: 2}}, {session.KindFound, &session.Found{Request: 2}},
		{session.KindNameGone, &session.NameGone{Request: 2}}, {session.KindIncoming, &session.Incoming{Export: 1, Binding: 1, Transport: 4, Slot: 70, Size: 8192}},
		{session.KindBound, &session.Bound{Request: 2, Binding: 1, Transport: 4, Slot: 70, Size: 8192}}, {session.KindGone, &session.Gone{Binding: 1}},
		{session.KindArrived, &session.Arrived{Binding: 1, Ticket: 1, Slot: 64}}, {session.KindGiven, &session.Given{Binding: 1, Ticket: 2}},
		{session.KindWithdrawn, &session.Withdrawn{Request: 2}},
	} {
		var b [channel.PayloadSize]byte
		n := session.Put(&b, x.body)
		f.Add(append([]byte{x.kind}, b[:n]...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newMonitor(t)
		p := m.start()
		export(t, p, "fuzzed")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		m.mu.Lock()
		m.hold, m.lenient = true, true
		m.mu.Unlock()
		all.Go(func() { dial(ctx, p, "fuzzed") })
		all.Go(func() { p.machine.Find(ctx, "another", true) })
		for len(data) > 0 {
			n := min(len(data)-1, channel.PayloadSize)
			p.machine.hear(data[0], data[1:1+n], n)
			data = data[1+n:]
		}
		all.Wait()
	})
}
