package stub

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// Handler is an implementation as the generated server sees it: Handle takes the
// arguments of the call, runs the method, and encodes its results.
type Handler interface {
	Handle(ctx context.Context, call *Incoming)
}

// Option changes how a connection is served.
type Option func(*server)

// Inline has calls run in the goroutine that reads, one after the other: right for
// implementations that never wait and are soon done. Then a client is not heard while
// a call runs, so that no call learns of being cancelled. Methods with streams run in
// goroutines all the same.
func Inline(s *server) { s.inline = true }

// maxIdle is how many goroutines wait for calls at most.
const maxIdle = 8

type server struct {
	link
	spec   *Spec
	impl   Handler
	inline bool
	alone  bool            // nobody but the reader has had to do with the link
	ctx    context.Context // the connection's

	// calls are those under way. Only the reader adds one, and only who runs it
	// takes it away.
	calls [MaxCalls]atomic.Pointer[Incoming]
	next  *Incoming               // what the reader has got together, and is to run
	given [1]capability.Reference // with a call that is run directly
	free  *Incoming               // with mu

	work    chan *Incoming
	ordered chan *Incoming // one-way messages; nil until there is one
	idle    atomic.Int32
	workers sync.WaitGroup
}

// Serve answers the calls of whoever is at the other end of a connection, until that
// one leaves, when it returns nil, the context ends, or the peer breaks the rules. The
// connection is closed then, the contexts of all calls have ended, and the calls have
// returned.
func Serve(ctx context.Context, conn channel.Conn, impl Handler, spec *Spec, options ...Option) error {
	s := &server{spec: spec, impl: impl, work: make(chan *Incoming)}
	s.handle = s.accept
	s.serves = true
	s.leader.Store(led)
	s.own(conn)
	for _, o := range options {
		o(s)
	}
	s.alone = s.inline
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithCancel(ctx)
	err := s.read()
	cancel()
	s.mu.Lock()
	s.fail(err)
	err = s.err
	s.leaveConn()
	s.mu.Unlock()
	s.conn.Close()
	close(s.work)
	if s.ordered != nil {
		close(s.ordered)
	}
	s.workers.Wait()
	for i := range s.calls {
		if x := s.calls[i].Load(); x != nil {
			x.discard()
		}
	}
	if errors.Is(err, channel.ErrPeer) {
		return nil
	}
	return err
}

// read reads the connection until it fails.
func (s *server) read() error {
	direct := s.take()
	direct.In.start(s.in.Payload[:0], nil)
	for s.ctx.Err() == nil { // who always finds a message does not hear of it otherwise
		var err error
		if s.inline {
			err = s.serveDirectly(direct)
		} else {
			err = s.conn.Receive(s.ctx, &s.in)
		}
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.next = nil
		err = s.receive()
		if err != nil {
			s.fail(err)
		}
		s.mu.Unlock()
		switch x := s.next; {
		case err != nil:
			return err
		case x == nil:
		case s.inline && x.flow == nil:
			switch {
			case x.err != nil:
			case x.lifetime == 0:
				s.impl.Handle(s.ctx, x)
			default:
				s.runFor(x, x.lifetime)
			}
			x.finish()
			s.recycle(x)
		default:
			s.hand(x)
		}
	}
	return s.ctx.Err()
}

// hand has another goroutine run a call. One-way messages are run in order, by one; the
// reader waits if MaxCalls of them do.
func (s *server) hand(x *Incoming) {
	if s.alone {
		s.alone = false
	}
	if x.method().OneWay {
		if s.ordered == nil {
			s.ordered = make(chan *Incoming, MaxCalls)
			s.workers.Go(func() {
				for x := range s.ordered {
					s.perform(x)
				}
			})
		}
		s.ordered <- x
		return
	}
	select {
	case s.work <- x:
	default:
		s.workers.Add(1)
		go s.worker(x)
	}
}

func (s *server) worker(x *Incoming) {
	defer s.workers.Done()
	for x != nil {
		s.perform(x)
		if s.idle.Add(1) > maxIdle {
			s.idle.Add(-1)
			return
		}
		x = <-s.work
		s.idle.Add(-1)
	}
}

// perform performs a call in a goroutine of its own.
func (s *server) perform(x *Incoming) {
	if x.err == nil {
		s.impl.Handle(x.ctx, x)
	}
	x.finish()
	x.ctx.end(context.Canceled)
	s.recycle(x)
}

// take returns a call to fill.
func (s *server) take() *Incoming {
	if x := s.free; x != nil {
		s.free = x.next
		return x
	}
	x := &Incoming{server: s}
	x.waiter = newWaiter()
	x.link, x.spec = &s.link, s.spec
	x.ready()
	return x
}

// recycle keeps a call that has ended for another. One with a stream is not used again:
// whoever has the stream may still try it.
func (s *server) recycle(x *Incoming) {
	s.mu.Lock()
	x.ctx = nil
	if x.flow == nil {
		x.ready()
		x.next, s.free = s.free, x
	}
	s.mu.Unlock()
}

// accept takes a message from the client. mu is held.
func (s *server) accept(h header, m *channel.Message) error {
	x := s.calls[h.call].Load()
	if m.Kind == kindCall {
		method := s.spec.method(h.method)
		if x != nil || method == nil {
			return broken("a call of method %d as number %d", h.method, h.call)
		}
		x = s.take()
		x.start(h, method)
		if method.Stream != NoStream {
			x.flow = newFlow()
		}
		s.calls[h.call].Store(x)
		x.listed = true
		return x.arrived(x.begin(m, method.Request))
	}
	if x == nil {
		// The client did not know yet that the call has ended.
		if m.Capability != 0 && (m.Kind == kindItem || m.Kind == kindMore) {
			discard([]capability.Reference{m.Capability})
			m.Capability = 0
		}
		return nil
	}
	switch m.Kind {
	case kindItem, kindEnd:
		limit := x.method().Item
		if m.Kind == kindEnd {
			limit = Size{Bytes: maxFailure}
		}
		if x.method().Stream != ToServer {
			return broken("an item for %s", x.method().Name)
		}
		return x.arrived(x.begin(m, limit))
	case kindMore:
		return x.arrived(x.add(m))
	case kindCredit, kindStop:
		if x.method().Stream != ToClient || !x.flow.control(m) {
			return broken("a message of kind %d for %s", m.Kind, x.method().Name)
		}
		x.notify()
	case kindCancel:
		x.cancel()
	default:
		return broken("a message of kind %d", m.Kind)
	}
	return nil
}
