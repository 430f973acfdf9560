package stub

import (
	"context"
	"fmt"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// Client makes calls over a connection. Its methods may be called by any goroutine.
type Client struct {
	link
	spec *Spec

	// With mu of link:
	calls  [MaxCalls]*Call
	made   int   // of calls; the rest are nil
	free   *Call // those that are not in use, but for the first
	hoping []*waiter

	// first is call 0, which is used whenever it is free: if there is never more than one call, for
	// all. Who leads for it leaves without mu: then it is free, and ready to be begun.
	first Call
}

// NewClient returns a client of what is served at the other end of a connection,
// which is the client's from now on.
func NewClient(conn channel.Conn, spec *Spec) *Client {
	c := &Client{spec: spec}
	c.handle = c.accept
	c.make(&c.first)
	c.own(conn)
	return c
}

// Close ends the connection. Calls under way fail with channel.ErrClosed.
func (c *Client) Close() error {
	c.mu.Lock()
	c.fail(channel.ErrClosed)
	c.mu.Unlock()
	return c.conn.Close()
}

// Binding says how the connection was made.
func (c *Client) Binding() channel.Binding { return c.conn.Binding() }

// Call is a call by a client. It is made by Begin and used by one goroutine, which
// encodes the arguments into Out, calls Do or Feed, if that returns true decodes
// the results from In, and ends it by End.
type Call struct {
	exchange
	client *Client
	next   *Call // in the list of free ones
	phase  phase
	err    error // why there is no result
	// leads says that results are decoded from the message that was received, so
	// that the lead must not be left before.
	leads bool
	// slips says that nobody but the caller has to do with the call, which can end with the lead.
	slips bool
	// abandoned says that the caller is gone; cancelling that nobody has told the
	// server yet. The number is free when the server has ended the call, and has
	// been told.
	abandoned, cancelling bool
	directly              [1]capability.Reference
}

// phase is how far a call is.
type phase uint8

const (
	phaseFree   phase = iota
	phaseBegun        // being encoded; the server knows nothing of it
	phaseSent         // an answer is expected
	phaseStream       // the answer has come, items are expected
	phaseEnded        // by the server
)

// Begin begins a call of the method with a number. It waits while MaxCalls are under
// way. The connection is locked until Do, Feed or Tell: nothing but encoding may come
// between.
func (c *Client) Begin(ctx context.Context, method uint8) (*Call, error) {
	c.mu.Lock()
	call := &c.first
	if c.err != nil || c.leader.Load() != vacant || call.phase != phaseFree { // most often nobody leads
		var err error
		if call, err = c.another(ctx); err != nil {
			c.mu.Unlock()
			return nil, fmt.Errorf("%s: %w", c.spec.method(method).Name, err)
		}
	}
	call.phase = phaseBegun
	call.number8 = method
	return call, nil
}

// firstFree says whether the first call is free. mu is held.
func (c *Client) firstFree() bool {
	return !(c.direct && c.leader.Load() != vacant) && c.first.phase == phaseFree
}

// another takes a call that is free, makes one, or waits for one. mu is held.
func (c *Client) another(ctx context.Context) (*Call, error) {
	w := newWaiter()
	for c.err == nil {
		switch call := c.free; {
		case c.firstFree():
			return &c.first, nil
		case call != nil:
			c.free = call.next
			return call, nil
		case c.made < MaxCalls:
			call = new(Call)
			c.make(call)
			return call, nil
		}
		w.done = false
		c.hoping = append(c.hoping, &w)
		err := c.wait(ctx, &w)
		c.hoping = remove(c.hoping, &w)
		if err != nil {
			if (c.free != nil || c.firstFree()) && len(c.hoping) > 0 {
				c.hoping[0].notify()
			}
			return nil, err
		}
	}
	return nil, c.err
}

// make makes the next call.
func (c *Client) make(call *Call) {
	call.client = c
	call.waiter = newWaiter()
	call.link, call.spec = &c.link, c.spec
	call.number = uint16(c.made)
	call.ready()
	c.calls[c.made] = call
	c.made++
}

// ready makes a call that is not in use ready for Begin.
func (c *Call) ready() {
	c.err, c.done, c.leads = nil, false, false
	c.Out.start(c.out.Payload[:headerSize])
	c.In.start(c.link.in.Payload[:0], nil)
}

// Open is Do for a method with a stream of results.
func (c *Call) Open(ctx context.Context) bool {
	c.flow = newFlow()
	return c.Do(ctx)
}

// Do sends the arguments and waits for the results. It returns false if there are none.
func (c *Call) Do(ctx context.Context) bool {
	l := c.link
	if !c.post(ctx, 0) {
		l.mu.Unlock()
		return false
	}
	if !l.takeLead() {
		if err := l.wait(ctx, &c.waiter); err != nil {
			c.err = err
		}
		l.mu.Unlock()
		return c.err == nil
	}
	l.direct = c.number == 0
	l.mu.Unlock()
	c.slips = c.number == 0 && c.flow == nil
	c.Out.start(c.out.Payload[:headerSize]) // for the next call, while the server has this one
	err := l.conn.Receive(ctx, &l.in)
	if err != nil || !l.answers(uint64(c.number)) {
		var direct bool
		if direct, err = l.follow(ctx, &c.waiter, uint64(c.number), err); !direct {
			return c.led(err)
		}
	}
	c.leads = true
	c.In.restart(int(l.in.Length))
	if l.in.Capability != 0 {
		c.directly[0] = l.in.Capability
		c.In.capabilities = c.directly[:]
	}
	if c.flow != nil {
		l.mu.Lock()
		c.answerCame()
		l.mu.Unlock()
	}
	return true
}

// led is Do when the lead was of no use, or the answer was one of several messages.
func (c *Call) led(err error) bool {
	l := c.link
	l.mu.Lock()
	l.leaveLead()
	if !c.done {
		c.err = err
	}
	l.mu.Unlock()
	return c.err == nil
}

// Tell sends a one-way message.
func (c *Call) Tell(ctx context.Context) {
	if c.post(ctx, flagOneWay) {
		c.phase = phaseEnded
	}
	c.link.mu.Unlock()
}

// post sends the arguments, if the context has not ended. mu is held.
func (c *Call) post(ctx context.Context, flags uint8) bool {
	life := uint32(0)
	if ctx.Done() != nil { // or it has no end, and no deadline
		if c.err = ctx.Err(); c.err != nil {
			return false
		}
		if deadline, ok := ctx.Deadline(); ok {
			life = lifetime(deadline)
		}
	}
	h := header{c.number, flags, c.number8, life}
	c.phase = phaseSent
	h.put(&c.out)
	if l := c.link; l.plain(kindCall, &c.Out, &c.out) && l.conn.TrySend(&c.out) == nil {
		return true
	}
	return c.postPieces(ctx, h)
}

// postPieces is post for what takes more than a message, or waits.
func (c *Call) postPieces(ctx context.Context, h header) bool {
	sent, err := 0, c.Out.err
	if err == nil {
		sent, err = c.link.sendPiece(ctx, kindCall, h, &c.Out, &c.out)
	}
	if c.err = err; err == nil {
		return true
	}
	if sent == 0 {
		c.phase = phaseBegun
	}
	return false
}

// answerCame goes on when there are results. mu is held.
func (c *Call) answerCame() {
	c.phase = phaseEnded
	if c.flow == nil {
		return
	}
	c.flow.stopped = true
	if c.method().Stream == ToClient {
		c.phase = phaseStream
	}
}

// End ends a call and returns its error. Nothing of it may be used any more but a
// stream of results.
func (c *Call) End() error {
	if c.leads && c.slips && c.In.finished() {
		c.phase, c.leads = phaseFree, false
		if c.link.slip() {
			return nil
		}
		c.leads = true
	}
	return c.end()
}

// end is End where the lead cannot be left without mu, or there is none.
func (c *Call) end() error {
	l := c.link
	if c.leads && c.flow == nil {
		c.phase = phaseEnded
	}
	err := c.err
	if err != nil {
		if _, ok := err.(*RemoteError); !ok { // which names the method
			err = fmt.Errorf("%s: %w", c.method().Name, err)
		}
	} else if c.phase >= phaseStream && !c.method().OneWay && !c.In.finished() {
		err = broken("the results of %s make no sense", c.method().Name)
		discard(c.In.capabilities)
		l.breakOff(err)
	}
	l.mu.Lock()
	if c.leads {
		l.leaveLead()
	}
	if f := c.flow; err == nil && f != nil && f.err == nil && c.method().Stream == ToClient {
		f.returned = true // Consume has it
	} else {
		c.leave()
	}
	l.mu.Unlock()
	return err
}

// leave is when the caller wants nothing more of the call. mu is held.
func (c *Call) leave() {
	if c.flow != nil {
		c.flow.drop(errGone)
		c.flow = nil
	}
	c.abandoned = true
	if c.phase == phaseSent || c.phase == phaseStream {
		c.cancel()
	}
	c.release()
}

// cancel tells the server that the call is wanted no more. mu is held.
func (c *Call) cancel() {
	l := c.link
	if l.err != nil {
		return
	}
	m := channel.Message{Kind: kindCancel, Length: headerSize}
	c.header().put(&m)
	c.out = m
	if c.method().OneWay {
		// None of it will be answered.
		c.phase = phaseEnded
	}
	if !l.sending {
		if err := l.conn.TrySend(&c.out); err == nil || fatal(err) {
			return
		}
	}
	c.cancelling = true
	go func() {
		l.mu.Lock()
		l.send(context.Background(), &m)
		c.cancelling = false
		c.release()
		l.mu.Unlock()
	}()
}

// release makes the call free for another if nobody has to do with it any more. mu is
// held.
func (c *Call) release() {
	if !c.abandoned || c.cancelling || c.phase != phaseBegun && c.phase != phaseEnded {
		return
	}
	c.phase, c.abandoned = phaseFree, false
	client := c.client
	c.ready()
	if c.number != 0 {
		c.next, client.free = client.free, c
	}
	if len(client.hoping) > 0 {
		client.hoping[0].notify()
	}
}

// accept takes a message from the server. mu is held.
func (c *Client) accept(h header, m *channel.Message) error {
	call := c.calls[h.call]
	if call == nil || call.phase < phaseSent || call.phase == phaseEnded {
		return broken("a message of kind %d for call %d, which is not under way", m.Kind, h.call)
	}
	var complete, ok bool
	limit, expected := Size{Bytes: maxFailure}, call.phase == phaseSent
	switch m.Kind {
	case kindFailure, kindEnd:
		call.discard()
		if m.Kind == kindEnd {
			expected = call.phase == phaseStream
		}
	case kindAnswer:
		limit = call.method().Answer
	case kindItem:
		limit, expected = call.method().Item, call.phase == phaseStream
	case kindMore:
		complete, ok = call.add(m)
		return call.arrived(complete, ok)
	case kindCredit, kindStop:
		if call.flow != nil {
			ok = call.flow.control(m)
			call.notify()
		}
		if !ok && !call.abandoned {
			return broken("a message of kind %d for %s", m.Kind, call.method().Name)
		}
		return nil
	default:
		expected = false
	}
	if expected {
		complete, ok = call.begin(m, limit)
	}
	return call.arrived(complete, ok)
}

// arrived goes on when the server has sent something for the call. mu is held.
func (c *Call) arrived(complete, ok bool) error {
	if !ok {
		c.discard()
		return broken("what it says of %s is too long or not expected", c.method().Name)
	}
	if !complete {
		return nil
	}
	switch c.kind {
	case kindAnswer:
		c.answerCame()
		if c.abandoned {
			discard(c.took())
		} else {
			c.read()
		}
	case kindFailure:
		c.err = decodeFailure(c.spec, c.method(), c.data)
		if c.err == nil {
			return broken("%s failed without an error", c.method().Name)
		}
		c.phase = phaseEnded
		if c.flow != nil {
			c.flow.stopped = true
		}
	case kindItem:
		if c.flow == nil {
			discard(c.took())
		} else if !c.flow.push(c.data, c.took()) {
			return broken("more items of %s than were asked for", c.method().Name)
		}
	case kindEnd:
		c.phase = phaseEnded
		if c.flow != nil {
			c.flow.end(decodeFailure(c.spec, c.method(), c.data))
		}
	}
	c.notify()
	c.release()
	return nil
}

// attach has the call end with its context if nobody consumes its stream.
func (c *Call) attach(ctx context.Context, f *flow) func() bool {
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() {
		c.link.mu.Lock()
		defer c.link.mu.Unlock()
		switch {
		case f.ranged || f.gone:
		case !f.returned:
			f.end(ctx.Err())
		default:
			f.end(ctx.Err())
			c.leave()
		}
	})
}

// enough ends the call. mu is held.
func (c *Call) enough(_ context.Context, f *flow) {
	if !f.gone {
		c.leave()
	}
}
