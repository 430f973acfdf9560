package bind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// Backlog is how many connections wait for Accept at most; whoever dials when there
// are so many is refused.
const Backlog = 128

// Listener is an exported interface. Its methods may be called by many goroutines.
type Listener struct {
	name    string
	pending chan channel.Conn
	offers  []io.Closer

	mu     sync.Mutex // held while something is put into pending
	closed bool
	done   chan struct{} // closed by Close
}

// Export offers an interface under a name, to this program and all others that can
// reach it. It fails with ErrTaken if somebody has the name.
func Export(name string, i channel.Interface, options ...Option) (*Listener, error) {
	o := settingsOf(options)
	o.err = nil // the transport is for whoever dials to choose
	if err := o.check(name); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	l := &Listener{name: name, pending: make(chan channel.Conn, Backlog), done: make(chan struct{})}
	for _, n := range all() {
		offer, err := n.Export(&network.Export{Name: name, Interface: i, Take: l.take})
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("export %q: %w", name, err)
		}
		l.offers = append(l.offers, offer)
	}
	return l, nil
}

// take keeps a connection for Accept, if there is room.
func (l *Listener) take(c channel.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	select {
	case l.pending <- c:
		return true
	default:
		return false
	}
}

// Accept waits for the next who binds to the name, as long as the context lasts. Who
// dialled may have sent messages already. It fails with channel.ErrClosed after
// Close.
func (l *Listener) Accept(ctx context.Context) (channel.Conn, error) {
	select {
	case c := <-l.pending:
		return c, nil
	default:
	}
	select {
	case c := <-l.pending:
		return c, nil
	case <-l.done:
		return nil, fmt.Errorf("accept at %q: %w", l.name, channel.ErrClosed)
	case <-ctx.Done():
		return nil, fmt.Errorf("accept at %q: %w", l.name, ctx.Err())
	}
}

// Close takes the offer back and closes what waits for Accept; what has been accepted
// stays.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.done)
	l.mu.Unlock()
	var failed error
	for _, offer := range l.offers {
		failed = errors.Join(failed, offer.Close())
	}
	for {
		select {
		case c := <-l.pending:
			failed = errors.Join(failed, c.Close())
		default:
			return failed
		}
	}
}

func isNotFound(err error) bool { return errors.Is(err, session.ErrNotFound) }
