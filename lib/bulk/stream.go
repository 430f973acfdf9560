package bulk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"skerry/lib/channel"
)

// Kinds of messages of a Stream.
const (
	kindGrant = 1 + iota
	kindReturn
)

// Stream sends buffers to the peer and receives its buffers, by a connection that
// nothing else uses. Its methods can be called from any goroutine, but a buffer is for one
// at a time. It allocates nothing.
type Stream struct {
	conn channel.Conn

	mu     sync.Mutex
	region *Region

	// Neither can ever be full: each has room for all buffers that can be in it.
	free     chan Buffer // at home and not in use
	received chan Buffer // granted by the peer

	sending chan struct{}   // full while a goroutine sends
	message channel.Message // of that one
	ended   chan struct{}   // closed when nothing comes any more
	why     error           // set by then

	close   sync.Once
	release func() error // gives up the memory; may be nil
}

// NewStream returns one end of a stream. The connection and the region are the stream's
// from then on; neither has been used yet, but to agree on it.
func NewStream(c channel.Conn, r *Region) *Stream {
	own := r.Free()
	s := &Stream{
		conn: c, region: r,
		free:     make(chan Buffer, own),
		received: make(chan Buffer, len(r.places)-own),
		sending:  make(chan struct{}, 1),
		ended:    make(chan struct{}),
	}
	for range own {
		b, _ := r.Take()
		s.free <- b
	}
	go s.listen()
	return s
}

// listen takes in what the peer grants and returns.
func (s *Stream) listen() {
	defer close(s.ended)
	var m channel.Message
	for {
		err := s.conn.Receive(context.Background(), &m)
		if err == nil {
			err = s.take(&m)
		}
		if err != nil {
			s.why = err
			// The peer learns of it, and whoever sends.
			_ = s.conn.Close()
			return
		}
	}
}

// take takes in one message.
func (s *Stream) take(m *channel.Message) error {
	if m.Length != TokenSize || m.Kind != kindGrant && m.Kind != kindReturn || m.Capability != 0 {
		return fmt.Errorf("%w: a message of kind %d with %d bytes", channel.ErrBroken, m.Kind, m.Length)
	}
	token := GetToken(m.Payload[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Kind == kindGrant {
		b, err := s.region.Granted(token)
		if err != nil {
			return fmt.Errorf("%w: %w", channel.ErrBroken, err)
		}
		s.received <- b
		return nil
	}
	b, err := s.region.Returned(token)
	if err != nil {
		return fmt.Errorf("%w: %w", channel.ErrBroken, err)
	}
	b.length = 0
	s.free <- b
	return nil
}

// Get returns an empty buffer to be filled and sent. It waits until there is one as long
// as the context lasts.
func (s *Stream) Get(ctx context.Context) (Buffer, error) { return s.next(ctx, s.free) }

// Receive returns the next buffer that the peer has sent, to be returned by Return. It
// waits for one as long as the context lasts. What the peer sent before it closed its
// end comes first.
func (s *Stream) Receive(ctx context.Context) (Buffer, error) { return s.next(ctx, s.received) }

func (s *Stream) next(ctx context.Context, from chan Buffer) (Buffer, error) {
	select {
	case b := <-from:
		return b, nil
	default:
	}
	select {
	case b := <-from:
		return b, nil
	case <-s.ended:
		// What came last.
		select {
		case b := <-from:
			return b, nil
		default:
			return Buffer{}, s.why
		}
	case <-ctx.Done():
		return Buffer{}, ctx.Err()
	}
}

// Send sends a buffer from Get to the peer, of which length bytes count. The
// buffer is the caller's still if that fails.
func (s *Stream) Send(ctx context.Context, b Buffer, length int) error {
	return s.pass(ctx, b, length, kindGrant, (*Region).Grant)
}

// Return gives a buffer from Receive back to the peer. The buffer is the caller's
// still if that fails.
func (s *Stream) Return(ctx context.Context, b Buffer) error {
	return s.pass(ctx, b, 0, kindReturn, (*Region).Return)
}

func (s *Stream) pass(ctx context.Context, b Buffer, length int, kind uint8, leave func(*Region, Buffer, int) (Token, error)) error {
	select {
	case s.sending <- struct{}{}:
		defer func() { <-s.sending }()
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	token, err := leave(s.region, b, length)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.message.Kind, s.message.Length = kind, TokenSize
	token.Put(s.message.Payload[:])
	if err := s.conn.Send(ctx, &s.message); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.region.Keep(token); err != nil {
			return err
		}
		return s.because(err)
	}
	return nil
}

// because is why a message could not be sent: what the peer did, if the connection
// has been closed for that.
func (s *Stream) because(err error) error {
	select {
	case <-s.ended:
		return s.why
	default:
		return err
	}
}

// Close ends the stream and its connection. Whoever waits returns. No buffer may be used
// any more.
func (s *Stream) Close() (err error) {
	s.close.Do(func() {
		if s.release != nil {
			// Before the peer learns that it can have the memory back.
			err = s.release()
		}
		err = errors.Join(err, s.conn.Close())
		<-s.ended
	})
	return err
}
