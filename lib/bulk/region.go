// Package bulk passes buffers between two ends that share memory: what is in them is
// not copied, only who may use them changes.
//
// A Region is one end's view of that memory, cut into buffers of one size. Each buffer is
// at home at one of the ends. From there it is granted to the peer, and comes back when
// the peer returns it; it may have been written in the meantime. Region keeps account of which end has
// what and is a pure state machine: what it says is a Token of eight bytes, which travels
// in any message of a channel.Conn. Stream is made of it: it uses a connection of its own
// to send buffers that are full and to have them back.
//
// The peer can write to all of the memory at any time, whatever it has been granted: what is
// read must be copied before it is judged. A token that makes no sense is an error, and
// breaks the connection that it came by, nothing else.
//
// Programs and generated stubs import it. It runs on Skerry and on a host alike. It must
// never touch memory outside the region.
package bulk

import (
	"encoding/binary"
	"errors"
	"fmt"

	"skerry/lib/urpc"
)

// TokenSize is the size of a Token in a message, in bytes.
const TokenSize = 8

// Token says which buffer is granted or returned, and how many of its bytes count.
type Token struct{ Buffer, Length uint32 }

// Put writes t into the first TokenSize bytes of b.
func (t Token) Put(b []byte) {
	binary.LittleEndian.PutUint32(b, t.Buffer)
	binary.LittleEndian.PutUint32(b[4:], t.Length)
}

// GetToken reads what Put wrote. It may be anything: Granted and Returned judge it.
func GetToken(b []byte) Token {
	return Token{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

// Layout says how the memory is cut. Both ends have the same.
type Layout struct {
	BufferSize int    // in bytes
	Buffers    [2]int // how many are at home at each side
}

// Size returns how many bytes of memory it takes.
func (l *Layout) Size() int { return (l.Buffers[urpc.A] + l.Buffers[urpc.B]) * l.BufferSize }

// Check reports a layout that no region can have.
func (l *Layout) Check() error {
	const most = 1 << 20
	a, b := l.Buffers[urpc.A], l.Buffers[urpc.B]
	if a < 0 || b < 0 || a+b < 1 || max(a, b) > most || l.BufferSize < 1 || l.BufferSize > 1<<30 {
		return fmt.Errorf("%d and %d buffers of %d bytes: there must be 1 at least and %d at most, of up to 1 GiB", a, b, l.BufferSize, most)
	}
	return nil
}

// Errors of regions.
var (
	// ErrToken says that the peer has granted or returned what it does not have, or what
	// does not exist. The connection is to be closed.
	ErrToken = errors.New("the peer has granted or returned a buffer that it does not have")
	// ErrNotHere says that this end does not have the buffer any more, or yet.
	ErrNotHere = errors.New("the buffer is not at this end")
)

// Buffer is a piece of a Region's memory that this end may use. It is the caller's until it
// is granted, returned or released, and must not be touched after that.
type Buffer struct {
	number uint32
	bytes  []byte
	length int
}

// Bytes returns all of the buffer.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Data returns those of its bytes that the peer has said count; of a buffer from Take,
// none.
func (b *Buffer) Data() []byte { return b.bytes[:b.length] }

// place says where a buffer is.
type place uint8

const (
	away   place = iota // the peer has it, or it is on its way to there
	inUse               // this end has it
	unused              // it is at home, and can be taken
)

// Region is one end's view. It is for one goroutine at a time.
type Region struct {
	memory []byte
	layout Layout
	side   urpc.Side
	places []place
	free   []uint32 // those that can be taken
}

// NewRegion returns the view of one side of memory of at least Layout.Size bytes, in
// which each end has what is at home there.
func NewRegion(memory []byte, l Layout, side urpc.Side) (*Region, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	if len(memory) < l.Size() {
		return nil, fmt.Errorf("%d bytes of memory: %d buffers of %d bytes take %d", len(memory), l.Buffers[0]+l.Buffers[1], l.BufferSize, l.Size())
	}
	r := &Region{memory: memory, layout: l, side: side, places: make([]place, l.Buffers[0]+l.Buffers[1])}
	for n := len(r.places) - 1; n >= 0; n-- {
		if r.home(uint32(n)) {
			r.places[n] = unused
			r.free = append(r.free, uint32(n))
		}
	}
	return r, nil
}

// home says whether a buffer is at home at this end.
func (r *Region) home(n uint32) bool {
	return (n < uint32(r.layout.Buffers[urpc.A])) == (r.side == urpc.A)
}

func (r *Region) buffer(n uint32, length int) Buffer {
	size := r.layout.BufferSize
	at := int(n) * size
	return Buffer{number: n, bytes: r.memory[at : at+size : at+size], length: length}
}

// Free returns how many buffers Take can take.
func (r *Region) Free() int { return len(r.free) }

// Take takes a buffer that is at home here and not in use; ok is false when there is
// none.
func (r *Region) Take() (b Buffer, ok bool) {
	last := len(r.free) - 1
	if last < 0 {
		return Buffer{}, false
	}
	n := r.free[last]
	r.free = r.free[:last]
	r.places[n] = inUse
	return r.buffer(n, 0), true
}

// Release gives back a buffer that is at home here: Take can take it again.
func (r *Region) Release(b Buffer) error {
	if !r.has(b) || !r.home(b.number) {
		return ErrNotHere
	}
	r.places[b.number] = unused
	r.free = append(r.free, b.number)
	return nil
}

// has says whether b is in use here.
func (r *Region) has(b Buffer) bool {
	return b.bytes != nil && int(b.number) < len(r.places) && r.places[b.number] == inUse
}

// Grant hands a buffer that is at home here to the peer, which is to be told the token.
// Length bytes of it count.
func (r *Region) Grant(b Buffer, length int) (Token, error) { return r.leave(b, length, true) }

// Return hands a buffer that the peer granted back to it. Length bytes of it count: those
// that were written here.
func (r *Region) Return(b Buffer, length int) (Token, error) { return r.leave(b, length, false) }

func (r *Region) leave(b Buffer, length int, home bool) (Token, error) {
	switch {
	case !r.has(b) || r.home(b.number) != home:
		return Token{}, ErrNotHere
	case length < 0 || length > r.layout.BufferSize:
		return Token{}, fmt.Errorf("%d bytes of a buffer of %d", length, r.layout.BufferSize)
	}
	r.places[b.number] = away
	return Token{b.number, uint32(length)}, nil
}

// Keep takes back a token from Grant or Return that has not been sent: the buffer is in use
// here still. It fails with ErrToken if the peer claims to have got it.
func (r *Region) Keep(t Token) error {
	if r.places[t.Buffer] != away {
		return ErrToken
	}
	r.places[t.Buffer] = inUse
	return nil
}

// Granted takes what the peer has granted, by the token that it sent.
func (r *Region) Granted(t Token) (Buffer, error) { return r.arrive(t, false) }

// Returned takes what the peer has returned, by the token that it sent. It is in use
// then: Release it, or grant it again.
func (r *Region) Returned(t Token) (Buffer, error) { return r.arrive(t, true) }

func (r *Region) arrive(t Token, home bool) (Buffer, error) {
	if uint64(t.Buffer) >= uint64(len(r.places)) || r.places[t.Buffer] != away || r.home(t.Buffer) != home ||
		uint64(t.Length) > uint64(r.layout.BufferSize) {
		return Buffer{}, ErrToken
	}
	r.places[t.Buffer] = inUse
	return r.buffer(t.Buffer, int(t.Length)), nil
}
