package stub

import "context"

// Incoming is a call at its server. The generated handler decodes the arguments from
// In, and if Complete returns true runs the method and encodes its results into Out if
// Returned returns true.
type Incoming struct {
	exchange
	server   *server
	next     *Incoming // in the list of free ones
	lifetime uint32    // in microseconds, 0: for ever
	ctx      *callContext
	err      error // what the method returned
	// silent says that there is nothing to answer, any more or at all.
	silent bool
	listed bool // among the server's calls
}

// start is when a call comes.
func (x *Incoming) start(h header, m *Method) {
	x.number8, x.lifetime = h.method, h.lifetime
	x.silent = m.OneWay
	if x.number != h.call {
		x.number = h.call
		x.header().put(&x.out)
	}
}

// ready makes what is not in use ready for start, for a call of the same number.
func (x *Incoming) ready() {
	x.err, x.done = nil, false
	x.Out.start(x.out.Payload[:headerSize])
	// Long before it is copied as a word, since it is not written as one.
	x.header().put(&x.out)
}

// Method returns the number of the method.
func (x *Incoming) Method() uint8 { return x.number8 }

// Complete reports whether In had all arguments and nothing else. If not, the
// connection has ended: the peer has broken the rules.
func (x *Incoming) Complete() bool {
	return x.In.finished() || x.senseless()
}

// senseless ends the connection.
func (x *Incoming) senseless() bool {
	x.silent = true
	discard(x.In.capabilities)
	x.link.breakOff(broken("the arguments of %s make no sense", x.method().Name))
	return false
}

// Returned takes the error that the method returned and reports whether it has results.
func (x *Incoming) Returned(err error) bool {
	if err != nil {
		x.err = err
	}
	return err == nil
}

// finish is when the handler has returned: it answers, if that has not been done.
func (x *Incoming) finish() {
	s := x.server
	if x.flow != nil || x.silent {
		s.mu.Lock()
		if x.flow != nil {
			x.flow.drop(errGone)
		}
		if x.silent {
			s.end(x)
		}
		s.mu.Unlock()
	}
	if x.silent {
		return
	}
	x.reply(true)
}

// end makes the number free. The client may use it as soon as it has got the last
// message.
func (s *server) end(x *Incoming) {
	if x.listed {
		x.listed = false
		s.calls[x.number].Store(nil)
	}
}

// reply sends what is in Out, or an error if there is one. An error is the last of the
// call, and so are results that no stream follows.
func (x *Incoming) reply(last bool) (ok bool) {
	s := x.server
	x.silent = true
	err := x.err
	if err == nil {
		err = x.Out.err
	}
	s.mu.Lock()
	ok = x.answer(err, last)
	s.mu.Unlock()
	return ok
}

// answer is reply with mu held.
func (x *Incoming) answer(err error, last bool) (ok bool) {
	s := x.server
	if err == nil {
		if last {
			s.end(x)
		}
		_, err = s.sendPiece(s.ctx, kindAnswer, x.header(), &x.Out, &x.out)
		if err == nil || fatal(err) || s.ctx.Err() != nil {
			return err == nil
		}
		// A capability cannot be sent.
	}
	s.end(x)
	x.Out.start(x.out.Payload[:headerSize])
	x.Out.failure(s.spec, err)
	s.sendPiece(s.ctx, kindFailure, x.header(), &x.Out, &x.out)
	return false
}

// arrived goes on when the client has sent something for the call. mu is held.
func (x *Incoming) arrived(complete, ok bool) error {
	s := x.server
	if !ok {
		x.discard()
		return broken("what it says of %s is too long or not expected", x.method().Name)
	}
	if !complete {
		return nil
	}
	switch x.kind {
	case kindCall:
		x.read()
		if x.method().OneWay {
			s.end(x) // the client waits for nothing
		}
		x.hasCome()
	case kindItem:
		if !x.flow.push(x.data, x.took()) {
			return broken("more items of %s than were asked for", x.method().Name)
		}
		x.notify()
	case kindEnd:
		x.flow.end(decodeFailure(x.spec, x.method(), x.data))
		x.notify()
	}
	return nil
}

// hasCome has the reader run the call next. mu is held.
func (x *Incoming) hasCome() {
	s := x.server
	if !s.inline || x.flow != nil {
		x.ctx = newContext(s.ctx, x.lifetime)
	}
	s.next = x
}

// cancel is when the client wants nothing more of the call. mu is held.
func (x *Incoming) cancel() {
	switch {
	case x.open && x.kind == kindCall && x.method().OneWay:
		x.discard()
		x.server.end(x)
	case x.open && x.kind == kindCall:
		x.discard()
		x.err = context.Canceled
		x.hasCome()
	case x.ctx != nil:
		x.ctx.end(context.Canceled)
		if x.flow != nil {
			x.flow.stopped = true
		}
		x.notify()
	}
}

// attach does nothing: if nobody consumes the stream, it goes with the call.
func (x *Incoming) attach(context.Context, *flow) func() bool {
	return func() bool { return true }
}

// enough tells the client to send no more. mu is held.
func (x *Incoming) enough(ctx context.Context, f *flow) {
	if f.gone {
		return
	}
	if !f.ended {
		x.link.send(ctx, f.message(kindStop, x.header()))
	}
	f.drop(errGone)
}
