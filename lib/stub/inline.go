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
	s.run(x, binary.LittleEndian.Uint32(s.in.Payload[headerSize:]))
	if !s.answerAlone(x) {
		x.finish()
	}
	x.ready()
	return true
}

// run runs the method of a call in the reader.
func (s *server) run(x *Incoming, lifetime uint32) {
	if lifetime == 0 {
		s.impl.Handle(s.ctx, x)
		return
	}
	ctx := newContext(s.ctx, lifetime)
	s.impl.Handle(ctx, x)
	ctx.end(context.Canceled)
}

// answerAlone sends the results of a call, if there are any that a message holds and nobody
// else can want the link.
func (s *server) answerAlone(x *Incoming) bool {
	if !s.alone || x.silent || x.err != nil {
		return false
	}
	x.header().put(&x.out)
	return s.sendPlain(kindAnswer, &x.Out, &x.out)
}
