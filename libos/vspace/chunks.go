package vspace

import (
	"math/bits"

	"skerry/abi/capability"
)

// A chunk is a frame of eight pages. Pages are taken of the current one first,
// which were never used and are zeroes. Of others, which are linked while they
// have room, pages are dirty: who takes one clears it. A chunk of which no page
// is in use is deleted, so that the CPU driver clears it when its RAM is used
// next.

// takePages takes up to want pages in a row, and says whether they are dirty.
func takePages(want uint64) (r record, dirty bool, err capability.Error) {
	if want == 1 && space.partial != 0 && !space.shared {
		return takeOf(space.partial-1, 1), true, capability.OK
	}
	if space.chunk == 0 || !clean(blockAt(space.chunk-1)) {
		retire()
		if err := newCurrent(); err != capability.OK {
			if space.partial == 0 {
				return record{}, false, err
			}
			return takeOf(space.partial-1, want), true, capability.OK
		}
	}
	// Clean pages are the last ones: they are taken from the first on.
	b := space.chunk - 1
	page := uint64(bits.Len8(blockAt(b).dirty))
	return use(b, page, min(want, blockPages-page)), false, capability.OK
}

// clean says whether a chunk has pages that were never used.
func clean(k *block) bool { return k.dirty != 0xff }

// use marks free pages of a chunk as in use, and returns the record of a mapping
// of them.
func use(b uint32, page, count uint64) record {
	k := blockAt(b)
	mask := uint8((1<<count - 1) << page)
	k.used |= mask
	k.dirty |= mask
	space.freePages -= count
	r := record{source: k.frame, page: uint32(page), block: b, count: uint16(count), kind: recordChunk}
	if space.replicated {
		r.page += pageInFrame(b)
	}
	return r
}

// takeOf takes up to want pages in a row of a linked chunk.
func takeOf(b uint32, want uint64) record {
	free := ^blockAt(b).used
	page := uint64(bits.TrailingZeros8(free))
	count := min(want, uint64(bits.TrailingZeros8(^(free >> page))))
	r := use(b, page, count)
	if blockAt(b).used == 0xff {
		unlink(&space.partial, b)
	}
	return r
}

// newCurrent makes a chunk and lets it be the current one. If there is RAM for
// it only by asking the spawner, pages of others are used up first.
func newCurrent() capability.Error {
	if space.partial != 0 && (!space.shared && space.freeBlocks == 0 || space.replicated && space.freeFrames == 0) {
		return capability.ErrMemory
	}
	b, err := newChunk(blockChunk)
	if err == capability.OK {
		space.chunk = b + 1
		space.freePages += blockPages
	}
	return err
}

// newChunk makes a frame of a block.
func newChunk(kind uint8) (uint32, capability.Error) {
	if space.replicated && kind == blockChunk {
		return newFrameChunk()
	}
	r, err := slot()
	if err != capability.OK {
		return 0, err
	}
	b, err := takeBlocks(1)
	for err == capability.OK {
		source, offset := memoryOf(b)
		if err = retype(r, source, capability.Frame, offset, blockBytes); err == capability.OK {
			break
		}
		if err != capability.ErrInUse {
			releaseBlocks(b, 1)
			break
		}
		// The program has made something of it behind our back: it is lost.
		b, err = takeBlocks(1)
	}
	if err != capability.OK {
		freeSlot(r)
		return 0, err
	}
	k := blockAt(b)
	k.kind, k.frame, k.used, k.dirty = kind, r, 0, 0
	return b, capability.OK
}

// retire makes the current chunk one like any.
func retire() {
	if space.chunk == 0 {
		return
	}
	b := space.chunk - 1
	space.chunk = 0
	switch blockAt(b).used {
	case 0:
		dropChunk(b)
	case 0xff:
	default:
		link(&space.partial, b)
	}
}

// givePages gives pages of a chunk back that are mapped no longer.
func givePages(b uint32, page, count uint64) {
	k := blockAt(b)
	page %= blockPages // of a replicated space it is the page of a frame
	k.used &^= uint8((1<<count - 1) << page)
	space.freePages += count
	switch {
	case b+1 == space.chunk:
	case k.used == 0:
		unlink(&space.partial, b)
		dropChunk(b)
	default:
		link(&space.partial, b)
	}
}

// dropChunk deletes a chunk that is in no use. If the CPU driver refuses, or it is a
// part of a frame that stays, it stays, with pages that are free.
func dropChunk(b uint32) {
	k := blockAt(b)
	if space.replicated || remove(k.frame) != capability.OK {
		link(&space.partial, b)
		return
	}
	freeSlot(k.frame)
	space.freePages -= blockPages
	releaseBlocks(b, 1)
}

// trim gives up what is kept only to be quick.
func trim() {
	if space.chunk != 0 && blockAt(space.chunk-1).used == 0 {
		retire()
	}
	if space.spare != 0 {
		address := (space.spare - 1) << span1
		space.spare = 0
		prune(address)
	}
}
