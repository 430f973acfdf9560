package bulk

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"skerry/lib/channel"
	"skerry/lib/channel/direct"
	"skerry/lib/urpc"
)

// twice returns memory that is mapped at two places, as two programs have it.
func twice(t testing.TB, size int) (m [2][]byte) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "memory")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	for i := range m {
		if m[i], err = syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Munmap(m[i]) })
	}
	return m
}

// streams returns the two ends of a stream, and their connections.
func streams(t testing.TB, l Layout) (s [2]*Stream, c [2]channel.Conn) {
	t.Helper()
	memory := twice(t, l.Size())
	c[0], c[1] = direct.New(4, channel.Binding{}, direct.Capabilities{})
	for side := range s {
		r, err := NewRegion(memory[side], l, urpc.Side(side))
		if err != nil {
			t.Fatal(err)
		}
		s[side] = NewStream(c[side], r)
		t.Cleanup(func() { s[side].Close() })
	}
	return s, c
}

// TestStream sends numbered buffers both ways at once, more than there are and than the
// connection holds, and checks what is in each.
func TestStream(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, _ := streams(t, Layout{BufferSize: 4096, Buffers: [2]int{7, 2}})
	const buffers = 3000
	var all sync.WaitGroup
	for side := range s {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(side), 1))
			for n := range uint32(buffers) {
				b, err := s[side].Get(ctx)
				if err != nil {
					t.Errorf("side %d, buffer %d: get: %v", side, n, err)
					return
				}
				data := b.Bytes()[:8+random.IntN(4096-8+1)]
				for i := 8; i+8 <= len(data); i += 8 {
					binary.LittleEndian.PutUint64(data[i:], random.Uint64())
				}
				binary.LittleEndian.PutUint32(data, n)
				binary.LittleEndian.PutUint32(data[4:], crc32.ChecksumIEEE(data[8:]))
				if err := s[side].Send(ctx, b, len(data)); err != nil {
					t.Errorf("side %d, buffer %d: send: %v", side, n, err)
					return
				}
			}
		})
		all.Go(func() {
			for n := range uint32(buffers) {
				b, err := s[side].Receive(ctx)
				if err != nil {
					t.Errorf("side %d, buffer %d: receive: %v", side, n, err)
					return
				}
				data := b.Data()
				if got := binary.LittleEndian.Uint32(data); got != n || crc32.ChecksumIEEE(data[8:]) != binary.LittleEndian.Uint32(data[4:]) {
					t.Errorf("side %d received buffer %d, not %d, or not whole", side, got, n)
					return
				}
				if err := s[side].Return(ctx, b); err != nil {
					t.Errorf("side %d, buffer %d: return: %v", side, n, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestStreamEnds checks what ends a wait, and what has come is not lost by it.
func TestStreamEnds(t *testing.T) {
	ctx := t.Context()
	s, _ := streams(t, Layout{BufferSize: 64, Buffers: [2]int{2, 0}})
	var had []Buffer
	for range 2 {
		b, err := s[0].Get(ctx)
		if err != nil {
			t.Fatal(err)
		}
		had = append(had, b)
	}
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if _, err := s[0].Get(short); err != context.DeadlineExceeded {
		t.Error("get what is not there:", err)
	}
	if _, err := s[1].Receive(short); err != context.DeadlineExceeded {
		t.Error("receive what is not there:", err)
	}
	if err := s[0].Return(ctx, had[0]); err != ErrNotHere {
		t.Error("return what the peer has not sent:", err)
	}
	if err := s[0].Send(ctx, had[0], 65); err == nil {
		t.Error("sent more than a buffer holds")
	}
	copy(had[0].Bytes(), "the last")
	if err := s[0].Send(ctx, had[0], 8); err != nil {
		t.Fatal(err)
	}
	if err := s[0].Send(ctx, had[0], 8); err != ErrNotHere {
		t.Error("sent twice:", err)
	}
	done := make(chan error)
	go func() { _, err := s[0].Get(ctx); done <- err }()
	if err := s[0].Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != channel.ErrClosed {
		t.Error("waits at a stream that is closed:", err)
	}
	b, err := s[1].Receive(ctx)
	if err != nil || string(b.Data()) != "the last" {
		t.Errorf("received %q, %v", b.Data(), err)
	}
	if _, err := s[1].Receive(ctx); err != channel.ErrPeer {
		t.Error("received from a peer that has closed:", err)
	}
	if err := s[1].Return(ctx, b); err != channel.ErrPeer {
		t.Error("returned to a peer that has closed:", err)
	}
	if err := s[0].Send(ctx, had[1], 1); err != channel.ErrClosed {
		t.Error("sent by a stream that is closed:", err)
	}
}

// TestStreamBroken has a peer that does not keep the rules: its stream ends, and says
// why.
func TestStreamBroken(t *testing.T) {
	token := func(kind uint8, t Token) *channel.Message {
		m := &channel.Message{Kind: kind, Length: TokenSize}
		t.Put(m.Payload[:])
		return m
	}
	for name, m := range map[string]*channel.Message{
		"a kind that is none":      token(3, Token{2, 0}),
		"a token of seven bytes":   {Kind: kindGrant, Length: 7},
		"grants what is not its":   token(kindGrant, Token{0, 0}),
		"returns what it has not":  token(kindReturn, Token{0, 0}),
		"returns what is its own":  token(kindReturn, Token{2, 0}),
		"grants what is not there": token(kindGrant, Token{4, 0}),
		"grants too much":          token(kindGrant, Token{2, 65}),
	} {
		l := Layout{BufferSize: 64, Buffers: [2]int{2, 2}}
		r, err := NewRegion(make([]byte, l.Size()), l, urpc.A)
		if err != nil {
			t.Fatal(err)
		}
		own, peer := direct.New(4, channel.Binding{}, direct.Capabilities{})
		s := NewStream(own, r)
		if err := peer.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(t.Context()); !errors.Is(err, channel.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
		if err := peer.Receive(t.Context(), m); err != channel.ErrPeer {
			t.Errorf("%s: the peer is told %v", name, err)
		}
		s.Close()
	}

	// It grants twice.
	s, c := streams(t, Layout{BufferSize: 64, Buffers: [2]int{0, 2}})
	for range 2 {
		if err := c[1].Send(t.Context(), token(kindGrant, Token{1, 3})); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := s[0].Receive(t.Context()); err != nil || len(b.Data()) != 3 {
		t.Error("what it granted rightly:", err)
	}
	if _, err := s[0].Receive(t.Context()); !errors.Is(err, ErrToken) || !errors.Is(err, channel.ErrBroken) {
		t.Error("grants twice:", err)
	}
}

// TestStreamAllocations holds a buffer's way at none.
func TestStreamAllocations(t *testing.T) {
	s, _ := streams(t, Layout{BufferSize: 64, Buffers: [2]int{2, 0}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if n := testing.AllocsPerRun(500, func() {
		b, err := s[0].Get(ctx)
		if err == nil {
			err = s[0].Send(ctx, b, 64)
		}
		if err == nil {
			b, err = s[1].Receive(ctx)
		}
		if err == nil {
			err = s[1].Return(ctx, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a buffer", n)
	}
}
