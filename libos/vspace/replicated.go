package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
)

// In a replicated space the dispatchers have page tables of their own. Home's are
// the ones that count; the others keep theirs as caches, of what home has told them
// (Tell, Install), until it asks them to forget it (Taken, Discard).
//
// They must be able to map the program's memory: so that is pieces that are one
// frame each, and which all have. Their blocks are chunks like others, but no frames
// of their own, and never deleted: pages that were used before are cleared before
// they are used again, through the window (fill). All else, tables and the heap of
// the libos, is made of RAM that home alone has.

// Extent is memory that another dispatcher may map: Count pages at Address, all of
// them in one table of level 1, which are those from number Page on of a frame,
// with a protection, abi.Prot…. Frame is the number of a piece, or 0 for the boot
// archive. Without a Count it is none.
type Extent struct {
	Address     uint64
	Frame, Page uint32
	Count, Prot uint32
}

// Holders are the other dispatchers that were told of a page, as a set in which
// some may stand for others.
const (
	numHolders        = 12
	holdersMask entry = (1<<numHolders - 1) << entryHolders
)

// mostTold bounds the pages of an Extent on either side of the one that is asked
// for.
const mostTold = 32

// Tell says what dispatcher to may map at an address and around it. It must forget
// that again when it is asked to.
func Tell(address uint64, to int) (x Extent) {
	n, _ := lowest(address)
	if address >= Top() || n.table == 0 || *n.entryAt(address) == 0 {
		return x
	}
	page := address &^ pageMask
	e := *n.entryAt(page)
	frame, number := place(e)
	same := func(a uint64, number uint32) bool {
		other := *n.entryAt(a)
		if other == 0 || other.prot() != e.prot() {
			return false
		}
		f, p := place(other)
		return f == frame && p == number
	}
	base := page &^ (hugeBytes - 1)
	start, end := page, page+pageSize
	for start > base && page-start < mostTold*pageSize && same(start-pageSize, number-uint32((page-start)>>pageShift)-1) {
		start -= pageSize
	}
	for end < base+hugeBytes && end-page < mostTold*pageSize && same(end, number+uint32((end-page)>>pageShift)) {
		end += pageSize
	}
	for a := start; a < end; a += pageSize {
		*n.entryAt(a) |= 1 << (entryHolders + uint(to-1)%numHolders)
	}
	return Extent{
		Address: start, Frame: frame, Page: number - uint32((page-start)>>pageShift),
		Count: uint32((end - start) >> pageShift), Prot: uint32(e.prot()),
	}
}

// place returns of which frame an entry maps which page.
func place(e entry) (frame, page uint32) {
	r := recordAt(e.mapping())
	if r.kind == recordChunk {
		frame = space.pieces[blockAt(r.block).piece].number
	}
	return frame, r.page + uint32(e.index())
}

// Install maps what home has told of the page of an address, as far as nothing is
// mapped there, or something else is at that page. ErrRange if it is no memory of
// the program's, ErrMemory, or what the CPU driver says.
func Install(x Extent, address uint64) capability.Error {
	page := address &^ pageMask
	start, end := x.Address, x.Address+uint64(x.Count)<<pageShift
	if start&pageMask != 0 || page < start || page >= end || end > abi.SpanTop || (start^(end-1))>>span1 != 0 || x.Frame >= capability.MemorySlots {
		return capability.ErrRange
	}
	if entryOf(page) != 0 {
		// It allows less than what home has by now.
		if err := unmap(start, end); err != capability.OK {
			return err
		}
	}
	n, err := table(1, page)
	if err != capability.OK {
		prune(page)
		return err
	}
	first, last := gap(n, page, start, end)
	r := record{
		source: capability.Base(capability.SlotArchive),
		page:   x.Page + uint32((first-start)>>pageShift),
		count:  uint16((last - first) >> pageShift),
		kind:   recordForeign,
	}
	if x.Frame != 0 {
		r.source = capability.Peer(capability.PeerFrames + x.Frame)
	}
	err = mapPages(n, first, r, uint64(x.Prot))
	if n.used == 0 {
		emptied(page)
	}
	return err
}

// Discard unmaps what Install has mapped in [start, end), or more.
func Discard(start, end uint64) capability.Error {
	if err := unmap(start, end); err == capability.OK {
		return err
	}
	return unmap(0, abi.SpanTop) // needs no slots
}

// took takes note of pages that are about to go, in the table of a node: those who
// were told of them are to forget them.
func took(n *node, start, end uint64) {
	var holders entry
	for a := start; a < end; a += pageSize {
		holders |= *n.entryAt(a) & holdersMask
	}
	if holders == 0 {
		return
	}
	if space.takenFrom == 0 {
		space.takenStart, space.takenEnd = start, end
	}
	space.takenFrom |= uint64(holders >> entryHolders)
	space.takenStart, space.takenEnd = min(space.takenStart, start), max(space.takenEnd, end)
}

// narrowed takes note of pages whose protection is about to become prot.
func narrowed(n *node, start, end, prot uint64) {
	for a := start; a < end; a += pageSize {
		e := n.entryAt(a)
		if e.prot()&^prot != 0 {
			took(n, a, a+pageSize)
			*e &^= holdersMask
		}
	}
}

// Taken says what other dispatchers are to forget when Settle is called: [start,
// end), and of count dispatchers which, as a set.
func Taken(count int) (start, end, set uint64) {
	for d := 1; d < count; d++ {
		set |= space.takenFrom >> (uint(d-1) % numHolders) & 1 << d
	}
	return space.takenStart, space.takenEnd, set
}

// pieceType returns what the capability to a piece is.
func pieceType(frame bool) capability.Type {
	if frame {
		return capability.Frame
	}
	return capability.RAM
}

// nowFrame makes the piece of a number, which was just added, one that is a frame.
func nowFrame(number uint32) {
	for i := range space.numPieces {
		if p := &space.pieces[i]; p.slot != 0 && p.number == number {
			p.frame = true
			space.freeBlocks -= uint64(p.free)
			space.freeFrames += uint64(p.free)
		}
	}
}

// newFrameChunk takes a block of a frame as a chunk. What was never used is zeroed.
func newFrameChunk() (uint32, capability.Error) {
	if space.freeFrames == 0 {
		if err := demand(blockBytes, true); err != capability.OK {
			return 0, err
		}
	}
	for i := range space.numPieces {
		p := &space.pieces[i]
		if p.slot == 0 || !p.frame || p.free == 0 {
			continue
		}
		if b, ok := p.find(1); ok {
			p.mark(b, 1)
			p.free--
			space.freeFrames--
			*blockAt(b) = block{kind: blockChunk, piece: uint8(i), frame: p.slot}
			return b, capability.OK
		}
	}
	return 0, capability.ErrMemory
}

// pageInFrame returns which page of its frame a block begins with.
func pageInFrame(b uint32) uint32 {
	_, offset := memoryOf(b)
	return uint32(offset >> pageShift)
}
