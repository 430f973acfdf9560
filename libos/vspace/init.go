package vspace

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
)

// Init sets the space up, of the first piece of RAM in slot SlotMemory, or of one
// that it asks for if that is too small. It touches the libos's heap only once
// NestedFault can serve that. ErrMemory, or what the CPU driver says.
func Init(c Config) capability.Error {
	space.kernel = *(*uintptr)(unsafe.Pointer(&c.Kernel))
	space.supply = *(*uintptr)(unsafe.Pointer(&c.Supply))
	space.giveBack = *(*uintptr)(unsafe.Pointer(&c.Return))
	space.tables = c.Tables
	space.shared, space.settle = c.Shared, *(*uintptr)(unsafe.Pointer(&c.Settle))
	space.await = *(*uintptr)(unsafe.Pointer(&c.Await))
	space.replicated, space.settles = c.Replicated, c.Shared && !c.Replicated
	space.cnodes, space.mostCNodes = min(c.CNodes, MaxCNodes), min(c.MostCNodes, MaxCNodes)

	var s seed
	first := uint32(0)
	err := s.choose(first)
	if err == capability.ErrRange {
		// Too small to begin with; it is used all the same.
		first = 1
		if _, err = supply(first, seedSize, false); err == capability.OK {
			err = s.choose(first)
		}
	}
	if err == capability.OK {
		err = s.plant()
	}
	if err != capability.OK {
		return err
	}
	if err = addPiece(s.ram, first, s.base, s.size); err != capability.OK {
		return err
	}
	s.adopt()
	if err = refill(); err != capability.OK {
		return err
	}
	if ram := capability.Base(capability.SlotMemory); first != 0 && identify(ram) == capability.OK {
		addPiece(ram, keptNumber, description.Base, description.Size) // if a block is in it
	}
	space.regions.Init(uintptr(space.tables+regionsAt), maxRegions, programLow, Top())
	for i := range uint32(abi.SpanTables) {
		if space.settles {
			// One entry more than there is in use: so they are never deleted.
			space.top[i] = node{table: capability.Peer(capability.PeerTables + i), used: 1}
		}
	}
	return capability.OK
}

// seed makes the first reserve, when nothing can be looked up yet.
type seed struct {
	ram        capability.Reference
	base, size uint64
	at         uint64 // the physical address of its first block
	slots      uint32 // slots of the first CNode that have been taken
	pages      uint64 // pages of blocks for objects that have been taken
}

// Blocks of the seed: for objects, the CNode first, and chunks behind them.
const (
	seedObjects = 2
	seedBlocks  = seedObjects + reserveChunks

	// seedSize is what is asked for if the first piece is too small for them:
	// a power of two that leaves what a small program takes, so that it need not
	// ask again.
	seedSize = 1 << 20
	_        = uint(seedSize - 2*seedBlocks*blockBytes)
)

// choose looks whether a piece is large enough: ErrRange if not.
func (s *seed) choose(number uint32) capability.Error {
	s.ram = capability.Base(capability.SlotMemory + number)
	if err := identify(s.ram); err != capability.OK {
		return err
	}
	if description.Type != capability.RAM {
		return capability.ErrType
	}
	s.base, s.size = description.Base, description.Size
	s.at = (s.base + blockBytes - 1) &^ (blockBytes - 1)
	if s.at+seedBlocks*blockBytes > s.base+s.size {
		return capability.ErrRange
	}
	return capability.OK
}

// plant fills the reserve.
func (s *seed) plant() capability.Error {
	err := retypeIn(capability.Base(capability.SlotCSpace), FirstCNode, s.ram, capability.L2CNode, s.at-s.base, cnodeBytes)
	s.pages = cnodePages
	for level := uint64(1); level < uint64(len(reserveTables)) && err == capability.OK; level++ {
		for i := 0; i < reserveTables[level] && err == capability.OK; i++ {
			table := s.slot()
			reserve.tables[level][i] = table
			reserve.numTables[level]++
			err = retype(table, s.ram, tableType(level), s.at-s.base+s.pages*pageSize, pageSize)
			s.pages++
		}
	}
	for i := uint64(0); i < reserveChunks && err == capability.OK; i++ {
		frame := s.slot()
		addReserve(frame)
		err = retype(frame, s.ram, capability.Frame, s.at-s.base+(seedObjects+i)*blockBytes, blockBytes)
	}
	for reserve.numSlots < reserveSlots {
		reserve.slots[reserve.numSlots] = s.slot()
		reserve.numSlots++
	}
	space.larger = s.slot()
	return err
}

func (s *seed) slot() capability.Reference {
	s.slots++
	return capability.MakeReference(FirstCNode, s.slots)
}

// adopt enters what plant took into the tables.
func (s *seed) adopt() {
	p := &space.pieces[0]
	first := p.first + uint32((s.at-p.start())/blockBytes)
	p.mark(first, seedBlocks)
	p.free -= seedBlocks
	space.freeBlocks -= seedBlocks
	for i := range uint32(seedBlocks) {
		blockAt(first + i).kind = blockOurs
	}
	for i := range uint32(seedObjects) {
		k := blockAt(first + i)
		k.kind = blockObjects
		k.used = uint8(1<<min(s.pages-uint64(i)*blockPages, blockPages) - 1)
		if k.used != 0xff {
			link(&space.objects, first+i)
		}
	}
	space.inObjects = s.pages
	for i := uint32(1); i < capability.L2Slots; i++ {
		if i > s.slots {
			cnodeAt(FirstCNode).free[i/64] |= 1 << (i % 64)
		}
	}
	c := cnodeAt(FirstCNode)
	c.left, c.kind = cnodeSlots-s.slots, ownCNode
	space.freeSlots = c.left
	setRoom(FirstCNode, true)
}
