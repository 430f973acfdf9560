// Package urpc is the message channel between two dispatchers that share a
// frame, usually on different cores: a pair of rings of 64-byte slots, with no
// kernel on the path.
//
// A slot is one cache line: 56 bytes of payload and a header word, written
// last, that holds an epoch bit, the message's kind and length, and the
// cumulative acknowledgement of the other direction. The receiver tells a new
// slot from an old one by the epoch bit, which flips with each turn of the
// ring, so it never writes to the ring it reads: a message costs one
// cache-line transfer in steady state. So that processors, which fetch ahead, do not
// add to that, slots lie two lines apart and are used in an order of their own: see Place.
//
// Each side also has sleep words in the frame. A receiver that stops polling
// announces it there; a sender that finds the announcement after it wrote a
// message rings a doorbell, whatever that is where it runs (NeedsDoorbell), or hints
// on the Board of one that has many channels (PeerWaits). A sender that waits for room
// does likewise. model/wakeup.pml is a model of this that is searched for lost
// wake-ups.
//
// The peer is not trusted: whatever it writes into the frame, the worst that
// comes of it is wrong messages or a Broken channel, and never an access
// outside the frame.
//
// Whoever shares a frame with another dispatcher may import it: the libos, the
// monitors, package stdio. It is freestanding: it may run with no Go runtime
// below it. It must never allocate, block or poll; it imports nothing but unsafe
// and sync/atomic.
package urpc

import "unsafe"

// SlotSize is the size of a slot in bytes: one cache line.
const SlotSize = 64

// PayloadSize is the most that one message carries, in bytes.
const PayloadSize = SlotSize - 8

// Rings is how far into a frame its rings begin: first the one that side A writes,
// then the one that side B writes. Before them each side has two lines that it alone
// writes. The lines of a side are next to each other, since processors fetch
// lines in pairs.
const Rings = 4 * SlotSize

const (
	wordsA = 0
	wordsB = 2 * SlotSize
	// In the first line of a side are its sleep words: one while it waits for
	// messages, one while it waits for room.
	messageWord = 0
	roomWord    = 8
	closedWord  = 16 // and whether it has closed the channel
	// In the second is how many messages it has received.
	ackWord = SlotSize
)

// MinFrame is the size in bytes of the smallest frame that makes a channel:
// rings of four slots.
const MinFrame = Rings + 2*4*Pitch

// Side says which end of a channel one holds. It is agreed upon beforehand.
type Side int

// The two sides. They differ in nothing but what ring they write.
const (
	A Side = iota
	B
)

// Slots returns how many slots each ring of a frame of size bytes has.
func Slots(size int) int { return (size - Rings) / (2 * Pitch) }

// The header word of a slot.
const (
	epochBit    = 1
	kindShift   = 8
	lengthShift = 16
	ackShift    = 32
)

// FrameSize returns the size in bytes of the smallest frame whose rings have at least
// so many slots.
func FrameSize(slots int) int { return Rings + 2*max(slots, 4)*Pitch }

// Format makes a frame of size bytes at base an empty channel. It must be
// called before either side attaches, unless the frame is fresh (zeroed).
func Format(base uintptr, size int) {
	clear(unsafe.Slice((*byte)(at(base)), size))
}

// at is the pointer to an address. The detour over the address of the variable
// tells vet that the address is not one of the Go heap.
func at(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// words are a payload. They are no array, which the compiler would copy by a call where it
// knows too little of what it is copied from.
type words struct{ a, b, c, d, e, f, g uint64 }

// move copies a payload by words: what somebody has just written by words can be
// read by words at once, but in larger pieces only when it is in the cache.
func move(to, from *words) {
	to.a, to.b, to.c, to.d = from.a, from.b, from.c, from.d
	to.e, to.f, to.g = from.e, from.f, from.g
}

// moveSome moves at least the first n bytes.
func moveSome(to, from *words, n int) {
	to.a, to.b, to.c = from.a, from.b, from.c
	if n > 24 {
		to.d, to.e, to.f, to.g = from.d, from.e, from.f, from.g
	}
}

// fill writes a payload of at most PayloadSize bytes into a slot, by words as well.
func fill(slot uintptr, payload []byte) {
	from := unsafe.Pointer(unsafe.SliceData(payload))
	switch n := uintptr(len(payload)); {
	case n == PayloadSize:
		move((*words)(at(slot)), (*words)(from))
	case n >= 8:
		// The last one may have bytes of the one before.
		last := n - 8
		for i := uintptr(0); i < last; i += 8 {
			*(*uint64)(at(slot + i)) = *(*uint64)(unsafe.Add(from, i))
		}
		*(*uint64)(at(slot + last)) = *(*uint64)(unsafe.Add(from, last))
	default:
		for i := range n {
			*(*byte)(at(slot + i)) = *(*byte)(unsafe.Add(from, i))
		}
	}
}
