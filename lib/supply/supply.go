// Package supply is the protocol by which a domain's libos asks for memory, and is
// asked about its threads, over a urpc channel in the frame at abi.SupplyBase that
// it shares with its spawner.
//
// RAM goes by pieces. The spawner keeps a capability to each and puts a copy
// into slot capability.SlotMemory+n of the domain's CSpace, n being the piece's
// number, which the libos chooses. Piece 0 is there from the start. A piece that
// the libos gives back it has deleted everything of before; the spawner revokes
// it in any case. In a domain that is replicated on several cores, memory for the
// program is asked for as frames: the spawner keeps the RAM that these are made of.
//
// The libos asks for one thing at a time and may wait for the answer by
// abi.CallWait. Either side rings the other when Channel.NeedsDoorbell says so.
//
// The spawner may ask what threads there are: List is answered by a few
// messages ThreadIs, then Listed, which says where the next List is to go on. One such
// question is open at a time; a new one replaces an older that was not answered
// yet. A libos that never looks never answers: who asks must not depend on it.
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
	// ThreadIs describes one thread, in answer to List (a Thread).
	ThreadIs = 3
	// Listed ends the answer to a List (a Listing).
	Listed = 4
	// WantFrame is Want for a piece that all dispatchers of a replicated domain
	// can map: what comes is one Frame, and in their slots by the time it is
	// Given. It cannot be given back.
	WantFrame = 5
)

// Kinds of messages from the spawner to the libos.
const (
	// Given answers Want and WantFrame (a Piece): Size is how large the piece is, aligned to
	// its size. With an Error, ErrQuota or ErrMemory, there is no piece.
	Given = 1
	// List asks for at most ListMost threads (a Listing).
	List = 2
)

// Least is the smallest piece there is, in bytes. All pieces that are given have
// a power of two as their size.
const Least = 64 << 10

// Piece is the payload of messages about memory.
type Piece struct {
	Number uint32
	Error  capability.Error
	Size   uint64
}

// PieceSize is the size of a Piece in a message, in bytes.
const PieceSize = 16

// Put writes p as a payload.
func (p *Piece) Put(b *[PieceSize]byte) {
	put(b[0:4], uint64(p.Number))
	put(b[4:8], uint64(p.Error))
	put(b[8:16], p.Size)
}

// Get reads a payload, of which n bytes came, and reports whether it is one.
func (p *Piece) Get(b []byte, n int) bool {
	if n != PieceSize || len(b) < n {
		return false
	}
	*p = Piece{Number: uint32(get(b[0:4])), Error: capability.Error(get(b[4:8])), Size: get(b[8:16])}
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
