package stub

import (
	"skerry/abi/capability"
	"skerry/lib/channel"
)

// keep is how large a buffer may be that is kept for the next call, in bytes.
const keep = 8 << 10

// An assembly puts together what comes in several messages.
type assembly struct {
	kind         uint8 // of what came last
	open         bool  // more of it is to come
	data         []byte
	capabilities [MaxCapabilities]capability.Reference
	count        int // of capabilities
	limit        Size
}

// begin takes the first message of a piece.
func (a *assembly) begin(m *channel.Message, limit Size) (complete, ok bool) {
	if a.open {
		return false, false
	}
	if a.data == nil || cap(a.data) > keep {
		a.data = make([]byte, 0, min(limit.Bytes, keep))
	}
	a.kind, a.open, a.data, a.count, a.limit = m.Kind, true, a.data[:0], 0, limit
	return a.add(m)
}

// add takes a message of a piece that has begun. ok is false if the piece becomes
// larger than it may.
func (a *assembly) add(m *channel.Message) (complete, ok bool) {
	if !a.open {
		return false, false
	}
	if m.Capability != 0 {
		if a.count >= a.limit.Capabilities {
			return false, false
		}
		a.capabilities[a.count] = m.Capability
		a.count++
		m.Capability = 0
	}
	a.data = append(a.data, m.Payload[headerSize:m.Length]...)
	if len(a.data) > a.limit.Bytes {
		return false, false
	}
	a.open = m.Payload[2]&flagMore != 0
	return !a.open, true
}

// took returns the capabilities that have come.
func (a *assembly) took() []capability.Reference { return a.capabilities[:a.count] }

// discard gives up what has come and is not complete.
func (a *assembly) discard() {
	if a.open {
		discard(a.took())
		a.open = false
	}
}
