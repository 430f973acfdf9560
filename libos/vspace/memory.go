package vspace

import (
	"math/bits"

	"skerry/abi"
	"skerry/abi/capability"
)

// RAM takes RAM of size bytes, a power of two of at least a page, out of what
// the domain holds, into a slot from Slot. What is less than 32 KiB costs as
// much. ErrArgument, ErrReference, ErrMemory.
func RAM(size uint64, slot capability.Reference) capability.Error {
	switch {
	case size < pageSize || bits.OnesCount64(size) != 1 || size > mostBlocks*blockBytes:
		return capability.ErrArgument
	case !lent(slot):
		return capability.ErrReference
	}
	n := uint32(max(size/blockBytes, 1))
	b, err := takePart(n, size) // RAM is not made of as much RAM
	if err != capability.OK {
		return err
	}
	source, offset := memoryOf(b)
	if err = retype(slot, source, capability.RAM, offset, size); err != capability.OK {
		releaseBlocks(b, n)
		return err
	}
	k := blockAt(b)
	k.kind, k.next = blockTaken, n
	return capability.OK
}

// GiveRAM takes the RAM in a slot from Slot as memory of the domain; the slot is
// the space's from then on. It needs rights Grant, Retype and Revoke. RAM that
// was taken by RAM goes back to where it was: everything made of it is deleted.
// ErrReference, ErrType, ErrRights, ErrRange, ErrMemory.
func GiveRAM(slot capability.Reference) capability.Error {
	if !lent(slot) {
		return capability.ErrReference
	}
	if err := identify(slot); err != capability.OK {
		return err
	}
	const rights = capability.RightGrant | capability.RightRetype | capability.RightRevoke
	base, size := description.Base, description.Size
	switch {
	case description.Type != capability.RAM:
		return capability.ErrType
	case description.Rights&rights != rights:
		return capability.ErrRights
	}
	for i := range space.numPieces {
		p := &space.pieces[i]
		if p.slot != 0 && base < p.base+p.size && p.base < base+size {
			return takeBack(p, slot, base, size)
		}
	}
	err := addPiece(slot, keptNumber, base, size)
	if err == capability.OK {
		recordAt(slot).kind = recordObject
	}
	return err
}

// takeBack makes RAM in a slot, which was taken out of a piece, a part of it
// again.
func takeBack(p *piece, slot capability.Reference, base, size uint64) capability.Error {
	if base < p.base || base-p.start() >= uint64(p.blocks)*blockBytes || base%blockBytes != 0 {
		return capability.ErrRange
	}
	b := p.first + uint32((base-p.start())/blockBytes)
	k := blockAt(b)
	if k.kind != blockTaken || max(size, blockBytes) != uint64(k.next)*blockBytes {
		return capability.ErrRange
	}
	if err := revoke(slot); err != capability.OK {
		return err
	}
	if err := remove(slot); err != capability.OK {
		return err
	}
	freeSlot(slot)
	releaseBlocks(b, k.next)
	settle()
	return capability.OK
}

// Memory describes what the domain holds.
func Memory(m *abi.Memory) {
	*m = abi.Memory{
		Held:   space.held,
		Free:   (space.freeBlocks+space.freeFrames)*blockBytes + space.freePages*pageSize,
		Mapped: space.own * pageSize,
		Tables: space.inObjects * pageSize,
		Peak:   space.peak,
	}
}

// Resident returns how many pages of the program are mapped, and the most that
// have been.
func Resident() (pages, peak uint64) { return space.resident, space.max }
