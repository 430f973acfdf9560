package hop

import (
	"context"
	"errors"
	"sync"
	"time"

	"skerry/abi/capability"
	"skerry/lib/bind/introduce"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// patience is how long somebody who has bound to a relay may take to say what for.
const patience = 10 * time.Second

// parting is how long a relay goes on to pass on what an end has sent that is gone.
const parting = 2 * time.Second

// Reach is what a relay can reach: package bind's functions, usually.
type Reach struct {
	// Find, and Lookup which waits, tell what is exported under a name.
	Find, Lookup func(ctx context.Context, name string) (network.Info, error)
	// Dial binds to a name if it is there.
	Dial func(ctx context.Context, name string, i channel.Interface) (channel.Conn, error)
	// Watch waits until a name is gone.
	Watch func(ctx context.Context, name string) error
	// Drop deletes a capability that has been passed on and frees its slot; nil
	// where there are none.
	Drop func(capability.Reference) error
}

// Serve does what somebody asks who has bound to the relay, and returns when that is
// done, the context has ended, or either end of what it connects is gone. It closes c.
func (r *Reach) Serve(ctx context.Context, c channel.Conn) error {
	var m channel.Message
	hurry, cancel := context.WithTimeout(ctx, patience)
	err := c.Receive(hurry, &m)
	cancel()
	request, ok := introduce.ParseRequest(&m)
	if m.Capability != 0 {
		r.drop(&m)
		ok = false
	}
	if err != nil || !ok {
		return errors.Join(err, c.Close())
	}
	if request.Operation == introduce.Bind {
		return r.bind(ctx, c, &request)
	}
	return errors.Join(r.tell(ctx, c, &request), c.Close())
}

// tell answers a question about a name, or gives up when nobody waits for the answer
// any more.
func (r *Reach) tell(ctx context.Context, c channel.Conn, request *introduce.Request) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		var m channel.Message
		if c.Receive(ctx, &m) == nil {
			r.drop(&m) // nothing more is to be said
		}
		cancel()
	}()
	var reply introduce.Reply
	name := request.Name.String()
	if request.Operation == introduce.Watch {
		reply.Error = errorOf(r.Watch(ctx, name))
	} else {
		find := r.Find
		if request.Wait == 1 {
			find = r.Lookup
		}
		info, err := find(ctx, name)
		reply = introduce.Reply{Error: errorOf(err), Version: info.Version, Fingerprint: info.Fingerprint}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m := reply.Message()
	return c.Send(ctx, &m)
}

// bind binds to the name and passes messages on.
func (r *Reach) bind(ctx context.Context, c channel.Conn, request *introduce.Request) error {
	i := channel.Interface{Name: "of a peer", Version: request.Version, Fingerprint: request.Fingerprint}
	there, err := r.Dial(ctx, request.Name.String(), i)
	reply := introduce.Reply{Error: errorOf(err)}
	var v *network.VersionError
	if errors.As(err, &v) {
		reply.Version = v.Have
	}
	m := reply.Message()
	told := c.Send(ctx, &m)
	if err != nil {
		return errors.Join(told, c.Close())
	}
	if told == nil {
		told = r.pass(ctx, c, there)
	}
	return errors.Join(told, there.Close(), c.Close())
}

// pass passes messages between two connections until one of them ends. What an end
// has sent before it went still reaches the other. It fails if something could not be
// passed on.
func (r *Reach) pass(ctx context.Context, a, b channel.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var both sync.WaitGroup
	failed := make(chan error, 2)
	one := func(from, to channel.Conn) {
		var m channel.Message
		for from.Receive(ctx, &m) == nil {
			err := to.Send(ctx, &m)
			r.drop(&m)
			if errors.Is(err, channel.ErrPeer) {
				// The other direction ends when all that it had sent has been passed
				// on, unless that takes too long.
				time.AfterFunc(parting, cancel)
				return
			}
			if err != nil {
				if ctx.Err() == nil {
					failed <- err
				}
				break
			}
		}
		cancel()
	}
	both.Go(func() { one(a, b) })
	both.Go(func() { one(b, a) })
	both.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// drop deletes the relay's own copy of a capability that has been passed on.
func (r *Reach) drop(m *channel.Message) {
	if m.Capability != 0 && r.Drop != nil {
		// Where it cannot be dropped it stays until the relay ends.
		_ = r.Drop(m.Capability)
	}
	m.Capability = 0
}

// errorOf is an error as it can be told.
func errorOf(err error) session.Error {
	var e session.Error
	switch {
	case err == nil:
		return session.ErrNone
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return session.ErrCancelled
	}
	return session.ErrRefused
}
