// Package supply is the protocol by which a domain's libos asks for memory, over
// a urpc channel in the frame at abi.SupplyBase that it shares with its
// spawner.
//
// RAM goes by pieces. The spawner keeps a capability to each and puts a copy
// into slot capability.SlotMemory+n of the domain's CSpace, n being the piece's
// number, which the libos chooses. Piece 0 is there from the start. A piece that
// the libos gives back it has deleted everything of before; the spawner revokes
// it in any case.
//
// The libos asks one thing at a time and may wait for the answer by
// abi.CallWait. Either side rings the other when Channel.NeedsDoorbell says so.
//
// The libos and spawners import it. It is freestanding and must never do more
// than name what goes over the channel.
package supply

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/urpc"
)

// Kinds of messages from the libos to its spawner.
const (
	// Want asks for a piece of RAM (a Piece, Error 0): as large as Size if
	// that is possible, else smaller, but at least Least. The spawner rounds a
	// Size that is no power of two up to the next one.
	Want = 1
	// Back gives a piece back (a Piece, only Number counts). It has no answer.
	Back = 2
)

// Kinds of messages from the spawner to the libos.
const (
	// Given answers Want (a Piece): Size is how large the piece is, aligned to
	// its size. With an Error, ErrQuota or ErrMemory, there is no piece.
	Given = 1
)

// Least is the smallest piece there is, in bytes. All pieces that are given have
// a power of two as their size.
const Least = 64 << 10

// Piece is the payload of all messages.
type Piece struct {
	Number uint32
	Error  capability.Error
	Size   uint64
}

// PieceSize is the size of a Piece in a message, in bytes.
const PieceSize = 16

// Put writes p as a payload.
func (p *Piece) Put(b *[PieceSize]byte) {
	for i := range 4 {
		b[i] = byte(p.Number >> (8 * i))
		b[4+i] = byte(p.Error >> (8 * i))
	}
	for i := range 8 {
		b[8+i] = byte(p.Size >> (8 * i))
	}
}

// Get reads a payload, of which n bytes came, and reports whether it is one.
func (p *Piece) Get(b []byte, n int) bool {
	if n != PieceSize || len(b) < n {
		return false
	}
	*p = Piece{}
	for i := range 4 {
		p.Number |= uint32(b[i]) << (8 * i)
		p.Error |= capability.Error(b[4+i]) << (8 * i)
	}
	for i := range 8 {
		p.Size |= uint64(b[8+i]) << (8 * i)
	}
	return true
}

// AttachProgram makes c the libos's side of its supply channel.
func AttachProgram(c *urpc.Channel) { c.Attach(abi.SupplyBase, abi.SupplySize, urpc.B) }

// AttachSpawner makes c the spawner's side of the supply channel in the
// abi.SupplySize bytes at an address, which it formats, before the domain runs.
func AttachSpawner(c *urpc.Channel, at uintptr) {
	urpc.Format(at, abi.SupplySize)
	c.Attach(at, abi.SupplySize, urpc.A)
}
