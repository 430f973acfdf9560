package vspace

import (
	"math/bits"
	"unsafe"

	"skerry/abi/capability"
	protocol "skerry/lib/supply"
)

// A block is 32 KiB of RAM, aligned to its size: eight pages, the least that is
// made something of at a time, and all that the CPU driver clears at once.
const (
	pageShift  = 12
	pageSize   = 1 << pageShift
	blockPages = 8
	blockBytes = blockPages * pageSize

	hugeBytes  = 2 << 20
	hugeBlocks = hugeBytes / blockBytes
	hugePages  = hugeBytes / pageSize
)

// maxPieces bounds the pieces of RAM: those that spawners give by number, and as
// many from GiveRAM.
const maxPieces = 2 * capability.MemorySlots

// piece is a range of RAM that the domain holds.
type piece struct {
	slot       capability.Reference // of the RAM, 0 for no piece
	number     uint32               // by which the spawner knows it
	base, size uint64
	// first is the number of its first block, a multiple of 64 as blocks is:
	// block numbers begin at a multiple of 2 MiB of physical addresses, so a
	// word of the table of free blocks stands for what may be a huge page.
	first, blocks uint32
	frame         bool   // all of it is one frame, that other dispatchers have too
	usable, free  uint32 // blocks that lie in it wholly, and those in no use
	from          uint32 // no word of it before this one has a free block
}

// keptNumber is the number of pieces that stay for good.
const keptNumber = ^uint32(0)

// mostBlocks bounds the blocks of a piece: 16 GiB.
const mostBlocks = 1 << 19

// block says what a block in use, or several in a row of which it is the first,
// is used for. Some fields mean something for one kind only.
type block struct {
	// next and prev link the chunks, or the blocks of objects, that have room;
	// they are numbers plus one. For blockTaken, next is how many blocks.
	next, prev uint32
	frame      capability.Reference // of a chunk or huge page
	live       uint16               // pages of a huge page that are mapped
	used       uint8                // a bit for each page in use
	dirty      uint8                // a bit for each that is not known to be zeroes
	kind       uint8
	piece      uint8
	listed     bool
	_          uint8
}

const blockSize = unsafe.Sizeof(block{})

// Kinds of block.
const (
	blockFree    uint8 = iota
	blockChunk         // a frame of eight pages
	blockObjects       // page tables and CNodes
	blockHuge          // the first of a frame of 2 MiB
	blockTaken         // the first of what RAM took
	blockOurs          // for the heap of the libos, for good
)

func blockAt(n uint32) *block {
	return at[block](space.tables + blocksAt + uint64(n)*uint64(blockSize))
}

// freeWord returns the word with the bits of 64 blocks, the first of them a
// multiple of 64; a bit is set for a free block.
func freeWord(n uint32) *uint64 { return at[uint64](space.tables + freeAt + uint64(n)/64*8) }

// start returns the physical address of a piece's first block.
func (p *piece) start() uint64 { return p.base &^ (hugeBytes - 1) }

// memoryOf returns the RAM that a block is part of, and where in it it begins.
func memoryOf(n uint32) (source capability.Reference, offset uint64) {
	p := &space.pieces[blockAt(n).piece]
	return p.slot, p.start() + uint64(n-p.first)*blockBytes - p.base
}

// addPiece takes RAM that lies in a slot. Its error is ErrMemory if there is no
// room for another, ErrRange if no block lies in it or too many.
func addPiece(slot capability.Reference, number uint32, base, size uint64) capability.Error {
	low := (base + blockBytes - 1) &^ (blockBytes - 1)
	high := (base + size) &^ (blockBytes - 1)
	if low >= high {
		return capability.ErrRange
	}
	start := base &^ (hugeBytes - 1)
	blocks := (high - start + hugeBytes - 1) / hugeBytes * hugeBlocks
	i := 0
	for i < space.numPieces && space.pieces[i].slot != 0 {
		i++
	}
	switch {
	case blocks > mostBlocks:
		return capability.ErrRange
	case i == maxPieces:
		return capability.ErrMemory
	}
	first, ok := numbersFor(uint32(blocks))
	if !ok {
		return capability.ErrMemory
	}
	space.numPieces = max(space.numPieces, i+1)
	p := &space.pieces[i]
	*p = piece{slot: slot, number: number, base: base, size: size, first: first, blocks: uint32(blocks)}
	p.usable = uint32((high - low) / blockBytes)
	for n := uint32((low - start) / blockBytes); n < uint32((high-start)/blockBytes); n++ {
		*freeWord(first + n) |= 1 << (n % 64)
	}
	p.free = p.usable
	space.firstPiece = min(space.firstPiece, i)
	space.freeBlocks += uint64(p.usable)
	space.held += size
	space.peak = max(space.peak, space.held)
	return capability.OK
}

// numbersFor finds a run of block numbers that no piece has.
func numbersFor(blocks uint32) (first uint32, ok bool) {
	for i := 0; i < space.numPieces; {
		p := &space.pieces[i]
		if p.slot != 0 && first < p.first+p.blocks && p.first < first+blocks {
			first = p.first + p.blocks
			i = 0
			continue
		}
		i++
	}
	return first, first+blocks <= maxBlocks
}

// takeBlocks takes n blocks in a row, n a power of two, aligned to their size.
func takeBlocks(n uint32) (uint32, capability.Error) { return takePart(n, 0) }

// takePart is takeBlocks out of a piece of more than so many bytes.
func takePart(n uint32, than uint64) (uint32, capability.Error) {
	if b, ok := findBlocks(n, than); ok {
		return b, capability.OK
	}
	err := demand(max(uint64(n)*blockBytes, 2*than), false)
	if err != capability.OK {
		trim()
	}
	if b, ok := findBlocks(n, than); ok {
		return b, capability.OK
	}
	if err == capability.OK {
		err = capability.ErrMemory
	}
	return 0, err
}

func findBlocks(n uint32, than uint64) (uint32, bool) {
	for i := space.firstPiece; i < space.numPieces; i++ {
		p := &space.pieces[i]
		if p.slot == 0 || p.free < n || p.size <= than || p.frame {
			if p.free == 0 && i == space.firstPiece {
				space.firstPiece++
			}
			continue
		}
		b, ok := p.find(n)
		if !ok {
			continue
		}
		p.mark(b, n)
		p.free -= n
		space.freeBlocks -= uint64(n)
		*blockAt(b) = block{kind: blockOurs, piece: uint8(i)} // until the caller says otherwise
		return b, true
	}
	return 0, false
}

// find finds n free blocks in a row, n a power of two, aligned to their size.
func (p *piece) find(n uint32) (uint32, bool) {
	words := p.blocks / 64
	if n > 64 {
		// Words that are all free, aligned in physical memory.
		need := n / 64
		first := uint32(-(p.start() / hugeBytes)) & (need - 1)
		for w := first; w+need <= words; w += need {
			i := uint32(0)
			for i < need && *freeWord(p.first + 64*(w+i)) == ^uint64(0) {
				i++
			}
			if i == need {
				return p.first + 64*w, true
			}
		}
		return 0, false
	}
	for w := p.from; w < words; w++ {
		runs := *freeWord(p.first + 64*w)
		if runs == 0 && w == p.from {
			p.from++
		}
		for s := uint32(1); s < n; s *= 2 {
			runs &= runs >> s
		}
		runs &= aligned[bits.TrailingZeros32(n)]
		if runs != 0 {
			return p.first + 64*w + uint32(bits.TrailingZeros64(runs)), true
		}
	}
	return 0, false
}

// aligned has, for each power of two up to 64, the bits that are multiples of it.
var aligned = [...]uint64{
	^uint64(0), 0x5555_5555_5555_5555, 0x1111_1111_1111_1111, 0x0101_0101_0101_0101, 0x0001_0001_0001_0001, 0x0000_0001_0000_0001, 1,
}

// mark makes free blocks used ones, or the other way round.
func (p *piece) mark(b, n uint32) {
	for n >= 64 {
		*freeWord(b) ^= ^uint64(0)
		b, n = b+64, n-64
	}
	if n > 0 {
		*freeWord(b) ^= (1<<n - 1) << (b % 64)
	}
}

// releaseBlocks gives back what takeBlocks took; nothing is made of it any more.
func releaseBlocks(b, n uint32) {
	i := blockAt(b).piece
	p := &space.pieces[i]
	*blockAt(b) = block{}
	p.mark(b, n)
	p.free += n
	p.from = min(p.from, (b-p.first)/64)
	space.firstPiece = min(space.firstPiece, int(i))
	space.freeBlocks += uint64(n)
	if p.free == p.usable && p.number != keptNumber {
		space.idle = true
	}
}

// Bounds on how much is asked of the spawner at a time, and the part of what is
// held that it should be: it takes eight pieces to hold twice as much, so their
// numbers are enough for 16 GiB.
const (
	leastWanted = 8 * supplyLeast
	mostWanted  = 1 << 30
	wantedPart  = 8
)

// demand asks the spawner for RAM, at least about so many bytes, or for a frame.
func demand(least uint64, frame bool) capability.Error {
	number := uint32(1)
	for i := 0; i < space.numPieces; {
		if space.pieces[i].slot != 0 && space.pieces[i].number == number {
			number++
			i = 0
			continue
		}
		i++
	}
	if number >= capability.MemorySlots {
		return capability.ErrMemory
	}
	if _, err := supply(number, max(least, wanted(space.held)), frame); err != capability.OK {
		return err
	}
	slot := capability.Base(capability.SlotMemory + number)
	err := identify(slot)
	if err == capability.OK {
		if description.Type != pieceType(frame) {
			return capability.ErrType
		}
		err = addPiece(slot, number, description.Base, description.Size)
	}
	if err == capability.OK && frame {
		nowFrame(number)
	}
	if err != capability.OK {
		if remove(slot) == capability.OK {
			giveBack(number)
		}
	}
	return err
}

const supplyLeast = protocol.Least

// wanted returns how much to ask for when so many bytes are held.
func wanted(held uint64) uint64 {
	part := min(max(held/wantedPart, leastWanted), mostWanted)
	return 1 << (bits.Len64(part) - 1)
}

// settle gives pieces of which nothing is in use back to the spawner, while
// enough is left not to ask for more at once, or the piece is much larger than
// what would be asked for.
func settle() {
	forget()
	if !space.idle || space.shared {
		return
	}
	space.idle = false
	for i := range space.numPieces {
		p := &space.pieces[i]
		if p.slot == 0 || p.number == keptNumber || p.free != p.usable {
			continue
		}
		held, rest := space.held-p.size, (space.freeBlocks-uint64(p.free))*blockBytes
		if rest < max(keptFree, held/(2*wantedPart)) && p.size <= 4*wanted(held) {
			continue
		}
		if remove(p.slot) != capability.OK {
			continue
		}
		for w := uint32(0); w < p.blocks; w += 64 {
			*freeWord(p.first + w) = 0
		}
		space.freeBlocks -= uint64(p.free)
		space.held -= p.size
		number := p.number
		*p = piece{}
		giveBack(number)
	}
}

// keptFree is how much must be free elsewhere before a piece is given back.
const keptFree = 4 * supplyLeast
