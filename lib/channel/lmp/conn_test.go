package lmp

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/conntest"
	"skerry/lib/native/endpoint"
	"skerry/lib/wait"
)

// kernel is one core's, as far as two endpoints know it: a buffer for each, and a
// doorbell that is rung when something comes, or when there is room for who has
// found none.
type kernel struct{ sync.Mutex }

type fakePort struct {
	k      *kernel
	peer   *fakePort
	bell   *os.File
	buffer [room]endpoint.Message
	count  int
	wants  bool // to be told of room at the peer
	closed bool

	slot, next capability.Reference // for the next capability; the one after it
}

const room = 4

func (p *fakePort) notify() { p.bell.Write(ring) }

var ring = []byte{1}

func (p *fakePort) send(m *endpoint.Message) error {
	p.k.Lock()
	defer p.k.Unlock()
	switch {
	case p.peer.closed:
		return capability.ErrPeer
	case p.peer.count == room:
		p.wants = true
		return capability.ErrFull
	case m.Capability != 0 && p.peer.slot == 0:
		p.wants = true
		return capability.ErrNoSlot
	case m.Capability == 13:
		return capability.ErrEmpty
	}
	c := *m
	clear(c.Words[c.Len:])
	if c.Given = m.Capability != 0; c.Given {
		p.peer.slot = 0
	}
	c.Capability = 0
	p.peer.buffer[p.peer.count] = c
	p.peer.count++
	p.peer.notify()
	return nil
}

func (p *fakePort) poll(m *endpoint.Message) error {
	p.k.Lock()
	defer p.k.Unlock()
	if p.closed {
		panic("a port is used that has been closed")
	}
	if p.count == 0 {
		return capability.ErrAgain
	}
	*m = p.buffer[0]
	copy(p.buffer[:], p.buffer[1:])
	p.count--
	p.tell()
	return nil
}

// tell notifies the peer if it wants to send.
func (p *fakePort) tell() {
	if p.peer.wants {
		p.peer.wants = false
		p.peer.notify()
	}
}

func (p *fakePort) yield() { runtime.Gosched() }

func (p *fakePort) accept() (capability.Reference, error) {
	p.k.Lock()
	defer p.k.Unlock()
	came := p.next
	p.next++
	p.slot = p.next
	p.tell()
	return came, nil
}

func (p *fakePort) close() error {
	p.k.Lock()
	defer p.k.Unlock()
	p.closed = true
	p.tell()
	return nil
}

// newSet returns a Set and what rings it.
func newSet(t testing.TB) (*wait.Set, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s, err := wait.On(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); w.Close() })
	return s, w
}

// pair returns two programs' ends, and their ports.
func pair(t testing.TB) (ends [2]*Conn, ports [2]*fakePort) {
	t.Helper()
	k := new(kernel)
	for i := range ports {
		ports[i] = &fakePort{k: k, next: 256}
	}
	ports[0].peer, ports[1].peer = ports[1], ports[0]
	var sets [2]*wait.Set
	for i, p := range ports {
		sets[i], p.bell = newSet(t)
	}
	for i, p := range ports {
		p.accept()
		var err error
		ends[i], err = newConn(p, &Config{Set: sets[i], Binding: channel.Binding{Transport: channel.TransportLMP}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return ends, ports
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestStream sends both ways at once, more than there is room for, capabilities among it.
func TestStream(t *testing.T) {
	ctx := within(t)
	ends, _ := pair(t)
	const messages = 20_000
	failed := make(chan error, 4)
	for _, c := range ends {
		go func() {
			failed <- func() error {
				m := channel.Message{Kind: 1, Length: 8}
				for i := range messages {
					binary.LittleEndian.PutUint64(m.Payload[:], uint64(i))
					m.Capability = 0
					if i%7 == 0 {
						m.Capability = 5
					}
					if err := c.Send(ctx, &m); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
		go func() {
			failed <- func() error {
				var m channel.Message
				came := capability.Reference(257)
				for i := range messages {
					if err := c.Receive(ctx, &m); err != nil {
						return err
					}
					if binary.LittleEndian.Uint64(m.Payload[:]) != uint64(i) || m.Kind != 1 || m.Length != 8 {
						return errors.New("messages out of order")
					}
					want := capability.Reference(0)
					if i%7 == 0 {
						want, came = came, came+1
					}
					if m.Capability != want {
						return errors.New("another capability came, or none")
					}
				}
				return nil
			}()
		}()
	}
	for range 4 {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// TestGone has the peer go: what it sent before comes, and then the news.
func TestGone(t *testing.T) {
	ctx := within(t)
	ends, _ := pair(t)
	for i := range room {
		if err := ends[0].TrySend(&channel.Message{Kind: uint8(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ends[0].TrySend(&channel.Message{Kind: 9}); err != channel.ErrFull {
		t.Errorf("sent into a full buffer: %v", err)
	}
	stuck := make(chan error)
	go func() { stuck <- ends[0].Send(ctx, &channel.Message{Kind: 9}) }()
	ends[1].port.(*fakePort).k.Lock() // the one that waits for room has found none
	ends[1].port.(*fakePort).k.Unlock()
	ends[0].Gone()
	if err := <-stuck; err != channel.ErrPeer {
		t.Errorf("sent to nobody: %v", err)
	}
	ends[1].Gone()
	var m channel.Message
	for i := range room {
		if err := ends[1].Receive(ctx, &m); err != nil || m.Kind != uint8(i+1) {
			t.Errorf("message %d: %+v, %v", i, m, err)
		}
	}
	for range 2 {
		if err := ends[1].Receive(ctx, &m); err != channel.ErrPeer {
			t.Errorf("received from nobody: %v", err)
		}
	}
}

// TestClose has those who wait return, and then touches nothing of the kernel's.
func TestClose(t *testing.T) {
	ctx := within(t)
	ends, _ := pair(t)
	for ends[0].TrySend(&channel.Message{Kind: 1}) == nil {
	}
	failed := make(chan error)
	go func() { failed <- ends[0].Send(ctx, &channel.Message{Kind: 1}) }()
	go func() { failed <- ends[0].Receive(ctx, new(channel.Message)) }()
	for range 3 {
		if err := ends[0].Close(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := <-failed; err != channel.ErrClosed {
			t.Error(err)
		}
	}
	if _, err := ends[0].TryReceive(new(channel.Message)); err != channel.ErrClosed {
		t.Error(err)
	}
	if err := ends[1].Send(ctx, &channel.Message{Kind: 1}); err != channel.ErrPeer {
		t.Error(err)
	}
}

// TestCancelled has whoever waits return with the context, and goes on after it.
func TestCancelled(t *testing.T) {
	ends, _ := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := ends[0].Receive(ctx, new(channel.Message)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for ends[1].TrySend(&channel.Message{Kind: 1}) == nil {
	}
	if err := ends[1].Send(ctx, &channel.Message{Kind: 2}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for range room {
		if ok, err := ends[0].TryReceive(new(channel.Message)); !ok || err != nil {
			t.Error(ok, err)
		}
	}
	if ok, err := ends[0].TryReceive(new(channel.Message)); ok || err != nil {
		t.Error("a message was sent whose context had ended", ok, err)
	}
}

// TestGarbage has a peer say what is no message: only its connection breaks.
func TestGarbage(t *testing.T) {
	for _, g := range []endpoint.Message{
		{},
		{Len: 1},
		{Len: 1, Words: [abi.MessageWords]uint64{1 << 8}},
		{Len: 10, Words: [abi.MessageWords]uint64{1 | 57<<8}},
		{Len: 2, Words: [abi.MessageWords]uint64{1}},
		{Len: 1, Words: [abi.MessageWords]uint64{1 | 8<<8}},
		{Len: 1, Words: [abi.MessageWords]uint64{1 | 1<<16}},
	} {
		ends, ports := pair(t)
		if err := ports[0].send(&g); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := ends[1].Receive(within(t), new(channel.Message)); err != channel.ErrBroken {
				t.Errorf("%v: %v", g, err)
			}
		}
	}
}

// TestCapability has an error of the kernel's reach who gave what it has not.
func TestCapability(t *testing.T) {
	ends, _ := pair(t)
	if err := ends[0].Send(within(t), &channel.Message{Kind: 1, Capability: 13}); !errors.Is(err, capability.ErrEmpty) {
		t.Error(err)
	}
}

func TestCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := channel.Message{Kind: rapid.Uint8Range(1, 255).Draw(t, "kind")}
		payload := rapid.SliceOfN(rapid.Byte(), 0, channel.PayloadSize).Draw(t, "payload")
		want.Length = uint8(copy(want.Payload[:], payload))
		var w endpoint.Message
		encode(&w, &want)
		var got channel.Message
		if !decode(&got, &w) || got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// TestConn holds the transport to what all of them promise.
func TestConn(t *testing.T) {
	conntest.Run(t, conntest.Transport{
		Transport: channel.TransportLMP,
		Connect: func(t testing.TB) (channel.Conn, channel.Conn) {
			ends, _ := pair(t)
			// As the monitors do it.
			for i, c := range ends {
				c.onClose = func() error { ends[1-i].Gone(); return nil }
			}
			return ends[0], ends[1]
		},
		Kill:       func(_ testing.TB, a, _ channel.Conn) { a.(*Conn).Gone() },
		Capability: func(testing.TB, channel.Conn) capability.Reference { return 5 },
		Same:       func(_ testing.TB, _, received capability.Reference) bool { return received > 256 },
		Most:       room,
	})
}
