package stub

import "context"

// runDirectly runs the call that is in the message just received, if all of it is there: its
// arguments are decoded from the message, and nobody else learns of it. It is false if
// the message is another one, or not for the reader. x is ready, and is so again.
func (s *server) runDirectly(x *Incoming) bool {
	h := headerOf(&s.in)
	m := s.spec.method(h.method)
	switch {
	case s.in.Kind != kindCall, !whole(&s.in), h.flags&flagMore != 0, m == nil, m.Stream != NoStream,
		h.call >= MaxCalls, s.calls[h.call].Load() != nil:
		return false
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
	return true
}

// runFor runs the method of a call, which may take so many microseconds.
func (s *server) runFor(x *Incoming, lifetime uint32) {
	ctx := newContext(s.ctx, lifetime)
	s.impl.Handle(ctx, x)
	ctx.end(context.Canceled)
}
