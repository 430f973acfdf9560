package bind

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"skerry/lib/bind/introduce"
	"skerry/lib/channel"
	"skerry/lib/channel/conntest"
	"skerry/lib/channel/hop"
)

// relay passes messages on between what is in this program, under a name.
func relay(t *testing.T, name string) {
	t.Helper()
	l, err := Export(name, introduce.Interface)
	if err != nil {
		t.Fatal(err)
	}
	reach := Reach(nil)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { l.Close(); cancel() })
	go func() {
		for {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			go reach.Serve(ctx, c)
		}
	}()
}

// hops binds to a name of this program through the relay.
func hops(t testing.TB, l *Listener, name string, o ...Option) (c, s channel.Conn) {
	t.Helper()
	ctx := within(t)
	c, err := Dial(ctx, name, iface, append(o, Via(channel.TransportHop))...)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = l.Accept(ctx); err != nil {
		t.Fatal(err)
	}
	return c, s
}

// TestRelay passes messages on, both ways at once, and what an end sent before it went.
func TestRelay(t *testing.T) {
	ctx := within(t)
	relay(t, hop.Relay)
	l := export(t, "behind")
	c, s := hops(t, l, "behind")
	if b := c.Binding(); b.Transport != channel.TransportHop || b.Why == "" || b.Name != "behind" {
		t.Errorf("bound by %+v", b)
	}
	const messages = 5000
	failed := make(chan error, 4)
	send := func(c channel.Conn) {
		m := channel.Message{Kind: 1, Length: 8}
		for i := range messages {
			binary.LittleEndian.PutUint64(m.Payload[:], uint64(i))
			if err := c.Send(ctx, &m); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}
	receive := func(c channel.Conn) {
		var m channel.Message
		for i := range messages {
			if err := c.Receive(ctx, &m); err != nil {
				failed <- err
				return
			}
			if m.Kind != 1 || m.Length != 8 || binary.LittleEndian.Uint64(m.Payload[:]) != uint64(i) {
				failed <- errors.New("messages out of order")
				return
			}
		}
		failed <- nil
	}
	go send(c)
	go send(s)
	go receive(c)
	go receive(s)
	for range 4 {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if err := s.Send(ctx, &channel.Message{Kind: uint8(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	var m channel.Message
	for i := range 3 {
		if err := c.Receive(ctx, &m); err != nil || m.Kind != uint8(i+1) {
			t.Fatalf("message %d of an end that went: %+v, %v", i, m, err)
		}
	}
	if err := c.Receive(ctx, &m); !errors.Is(err, channel.ErrPeer) {
		t.Errorf("after it: %v", err)
	}
}

// TestRelayConn holds the transport to what all of them promise.
func TestRelayConn(t *testing.T) {
	relay(t, hop.Relay)
	l := export(t, "conn")
	conntest.Run(t, conntest.Transport{
		Transport: channel.TransportHop,
		Connect: func(t testing.TB) (channel.Conn, channel.Conn) {
			c, s := hops(t, l, "conn")
			return c, &throughRelay{s}
		},
		// Over the relay the news takes its way.
		Kill:      func(_ testing.TB, _, b channel.Conn) { b.Close() },
		Allocates: false,
	})
}

// throughRelay is the exporter's end of what comes through a relay, which it does not
// know.
type throughRelay struct{ channel.Conn }

func (throughRelay) Binding() channel.Binding {
	return channel.Binding{Transport: channel.TransportHop}
}

// TestRelayHoldsLittle checks that a sender waits whose receiver does not receive, at
// both ends of a relay, and is told when that one goes.
func TestRelayHoldsLittle(t *testing.T) {
	ctx := within(t)
	relay(t, hop.Relay)
	l := export(t, "slow")
	c, s := hops(t, l, "slow")
	sent, failed := 0, make(chan error)
	go func() {
		for {
			if err := c.Send(ctx, &channel.Message{Kind: 1}); err != nil {
				failed <- err
				return
			}
			if sent++; sent > 1000 {
				failed <- errors.New("sent a thousand messages to one that does not receive")
				return
			}
		}
	}()
	var m channel.Message
	if err := s.Receive(ctx, &m); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := <-failed; !errors.Is(err, channel.ErrPeer) {
		t.Error(err)
	}
}

// TestRelayNames finds names through a relay, and is told what it is told.
func TestRelayNames(t *testing.T) {
	ctx := within(t)
	n := ThroughRelay(hop.Relay)
	if _, err := n.Find(ctx, "unseen", false); !errors.Is(err, ErrNotFound) {
		t.Errorf("found with no relay: %v", err)
	}
	relay(t, hop.Relay)
	if _, err := n.Find(ctx, "unseen", false); !errors.Is(err, ErrNotFound) {
		t.Errorf("found: %v", err)
	}
	found := make(chan error)
	go func() {
		info, err := n.Find(ctx, "unseen", true)
		if err == nil && (info.Only != channel.TransportHop || info.Version != iface.Version) {
			err = errors.New("found another")
		}
		found <- err
	}()
	l := export(t, "unseen")
	if err := <-found; err != nil {
		t.Error(err)
	}
	other := iface
	other.Version = 9
	var v *VersionError
	if _, err := Dial(ctx, "unseen", other, Via(channel.TransportHop)); !errors.As(err, &v) || v.Have != iface.Version {
		t.Errorf("bound to another version: %v", err)
	}
	gone := make(chan error)
	go func() { gone <- n.Watch(ctx, "unseen") }()
	l.Close()
	if err := <-gone; err != nil {
		t.Error(err)
	}
}
