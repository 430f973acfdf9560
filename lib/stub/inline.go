package stub

import (
	"context"
	"encoding/binary"

	"skerry/abi/capability"
)

// runDirectly runs the call that is in the message just received, if all of it is there: its
// arguments are decoded from the message, and nobody else learns of it. It is false if
// the message is another one, or not for the reader. x is ready, and is so again.
func (s *server) runDirectly(x *Incoming) bool {
	h, ok := parse(&s.in)
	m := s.spec.method(h.method)
	if !ok || m == nil || s.in.Kind != kindCall || s.in.Length < callHeaderSize || h.flags&flagMore != 0 ||
		m.Stream != NoStream || s.calls[h.call].Load() != nil {
		return false
	}
	x.start(h, m)
	var given []capability.Reference
	if s.in.Capability != 0 {
		s.given[0] = s.in.Capability
		given = s.given[:]
	}
	x.In.start(s.in.Payload[callHeaderSize:s.in.Length], given)
	if lifetime := binary.LittleEndian.Uint32(s.in.Payload[headerSize:]); lifetime != 0 {
		s.runFor(x, lifetime)
	} else {
		s.impl.Handle(s.ctx, x)
	}
	x.header().put(&x.out)
	if !s.alone || x.silent || x.err != nil || !s.plain(kindAnswer, &x.Out, &x.out) || s.conn.TrySend(&x.out) != nil {
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
