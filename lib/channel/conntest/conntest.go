// Package conntest says what every channel.Conn must do, as a test: Run. The tests
// of transports import it. It must never ask for what package channel does not promise.
package conntest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// patience is how long anything may take that is to happen.
const patience = 30 * time.Second

// Transport is what is tested.
type Transport struct {
	// Connect returns the two ends of a new connection. They are closed by the tests,
	// or in t.Cleanup.
	Connect func(t testing.TB) (a, b channel.Conn)
	// Transport is what their Bindings say.
	Transport channel.Transport
	// Kill ends b as its death would: nobody calls Close. nil: that cannot be
	// tested.
	Kill func(t testing.TB, a, b channel.Conn)
	// Capability makes a capability for a to send, and Same reports whether what b
	// received is a capability to the same. nil: the transport carries none.
	Capability func(t testing.TB, a channel.Conn) capability.Reference
	Same       func(t testing.TB, sent, received capability.Reference) bool
	// Allocates has messages allocate.
	Allocates bool
	// Most bounds how many messages can be under way in one direction.
	Most int
}

// Run tests a transport.
func Run(t *testing.T, transport Transport) {
	r := &runner{&transport}
	if r.Most == 0 {
		r.Most = 1 << 20
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"sizes", r.sizes}, {"order", r.order}, {"concurrent", r.concurrent},
		{"empty", r.empty}, {"full", r.full}, {"room", r.room},
		{"deadlines", r.deadlines}, {"cancelled", r.cancelled},
		{"closed", r.closed}, {"peer closed", r.peerClosed}, {"closed while waiting", r.closedWaiting},
		{"killed", r.killed},
		{"refused", r.refused}, {"capabilities", r.capabilities},
		{"allocations", r.allocations},
	} {
		t.Run(test.name, test.run)
	}
}

type runner struct{ *Transport }

// connect makes a connection, whose ends are closed in the end, and a context that
// lasts as long as anything may take.
func (r *runner) connect(t *testing.T) (ctx context.Context, a, b channel.Conn) {
	t.Helper()
	a, b = r.Connect(t)
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	for _, c := range []channel.Conn{a, b} {
		if got := c.Binding().Transport; got != r.Transport.Transport {
			t.Errorf("the binding says that the transport is %v, not %v", got, r.Transport.Transport)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx, a, b
}

// numbered returns a message with a number in it.
func numbered(n uint64) *channel.Message {
	m := &channel.Message{Kind: uint8(n%255) + 1, Length: 8}
	binary.LittleEndian.PutUint64(m.Payload[:], n)
	return m
}

// number returns the number of a message that numbered made.
func number(t testing.TB, m *channel.Message) uint64 {
	t.Helper()
	n := binary.LittleEndian.Uint64(m.Payload[:])
	if want := numbered(n); m.Kind != want.Kind || m.Length != want.Length || m.Capability != 0 {
		t.Errorf("message %d came as kind %d with %d bytes and capability %v", n, m.Kind, m.Length, m.Capability)
	}
	return n
}

// expect receives messages from one number to before another.
func expect(ctx context.Context, t testing.TB, c channel.Conn, from, to uint64) {
	t.Helper()
	var m channel.Message
	for n := from; n < to; n++ {
		if err := c.Receive(ctx, &m); err != nil {
			t.Fatalf("receive message %d: %v", n, err)
		}
		if got := number(t, &m); got != n {
			t.Fatalf("received message %d, not %d", got, n)
		}
	}
}

// in runs f in a goroutine and returns what it will return.
func in(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// within waits for what f of in returns, which must be some error.
func within(t testing.TB, what string, done <-chan error, want error) {
	t.Helper()
	select {
	case err := <-done:
		is(t, what, err, want)
	case <-time.After(patience):
		t.Fatalf("%s: still waits", what)
	}
}

// is checks an error.
func is(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// fill sends numbered messages from a number on until there is no room for the
// time being, and returns the next number.
func (r *runner) fill(t testing.TB, c channel.Conn, n uint64) uint64 {
	t.Helper()
	for range r.Most + 1 {
		err := c.TrySend(numbered(n))
		if err == channel.ErrFull {
			return n
		}
		if err != nil {
			t.Fatalf("send message %d: %v", n, err)
		}
		n++
	}
	t.Fatalf("%d messages can be under way", r.Most+1)
	return n
}

// sizes sends each kind and length.
func (r *runner) sizes(t *testing.T) {
	ctx, a, b := r.connect(t)
	random := rand.New(rand.NewPCG(1, 1))
	for kind := 1; kind <= 255; kind++ {
		sent := channel.Message{Kind: uint8(kind), Length: uint8(kind % (channel.PayloadSize + 1))}
		for i := range sent.Payload {
			sent.Payload[i] = byte(random.Uint32())
		}
		if err := a.Send(ctx, &sent); err != nil {
			t.Fatal(err)
		}
		got := channel.Message{Capability: 1}
		if err := b.Receive(ctx, &got); err != nil {
			t.Fatal(err)
		}
		if got.Kind != sent.Kind || got.Length != sent.Length || got.Capability != 0 ||
			!bytes.Equal(got.Payload[:got.Length], sent.Payload[:sent.Length]) {
			t.Errorf("sent %v, received %v", sent, got)
		}
	}
}

// order sends in both directions in turn, in bursts.
func (r *runner) order(t *testing.T) {
	ctx, a, b := r.connect(t)
	random := rand.New(rand.NewPCG(2, 2))
	var there, back uint64
	for range 500 {
		for range random.IntN(4) {
			if a.TrySend(numbered(there)) == nil {
				there++
				expect(ctx, t, b, there-1, there)
			}
		}
		burst := there
		for range random.IntN(12) {
			if a.TrySend(numbered(burst)) != nil {
				break
			}
			burst++
		}
		if err := b.Send(ctx, numbered(back)); err != nil {
			t.Fatal(err)
		}
		expect(ctx, t, a, back, back+1)
		back++
		expect(ctx, t, b, there, burst)
		there = burst
	}
}

// concurrent has a goroutine send and one receive at each end, at random speeds,
// with waits that are cancelled: nothing is lost, and nothing comes twice.
func (r *runner) concurrent(t *testing.T) {
	ctx, a, b := r.connect(t)
	const messages = 20_000
	var all sync.WaitGroup
	for _, c := range []channel.Conn{a, b} {
		all.Go(func() {
			for n := range uint64(messages) {
				if err := c.Send(ctx, numbered(n)); err != nil {
					t.Errorf("send message %d: %v", n, err)
					return
				}
			}
		})
		all.Go(func() {
			random := rand.New(rand.NewPCG(3, 3))
			var m channel.Message
			for n := uint64(0); n < messages; {
				one, cancel := ctx, context.CancelFunc(func() {})
				if random.IntN(50) == 0 {
					one, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(100))*time.Microsecond)
				}
				err := c.Receive(one, &m)
				cancel()
				if err == context.DeadlineExceeded && ctx.Err() == nil {
					continue
				}
				if err != nil {
					t.Errorf("receive message %d: %v", n, err)
					return
				}
				if got := number(t, &m); got != n {
					t.Errorf("received message %d, not %d", got, n)
					return
				}
				n++
			}
		})
	}
	all.Wait()
}

// empty receives where there is nothing.
func (r *runner) empty(t *testing.T) {
	ctx, a, b := r.connect(t)
	var m channel.Message
	for range 3 {
		if ok, err := b.TryReceive(&m); ok || err != nil {
			t.Errorf("nothing was sent: %v, %v", ok, err)
		}
	}
	if err := a.Send(ctx, numbered(7)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		ok, err := b.TryReceive(&m)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("one message was sent: %v", err)
		}
		if ok {
			break
		}
	}
	if got := number(t, &m); got != 7 {
		t.Errorf("received message %d, not 7", got)
	}
	if ok, err := b.TryReceive(&m); ok || err != nil {
		t.Errorf("it was received already: %v, %v", ok, err)
	}
}

// full sends until there is no room, and again when there is.
func (r *runner) full(t *testing.T) {
	ctx, a, b := r.connect(t)
	var sent, received uint64
	for range 5 {
		next := r.fill(t, a, sent)
		if next == sent {
			// What has become free may take a while to be seen.
			if err := a.Send(ctx, numbered(sent)); err != nil {
				t.Fatal(err)
			}
			next++
		}
		sent = next
		expect(ctx, t, b, received, sent)
		received = sent
	}
}

// room has a sender wait for room, and leave when there is some.
func (r *runner) room(t *testing.T) {
	ctx, a, b := r.connect(t)
	sent := r.fill(t, a, 0)
	const more = 1000
	done := in(func() error {
		for n := range uint64(more) {
			if err := a.Send(ctx, numbered(sent+n)); err != nil {
				return err
			}
		}
		return nil
	})
	expect(ctx, t, b, 0, sent+more)
	within(t, "sending into a full connection", done, nil)
	// It goes on in the other direction, where nothing has been received all the
	// time.
	if err := b.Send(ctx, numbered(0)); err != nil {
		t.Fatal(err)
	}
	expect(ctx, t, a, 0, 1)
}

// deadlines has waits end by their deadlines, and the connection go on.
func (r *runner) deadlines(t *testing.T) {
	r.interrupted(t, context.DeadlineExceeded, func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 2*time.Millisecond)
	})
}

// cancelled has waits cancelled.
func (r *runner) cancelled(t *testing.T) {
	r.interrupted(t, context.Canceled, func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(2*time.Millisecond, cancel)
		return ctx, cancel
	})
}

func (r *runner) interrupted(t *testing.T, want error, limit func(context.Context) (context.Context, context.CancelFunc)) {
	ctx, a, b := r.connect(t)
	var m channel.Message
	for range 3 {
		short, cancel := limit(ctx)
		within(t, "receive", in(func() error { return b.Receive(short, &m) }), want)
		within(t, "receive again", in(func() error { return b.Receive(short, &m) }), want)
		cancel()
	}
	sent := r.fill(t, a, 0)
	for range 3 {
		short, cancel := limit(ctx)
		// There may be room still, in buffers between the two.
		within(t, "send", in(func() error {
			for {
				if err := a.Send(short, numbered(sent)); err != nil {
					return err
				}
				sent++
			}
		}), want)
		// A message that is there is received whatever the context.
		if err := b.Receive(ctx, &m); err != nil {
			t.Fatal(err)
		}
		cancel()
		number(t, &m)
		sent = r.fill(t, a, sent)
	}
	expect(ctx, t, b, 3, sent)
	if err := b.Send(ctx, numbered(1)); err != nil {
		t.Error(err)
	}
	expect(ctx, t, a, 1, 2)
}

// dead checks that nothing works at an end any more.
func dead(t testing.TB, c channel.Conn, want error) {
	t.Helper()
	var m channel.Message
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range 2 {
		within(t, "send", in(func() error { return c.Send(ctx, numbered(1)) }), want)
		is(t, "try to send", c.TrySend(numbered(1)), want)
		within(t, "receive", in(func() error { return c.Receive(ctx, &m) }), want)
		ok, err := c.TryReceive(&m)
		is(t, "try to receive", err, want)
		if ok {
			t.Error("received a message besides")
		}
	}
}

// closed uses an end that has been closed.
func (r *runner) closed(t *testing.T) {
	ctx, a, b := r.connect(t)
	if err := b.Send(ctx, numbered(1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	dead(t, a, channel.ErrClosed)
}

// peerClosed has one end closed after it has sent: the other gets all of that.
func (r *runner) peerClosed(t *testing.T) {
	ctx, a, b := r.connect(t)
	for n := range uint64(3) {
		if err := a.Send(ctx, numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	expect(ctx, t, b, 0, 3)
	var m channel.Message
	within(t, "receive", in(func() error { return b.Receive(ctx, &m) }), channel.ErrPeer)
	dead(t, b, channel.ErrPeer)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	dead(t, b, channel.ErrClosed)
}

// closedWaiting closes an end while both ends wait to receive, and to send.
func (r *runner) closedWaiting(t *testing.T) {
	for _, sending := range []bool{false, true} {
		ctx, a, b := r.connect(t)
		wait := func(c channel.Conn) <-chan error {
			if sending {
				r.fill(t, c, 0)
			}
			return in(func() error {
				var m channel.Message
				for {
					var err error
					if sending {
						err = c.Send(ctx, numbered(0))
					} else {
						err = c.Receive(ctx, &m)
					}
					if err != nil {
						return err
					}
				}
			})
		}
		own, others := wait(a), wait(b)
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond) // both before and after they sleep
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		within(t, "waiting at an end that is closed", own, channel.ErrClosed)
		within(t, "waiting for a peer that is closed", others, channel.ErrPeer)
	}
}

// killed has a peer die.
func (r *runner) killed(t *testing.T) {
	if r.Kill == nil {
		t.Skip("this transport's test does not kill")
	}
	ctx, a, b := r.connect(t)
	for n := range uint64(3) {
		if err := b.Send(ctx, numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	expect(ctx, t, a, 0, 1)
	r.Kill(t, a, b)
	expect(ctx, t, a, 1, 3)
	var m channel.Message
	within(t, "receive", in(func() error { return a.Receive(ctx, &m) }), channel.ErrPeer)
	dead(t, a, channel.ErrPeer)

	for _, sending := range []bool{false, true} {
		ctx, a, b := r.connect(t)
		if sending {
			r.fill(t, a, 0)
		}
		done := in(func() error {
			for {
				var err error
				if sending {
					err = a.Send(ctx, numbered(0))
				} else {
					err = a.Receive(ctx, &m)
				}
				if err != nil {
					return err
				}
			}
		})
		r.Kill(t, a, b)
		within(t, "waiting for a peer that dies", done, channel.ErrPeer)
	}
}

// refused sends what is no message.
func (r *runner) refused(t *testing.T) {
	ctx, a, b := r.connect(t)
	for _, m := range []channel.Message{{}, {Kind: 1, Length: channel.PayloadSize + 1}, {Kind: 1, Length: 255}} {
		for _, err := range []error{a.Send(ctx, &m), a.TrySend(&m)} {
			if err == nil {
				t.Errorf("kind %d with %d bytes was sent", m.Kind, m.Length)
			}
		}
	}
	if err := a.Send(ctx, numbered(5)); err != nil {
		t.Fatal(err)
	}
	expect(ctx, t, b, 5, 6)
}

// capabilities sends some, between messages without.
func (r *runner) capabilities(t *testing.T) {
	ctx, a, b := r.connect(t)
	if r.Capability == nil {
		m := numbered(1)
		m.Capability = 1
		is(t, "send a capability", a.Send(ctx, m), channel.ErrNoCapability)
		is(t, "try to send a capability", a.TrySend(m), channel.ErrNoCapability)
		if err := a.Send(ctx, numbered(2)); err != nil {
			t.Fatal(err)
		}
		expect(ctx, t, b, 2, 3)
		return
	}
	for n := range uint64(20) {
		if err := a.Send(ctx, numbered(n)); err != nil {
			t.Fatal(err)
		}
		sent := numbered(n)
		sent.Capability = r.Capability(t, a)
		// The receiver is there: a transport may need it to.
		var got channel.Message
		done := in(func() error {
			if err := b.Receive(ctx, &got); err != nil {
				return err
			}
			if number(t, &got) != n {
				t.Errorf("received message %d, not %d", number(t, &got), n)
			}
			return b.Receive(ctx, &got)
		})
		if err := a.Send(ctx, sent); err != nil {
			t.Fatal(err)
		}
		within(t, "receive a capability", done, nil)
		if got.Kind != sent.Kind || !bytes.Equal(got.Payload[:got.Length], sent.Payload[:sent.Length]) ||
			got.Capability == 0 || !r.Same(t, sent.Capability, got.Capability) {
			t.Errorf("sent %v, received %v", sent, got)
		}
	}
}

// allocations holds messages at none.
func (r *runner) allocations(t *testing.T) {
	if r.Allocates {
		t.Skip("this transport allocates")
	}
	ctx, a, b := r.connect(t)
	ctx, cancel := context.WithCancel(ctx)
	stopped := in(func() error {
		var m channel.Message
		for {
			if err := b.Receive(ctx, &m); err != nil {
				return err
			}
			if err := b.Send(ctx, &m); err != nil {
				return err
			}
		}
	})
	m := numbered(1)
	round := func() {
		if err := a.Send(ctx, m); err != nil {
			t.Fatal(err)
		}
		if err := a.Receive(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		round()
	}
	if n := testing.AllocsPerRun(2000, round); n != 0 {
		t.Errorf("%v allocations a round trip", n)
	}
	cancel()
	within(t, "the other end", stopped, context.Canceled)
}
