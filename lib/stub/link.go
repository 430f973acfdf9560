package stub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// A link is what client and server have in common: one end of a connection, over which
// many goroutines send, and which one of those reads that wait: the leader (lead.go).
type link struct {
	conn channel.Conn
	// handle judges and keeps a message, with mu held; an error says what is wrong
	// with it.
	handle func(h header, m *channel.Message) error

	in channel.Message // the leader's

	mu      sync.Mutex
	err     error // why the connection carries nothing any more
	sending bool  // somebody is in conn.Send, without mu
	senders []*waiter
	waiting []*waiter // for messages, and for the lead
	// stopPump ends the pump, which leads while something is sent for which there
	// was no room, if nobody else does.
	stopPump context.CancelFunc

	// serves says that a server's reader leads, and leaving what is to be done when it has left.
	serves  bool
	leaving []func()

	leader atomic.Uint32 // whether there is one; see lead.go
	direct bool          // it is a client's first call, which may leave without mu
}

// A waiter is a goroutine that waits.
type waiter struct {
	ready chan struct{} // with room for one: look again
	done  bool          // what it waited for has come
}

// noHeader is a header that no message has.
const noHeader = ^uint64(0)

func newWaiter() waiter { return waiter{ready: make(chan struct{}, 1)} }

func (w *waiter) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// notify says that what w waits for has come.
func (w *waiter) notify() {
	w.done = true
	w.wake()
}

func remove(list []*waiter, w *waiter) []*waiter {
	if i := slices.Index(list, w); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// fatal reports whether an error of a connection is its end, rather than one
// message's trouble.
func fatal(err error) bool {
	return errors.Is(err, channel.ErrClosed) || errors.Is(err, channel.ErrPeer) || errors.Is(err, channel.ErrBroken)
}

// broken returns the error for a peer that broke the rules.
func broken(format string, a ...any) error {
	return fmt.Errorf("%w: %s", channel.ErrBroken, fmt.Sprintf(format, a...))
}

// fail ends the connection for all that use it. mu is held.
func (l *link) fail(err error) {
	if l.err == nil {
		l.err = err
	}
	for _, w := range l.waiting {
		w.wake()
	}
	for _, w := range l.senders {
		w.wake()
	}
}

// breakOff ends the connection because of what the peer did.
func (l *link) breakOff(err error) {
	l.mu.Lock()
	l.fail(err)
	l.mu.Unlock()
	l.conn.Close()
}

// send sends a message that stands for itself. It waits for room as long as the context
// lasts. mu is held, but not while it waits.
func (l *link) send(ctx context.Context, m *channel.Message) error {
	err := l.sendMessage(ctx, m)
	l.endPump()
	return err
}

// sendMessage is send for one message of several: a pump goes on.
func (l *link) sendMessage(ctx context.Context, m *channel.Message) error {
	if l.err != nil {
		return l.err
	}
	// A capability may take long to be passed on.
	if !l.sending && m.Capability == 0 {
		err := l.conn.TrySend(m)
		if err == nil {
			return nil
		}
		if !errors.Is(err, channel.ErrFull) {
			return l.refused(err)
		}
	}
	return l.sendLater(ctx, m)
}

// sendLater is sendMessage when there is no room now.
func (l *link) sendLater(ctx context.Context, m *channel.Message) error {
	if l.sending {
		w := newWaiter()
		for l.sending && l.err == nil && ctx.Err() == nil {
			l.senders = append(l.senders, &w)
			l.mu.Unlock()
			select {
			case <-w.ready:
			case <-ctx.Done():
			}
			l.mu.Lock()
			l.senders = remove(l.senders, &w)
		}
		if !l.sending && (l.err != nil || ctx.Err() != nil) {
			l.nextSender()
		}
		if l.err != nil {
			return l.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	l.sending = true
	l.succeed()
	l.mu.Unlock()
	err := l.conn.Send(ctx, m)
	l.mu.Lock()
	l.sending = false
	l.nextSender()
	return l.refused(err)
}

func (l *link) nextSender() {
	if len(l.senders) > 0 {
		l.senders[0].wake()
	}
}

// refused notes an error of sending.
func (l *link) refused(err error) error {
	if err != nil && fatal(err) {
		l.fail(err)
	}
	return err
}

// receive handles the message in l.in. mu is held.
func (l *link) receive() (err error) {
	if h, ok := parse(&l.in); ok {
		err = l.handle(h, &l.in)
	} else {
		err = broken("a message of kind %d and %d bytes has no valid header", l.in.Kind, l.in.Length)
	}
	if c := l.in.Capability; c != 0 {
		// Nobody has taken it.
		discard([]capability.Reference{c})
		if err == nil {
			err = broken("a message of kind %d brought a capability", l.in.Kind)
		}
	}
	return err
}

// endPump has the pump leave the lead.
func (l *link) endPump() {
	if l.stopPump != nil {
		l.stopPump()
		l.stopPump = nil
	}
}

// sendPiece sends what e has, whose first bytes are left for the header. m is where e
// began, and is used for all of its messages. It returns how many were sent. mu is
// held, but not while it waits.
func (l *link) sendPiece(ctx context.Context, kind uint8, h header, e *Encoder, m *channel.Message) (sent int, err error) {
	h.put(m)
	if l.plain(kind, e, m) && l.conn.TrySend(m) == nil {
		return 0, nil
	}
	m.Kind = kind
	sent, err = l.sendMessages(ctx, h, e, m)
	l.endPump()
	return sent, err
}

// plain says whether e has what most often is to be sent, and it can be sent as it is: one message,
// without a capability. Then m, which has the header, is ready for TrySend; if that fails too,
// sendPiece finds out why. mu is held, if anybody else can want it.
func (l *link) plain(kind uint8, e *Encoder, m *channel.Message) bool {
	m.Kind, m.Length, m.Capability = kind, uint8(len(e.b)), 0
	return e.plain() && !l.sending && l.err == nil
}

// sendMessages is sendPiece for what takes several messages, or waits.
func (l *link) sendMessages(ctx context.Context, h header, e *Encoder, m *channel.Message) (sent int, err error) {
	if e.inMessage() && e.present <= 1 {
		m.Length = uint8(len(e.b))
		m.Capability = 0
		if e.present != 0 {
			m.Capability = e.capabilities[0]
		}
		h.put(m)
		return 0, l.sendMessage(ctx, m)
	}
	rest := e.b[copy(m.Payload[:], e.b):]
	m.Length = uint8(len(e.b) - len(rest))
	for ; ; sent++ {
		h.flags &^= flagMore
		if len(rest) > 0 || sent+1 < e.present {
			h.flags |= flagMore
		}
		h.put(m)
		m.Capability = 0
		if sent < e.present {
			m.Capability = e.capabilities[sent]
		}
		if err := l.sendMessage(ctx, m); err != nil || h.flags&flagMore == 0 {
			return sent, err
		}
		n := copy(m.Payload[headerSize:], rest)
		rest = rest[n:]
		m.Kind, m.Length = kindMore, uint8(headerSize+n)
		h.method, h.lifetime = 0, 0
	}
}
