// Bulk sends buffers to another program, which sends others at the same time, in memory that
// both have; the one that starts first offers it. Both end with exit code 0, or say what
// was wrong.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"skerry/abi/capability"
	"skerry/lib/bind"
	"skerry/lib/bulk"
	"skerry/lib/channel"
)

var iface = channel.Interface{Name: "bulk", Version: 1, Fingerprint: 1}

const (
	bufferSize = 16 << 10
	buffers    = 200
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	run, name := offer, "offers"
	l, err := bind.Export("bulk", iface)
	if errors.Is(err, bind.ErrTaken) {
		run, name, err = accept, "accepts", nil
	}
	if err == nil {
		err = run(ctx, l)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bulk: whoever %s: %v\n", name, err)
		os.Exit(1)
	}
}

func offer(ctx context.Context, l *bind.Listener) error {
	c, err := l.Accept(ctx)
	if err != nil {
		return err
	}
	layout := bulk.Layout{BufferSize: bufferSize, Buffers: [2]int{5, 3}}
	m, err := bulk.NewMemory(layout.Size())
	if err != nil {
		return err
	}
	s, err := bulk.Offer(ctx, c, m, layout)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- send(ctx, s, 1) }()
	if err := errors.Join(receive(ctx, s, 2), <-sent); err != nil {
		return err
	}
	// The peer closes its end, and has given up the memory then.
	if _, err := s.Receive(ctx); !errors.Is(err, channel.ErrPeer) {
		return fmt.Errorf("the peer's end: %w", err)
	}
	return errors.Join(s.Close(), m.Free(func(r capability.Reference) error { return bind.Withdraw(ctx, r) }))
}

func accept(ctx context.Context, _ *bind.Listener) error {
	c, err := bind.Dial(ctx, "bulk", iface)
	if err != nil {
		return err
	}
	s, err := bulk.Accept(ctx, c, 1<<20)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- send(ctx, s, 2) }()
	return errors.Join(receive(ctx, s, 1), <-sent, drained(ctx, s), s.Close())
}

// drained waits until the peer has returned all that it was sent.
func drained(ctx context.Context, s *bulk.Stream) error {
	for range 3 {
		if _, err := s.Get(ctx); err != nil {
			return fmt.Errorf("have the buffers back: %w", err)
		}
	}
	return nil
}

// send sends buffers that are each filled with words of their own.
func send(ctx context.Context, s *bulk.Stream, seed uint64) error {
	for n := range uint64(buffers) {
		b, err := s.Get(ctx)
		if err != nil {
			return fmt.Errorf("get buffer %d: %w", n, err)
		}
		length := bufferSize - int(n)*8
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(b.Bytes()[i:], seed<<40|n<<20|uint64(i))
		}
		if err := s.Send(ctx, b, length); err != nil {
			return fmt.Errorf("send buffer %d: %w", n, err)
		}
	}
	return nil
}

// receive receives what send sends, and returns it.
func receive(ctx context.Context, s *bulk.Stream, seed uint64) error {
	for n := range uint64(buffers) {
		b, err := s.Receive(ctx)
		if err != nil {
			return fmt.Errorf("receive buffer %d: %w", n, err)
		}
		if len(b.Data()) != bufferSize-int(n)*8 {
			return fmt.Errorf("buffer %d has %d bytes", n, len(b.Data()))
		}
		for i := 0; i < len(b.Data()); i += 8 {
			if got, want := binary.LittleEndian.Uint64(b.Data()[i:]), seed<<40|n<<20|uint64(i); got != want {
				return fmt.Errorf("buffer %d: %#x at byte %d, not %#x", n, got, i, want)
			}
		}
		if err := s.Return(ctx, b); err != nil {
			return fmt.Errorf("return buffer %d: %w", n, err)
		}
	}
	return nil
}
