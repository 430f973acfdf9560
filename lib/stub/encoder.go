package stub

import (
	"fmt"
	"math"
	"time"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// Encoder appends values to a request, an answer or an item. Its first error stays,
// and makes all that follows do nothing of consequence: whoever sends it finds out.
type Encoder struct {
	b            []byte
	err          error
	capabilities [MaxCapabilities]capability.Reference
	present      int // of capabilities
	// spare is a buffer from before for what does not fit a message.
	spare []byte
}

// start begins anew in a buffer of a message, whose contents are kept.
func (e *Encoder) start(b []byte) {
	if n := cap(e.b); n > channel.PayloadSize && n <= keep {
		e.spare = e.b
	}
	e.b, e.err, e.present = b, nil, 0
}

// inMessage says whether all still is in the message's buffer.
func (e *Encoder) inMessage() bool { return cap(e.b) == channel.PayloadSize }

// plain says whether a message can be sent as it is: there is one, without capabilities.
func (e *Encoder) plain() bool { return e.inMessage() && e.present == 0 && e.err == nil }

// grow makes room for n bytes more.
func (e *Encoder) grow(n int) {
	if n += len(e.b); n > cap(e.b) {
		old := e.b
		if e.b = e.spare[:0]; n > cap(e.b) {
			e.b = make([]byte, 0, n)
		}
		e.b, e.spare = append(e.b, old...), nil
	}
}

// BoundError says that a value is longer than its declaration allows.
type BoundError struct {
	What        string // which value
	Length, Max int    // bytes of a string or []byte, elements of others
}

// Error says which value is too long, and by how much.
func (e *BoundError) Error() string {
	return fmt.Sprintf("%s has length %d, its declared bound is %d", e.What, e.Length, e.Max)
}

// fits reports whether a length is within its bound, and remembers it if not.
func (e *Encoder) fits(what string, n, max int) bool {
	if n > max && e.err == nil {
		e.err = &BoundError{what, n, max}
	}
	return e.err == nil
}

// Bool appends a truth value.
func (e *Encoder) Bool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	e.b = append(e.b, b)
}

// Numbers are appended in this form because the compiler makes one store of it, and leaves
// the rest of the slice alone where there is room.

// Uint8 appends 8 bits.
func (e *Encoder) Uint8(v uint8) { e.b = append(e.b, v) }

// Uint16 appends 16 bits.
func (e *Encoder) Uint16(v uint16) { e.b = append(e.b, byte(v), byte(v>>8)) }

// Uint32 appends 32 bits.
func (e *Encoder) Uint32(v uint32) {
	e.b = append(e.b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}

// Uint64 appends 64 bits.
func (e *Encoder) Uint64(v uint64) {
	e.b = append(e.b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56))
}

// Float32 appends a number as its bits.
func (e *Encoder) Float32(v float32) { e.Uint32(math.Float32bits(v)) }

// Float64 appends a number as its bits.
func (e *Encoder) Float64(v float64) { e.Uint64(math.Float64bits(v)) }

// Time appends an instant: seconds and nanoseconds. Its location does not travel.
func (e *Encoder) Time(v time.Time) {
	e.Uint64(uint64(v.Unix()))
	e.Uint32(uint32(v.Nanosecond()))
}

// Raw appends bytes whose number is known to both ends.
func (e *Encoder) Raw(v []byte) { e.b = append(e.b, v...) }

// String appends a text of at most max bytes.
func (e *Encoder) String(what, v string, max int) {
	if e.fits(what, len(v), max) {
		e.grow(4 + len(v))
		e.length(len(v), max)
		e.b = append(e.b, v...)
	}
}

// Bytes appends at most max bytes.
func (e *Encoder) Bytes(what string, v []byte, max int) {
	if e.fits(what, len(v), max) {
		e.grow(4 + len(v))
		e.length(len(v), max)
		e.b = append(e.b, v...)
	}
}

// Count appends how many elements follow, at most max, and returns it: 0 if there
// are more.
func (e *Encoder) Count(what string, n, max int) int {
	if !e.fits(what, n, max) {
		return 0
	}
	e.length(n, max)
	return n
}

// length appends a length in as few bytes as its bound takes.
func (e *Encoder) length(n, max int) {
	switch {
	case max <= math.MaxUint8:
		e.Uint8(uint8(n))
	case max <= math.MaxUint16:
		e.Uint16(uint16(n))
	default:
		e.Uint32(uint32(n))
	}
}

// Capability appends a reference to a capability, or that there is none if it is 0.
func (e *Encoder) Capability(c uint32) {
	e.Bool(c != 0)
	if c == 0 {
		return
	}
	if e.present == MaxCapabilities {
		// The compiler lets no declaration come this far.
		e.err = &BoundError{"the list of capabilities", MaxCapabilities + 1, MaxCapabilities}
		return
	}
	e.capabilities[e.present] = capability.Reference(c)
	e.present++
}
