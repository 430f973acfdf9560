package stub

import (
	"context"
	"encoding/binary"
)

// runDirectly runs the call that is in the message just received, if all of it is there: its
// arguments are decoded from the message, and nobody else learns of it. It is false if
// the message is another one, or not for the reader.
func (s *server) runDirectly(x *Incoming) bool {
	h, ok := parse(&s.in)
	m := s.spec.method(h.method)
	if !ok || m == nil || s.in.Kind != kindCall || s.in.Length < callHeaderSize || h.flags&flagMore != 0 ||
		m.Stream != NoStream || s.calls[h.call].Load() != nil {
		return false
	}
	x.start(h, m)
	x.In.start(s.in.Payload[callHeaderSize:s.in.Length], nil)
	if s.in.Capability != 0 {
		s.given[0] = s.in.Capability
		x.In.capabilities = s.given[:]
	}
	s.run(x, binary.LittleEndian.Uint32(s.in.Payload[headerSize:]))
	return true
}

// run performs a call in the reader.
func (s *server) run(x *Incoming, lifetime uint32) {
	if x.err != nil {
		x.finish()
		return
	}
	if lifetime == 0 {
		s.impl.Handle(s.ctx, x)
	} else {
		ctx := newContext(s.ctx, lifetime)
		s.impl.Handle(ctx, x)
		ctx.end(context.Canceled)
	}
	x.finish()
}
