package stub

import (
	"encoding/binary"
	"math"
	"time"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

const (
	// MaxCalls is how many calls can be under way on a connection at a time. Others
	// wait for one of these to end.
	MaxCalls = 256
	// MaxCapabilities is how many capabilities a request, an answer or an item of
	// a stream can have.
	MaxCapabilities = 8
	// MaxText is how much is kept of an error's text, in bytes.
	MaxText = 512
	// MaxBytes is how long a request, an answer or an item can be.
	MaxBytes = 1 << 20
	// Window is how many items of a stream may be on their way or unread.
	Window = 32
)

// Kinds of messages. Each begins with a header: the number of the call, which the
// client chose, flags, and what only kindCall uses: the method, and its time to live.
const (
	kindCall    = 1 + iota // client: arguments
	kindCancel             // client: the call is wanted no more
	kindAnswer             // server: results
	kindFailure            // server, instead: code, text
	kindItem               // producer of the call's stream: an item
	kindEnd                // producer: there are no more; code, text
	kindCredit             // consumer: so many items may be sent besides
	kindStop               // consumer: no more items are wanted
	kindMore               // continues what the same side said last in this call
)

const (
	flagMore   = 1 << iota // kindMore follows
	flagOneWay             // of kindCall: no answer is wanted
)

const (
	// A header takes a word, so that what follows it most often is aligned: what was just
	// written by words can then be read by words at once.
	headerSize = 8
	// A failure's or end's code has two bytes.
	codeSize   = 2
	maxFailure = codeSize + MaxText
)

// header is what a message begins with.
type header struct {
	call     uint16
	flags    uint8
	method   uint8
	lifetime uint32 // in microseconds, 0: for ever
}

func (h header) put(m *channel.Message) {
	binary.LittleEndian.PutUint64(m.Payload[:], uint64(h.call)|uint64(h.flags)<<16|uint64(h.method)<<24|uint64(h.lifetime)<<32)
}

// headerOf returns what is a message's header if it is whole.
func headerOf(m *channel.Message) header {
	v := binary.LittleEndian.Uint64(m.Payload[:])
	return header{uint16(v), uint8(v >> 16), uint8(v >> 24), uint32(v >> 32)}
}

// whole says whether a message has a header, and no more than it can have.
func whole(m *channel.Message) bool {
	return m.Length >= headerSize && m.Length <= channel.PayloadSize
}

// parse returns a message's header. ok is false if it has none, or one that no
// call can have.
func parse(m *channel.Message) (h header, ok bool) {
	h = headerOf(m)
	return h, whole(m) && h.call < MaxCalls
}

// lifetime is how long a call with a deadline may take, as its header says it:
// at least 1, and 0 if it is too long to say, when the client's Cancel tells.
func lifetime(deadline time.Time) uint32 {
	us := time.Until(deadline).Microseconds()
	if us > math.MaxUint32 {
		return 0
	}
	return uint32(max(us, 1))
}

// A piece is a request, answer, item or failure that has arrived.
type piece struct {
	kind         uint8
	data         []byte
	capabilities []capability.Reference
}
