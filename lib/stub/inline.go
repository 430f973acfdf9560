package stub

import "context"

// serveDirectly receives calls and runs each of which all is in the message: its arguments are
// decoded from there, and nobody else learns of it. It returns when another message has come,
// or one that is not for the reader alone, which is in s.in then, or with the error of the
// connection or the context. x is ready, and is so again.
func (s *server) serveDirectly(x *Incoming) error {
	for s.ctx.Err() == nil { // as in read
		if err := s.conn.Receive(s.ctx, &s.in); err != nil {
			return err
		}
		h := headerOf(&s.in)
		m := s.spec.method(h.method)
		switch {
		case s.in.Kind != kindCall, !whole(&s.in), h.flags&flagMore != 0, m == nil, m.Stream != NoStream,
			h.call >= MaxCalls, s.calls[h.call].Load() != nil:
			return nil
		}
		x.start(h, m)
		x.In.restart(int(s.in.Length))
		if s.in.Capability != 0 {
			s.given[0] = s.in.Capability
			x.In.capabilities = s.given[:]
		}
		if h.lifetime == 0 {
			s.impl.Handle(s.ctx, x)
		} else {
			s.runFor(x, h.lifetime)
		}
		switch {
		case !s.alone, x.silent, x.err != nil, !s.plain(kindAnswer, &x.Out, &x.out), s.conn.TrySend(&x.out) != nil:
			x.finish()
		}
		x.ready()
	}
	return s.ctx.Err()
}

// runFor runs the method of a call, which may take so many microseconds.
func (s *server) runFor(x *Incoming, lifetime uint32) {
	ctx := newContext(s.ctx, lifetime)
	s.impl.Handle(ctx, x)
	ctx.end(context.Canceled)
}
