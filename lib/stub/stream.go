package stub

import (
	"context"
	"errors"
	"iter"
)

var (
	errRanged = errors.New("a stream can be ranged over once")
	errGone   = errors.New("the call of the stream has ended")
)

// consumer is the end of a call that consumes its stream: a Call or an Incoming.
type consumer interface {
	base() *exchange
	// attach is when there is a stream that nobody consumes yet; what it returns is
	// to be called when somebody does.
	attach(ctx context.Context, f *flow) func() bool
	// enough is when the consumer wants no more, or there is no more. mu is held.
	enough(ctx context.Context, f *flow)
}

// Consume returns the items of a call's stream, each decoded by get. They can be
// ranged over once. The sequence ends after the last item or the first error. The
// context is the call's.
func Consume[T any](ctx context.Context, call consumer, get func(*Decoder) T) iter.Seq2[T, error] {
	x := call.base()
	f, l := x.flow, x.link
	taken := call.attach(ctx, f)
	return func(yield func(T, error) bool) {
		taken()
		var zero T
		l.mu.Lock()
		err := errRanged
		if !f.ranged {
			f.ranged = true
			err = nil
		}
		l.mu.Unlock()
		for err == nil {
			var more bool
			if more, err = x.next(ctx, call, f); !more {
				break
			}
			v := get(&f.in)
			if !f.in.finished() {
				err = broken("an item of %s makes no sense", x.method().Name)
				discard(f.in.capabilities)
				l.breakOff(err)
				break
			}
			if !yield(v, nil) {
				l.mu.Lock()
				call.enough(ctx, f)
				l.mu.Unlock()
				return
			}
		}
		if err != nil {
			yield(zero, err)
		}
	}
}

// next waits for the next item and has f.in read it. more is false if there is none.
func (x *exchange) next(ctx context.Context, call consumer, f *flow) (more bool, err error) {
	l := x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(f.items) == 0 {
		if f.gone || f.ended {
			err = f.err
			call.enough(ctx, f)
			return false, err
		}
		x.done = false
		if err := l.wait(ctx, &x.waiter); err != nil {
			call.enough(ctx, f)
			return false, err
		}
	}
	i := f.items[0]
	f.items = f.items[1:]
	f.in.start(i.data, i.capabilities)
	if f.taken++; f.taken >= Window/2 && !f.ended {
		if err := l.send(ctx, f.message(kindCredit, x.header())); err != nil {
			discard(i.capabilities)
			call.enough(ctx, f)
			return false, err
		}
	}
	return true, nil
}

// produce sends items, each encoded by put, until there are no more, none are wanted,
// or one is an error: failure. lost is why one could not be sent.
func produce[T any](ctx context.Context, x *exchange, f *flow, items iter.Seq2[T, error], put func(*Encoder, T)) (failure, lost error) {
	if items == nil {
		return nil, nil
	}
	for v, err := range items {
		if err != nil {
			return err, nil
		}
		x.Out.start(x.out.Payload[:headerSize])
		put(&x.Out, v)
		if x.Out.err != nil {
			return x.Out.err, nil
		}
		if stopped, err := x.offer(ctx, f); stopped || err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// endStream tells the consumer that there are no more items. mu is held.
func (x *exchange) endStream(ctx context.Context, failure error) error {
	x.Out.start(x.out.Payload[:headerSize])
	x.Out.failure(x.spec, failure)
	_, err := x.link.sendPiece(ctx, kindEnd, x.header(), &x.Out, &x.out)
	return err
}

// offer sends the item in Out when the consumer has room for it.
func (x *exchange) offer(ctx context.Context, f *flow) (stopped bool, err error) {
	l := x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for f.credit == 0 && !f.stopped {
		x.done = false
		if err := l.wait(ctx, &x.waiter); err != nil {
			return false, err
		}
	}
	if f.stopped {
		return true, nil
	}
	f.credit--
	_, err = l.sendPiece(ctx, kindItem, x.header(), &x.Out, &x.out)
	return false, err
}

// Feed is Do for a method that takes a stream: it sends the items, each encoded by
// put, while it waits for the results, in the goroutine that calls it.
func Feed[T any](ctx context.Context, c *Call, items iter.Seq2[T, error], put func(*Encoder, T)) bool {
	l := c.link
	f := newFlow()
	c.flow = f
	posted := c.post(ctx, 0)
	l.mu.Unlock()
	if !posted {
		return false
	}
	failure, err := produce(ctx, &c.exchange, f, items, put)
	l.mu.Lock()
	if err == nil && !f.stopped {
		err = c.endStream(ctx, failure)
	}
	for c.phase == phaseSent && err == nil {
		c.done = false
		err = l.wait(ctx, &c.waiter)
	}
	if c.err == nil {
		c.err = err
	}
	l.mu.Unlock()
	return c.err == nil
}

// Produce answers a call with what is in Out, and then sends the items of its stream,
// each encoded by put. It returns when there are no more or none are wanted.
func Produce[T any](ctx context.Context, call *Incoming, items iter.Seq2[T, error], put func(*Encoder, T)) {
	if !call.reply(false) {
		return
	}
	failure, lost := produce(ctx, &call.exchange, call.flow, items, put)
	if failure == nil {
		failure = lost
	}
	s := call.server
	s.mu.Lock()
	s.end(call)
	call.endStream(s.ctx, failure)
	s.mu.Unlock()
}
