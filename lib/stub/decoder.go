package stub

import (
	"encoding/binary"
	"math"
	"time"

	"skerry/abi/capability"
)

// Decoder takes values from a request, an answer or an item. What is not there reads
// as zero, and whoever decodes finds out at the end. What it returns shares no memory
// with what it was taken from.
type Decoder struct {
	b            []byte
	at           int // what comes next; beyond the end when something was not there
	capabilities []capability.Reference
}

// start begins to read.
func (d *Decoder) start(b []byte, capabilities []capability.Reference) {
	d.b, d.at, d.capabilities = b, 0, capabilities
}

// restart begins to read after the header of a message of n bytes, in whose payload start
// began. What was read before was finished, or never begun.
func (d *Decoder) restart(n int) { d.b, d.at = d.b[:n], headerSize }

// finished reports whether all was there and nothing is left.
func (d *Decoder) finished() bool { return d.at == len(d.b) && len(d.capabilities) == 0 }

// left is how many bytes are left, less than 0 when something was not there.
func (d *Decoder) left() int { return len(d.b) - d.at }

// fail notes that something was not there, and has all that follows not be there.
func (d *Decoder) fail() { d.at = len(d.b) + 1 }

// take returns the next n bytes, nil if there are fewer.
func (d *Decoder) take(n int) []byte {
	if n > d.left() {
		d.fail()
		return nil
	}
	d.at += n
	return d.b[d.at-n : d.at]
}

// Bool takes a truth value.
func (d *Decoder) Bool() bool {
	v := d.Uint8()
	if v > 1 {
		d.fail()
	}
	return v == 1
}

// Uint8 takes 8 bits.
func (d *Decoder) Uint8() uint8 {
	if d.left() < 1 {
		d.fail()
		return 0
	}
	v := d.b[d.at]
	d.at += 1
	return v
}

// In those that follow the compiler sees that what is taken lies in d.b.

// Uint16 takes 16 bits.
func (d *Decoder) Uint16() uint16 {
	at := d.at
	if at < 0 || at > len(d.b)-2 {
		d.fail()
		return 0
	}
	d.at = at + 2
	return binary.LittleEndian.Uint16(d.b[at : at+2 : at+2])
}

// Uint32 takes 32 bits.
func (d *Decoder) Uint32() uint32 {
	at := d.at
	if at < 0 || at > len(d.b)-4 {
		d.fail()
		return 0
	}
	d.at = at + 4
	return binary.LittleEndian.Uint32(d.b[at : at+4 : at+4])
}

// Uint64 takes 64 bits.
func (d *Decoder) Uint64() uint64 {
	at := d.at
	if at < 0 || at > len(d.b)-8 {
		d.fail()
		return 0
	}
	d.at = at + 8
	return binary.LittleEndian.Uint64(d.b[at : at+8 : at+8])
}

// Float32 takes a number.
func (d *Decoder) Float32() float32 { return math.Float32frombits(d.Uint32()) }

// Float64 takes a number.
func (d *Decoder) Float64() float64 { return math.Float64frombits(d.Uint64()) }

// Time takes an instant, as UTC.
func (d *Decoder) Time() time.Time {
	seconds, nanoseconds := int64(d.Uint64()), d.Uint32()
	if nanoseconds >= 1e9 {
		d.fail()
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

// Raw fills v.
func (d *Decoder) Raw(v []byte) { copy(v, d.take(len(v))) }

// String takes a text of at most max bytes.
func (d *Decoder) String(max int) string { return string(d.take(d.length(max))) }

// Bytes takes at most max bytes.
func (d *Decoder) Bytes(max int) []byte { return append([]byte{}, d.take(d.length(max))...) }

// Count takes how many elements follow, at most max, each of which takes at least so
// many bytes.
func (d *Decoder) Count(max, bytes int) int {
	n := d.length(max)
	if n*bytes > d.left() {
		d.fail()
		return 0
	}
	return n
}

// length takes a length within a bound; 0 if it is not.
func (d *Decoder) length(max int) int {
	var n int
	switch {
	case max <= math.MaxUint8:
		n = int(d.Uint8())
	case max <= math.MaxUint16:
		n = int(d.Uint16())
	default:
		n = int(d.Uint32())
	}
	if n > max {
		d.fail()
		return 0
	}
	return n
}

// Capability takes a reference to a capability, 0 if none was sent. It is the caller's, and may
// be of any type: the kernel checks it whenever it is used.
func (d *Decoder) Capability() uint32 {
	if !d.Bool() {
		return 0
	}
	if len(d.capabilities) == 0 {
		d.fail()
		return 0
	}
	c := d.capabilities[0]
	d.capabilities = d.capabilities[1:]
	return uint32(c)
}
