package vspace

import "skerry/abi/capability"

// Page tables take a page, CNodes four: blocks of objects are divided among
// them. Those with room are linked, space.objects first.

// objectsSearched is how many blocks with room are looked at for an object of
// more than a page.
const objectsSearched = 8

// takeObject takes pages in a row, 1 or 4 and aligned to that, of a block for
// objects.
func takeObject(pages uint64) (b uint32, page uint64, err capability.Error) {
	n := space.objects
	for i := 0; n != 0 && i < objectsSearched; i++ {
		if page, ok := findPages(blockAt(n-1), pages); ok {
			usePages(n-1, page, pages)
			return n - 1, page, capability.OK
		}
		n = blockAt(n - 1).next
	}
	if b, err = takeBlocks(1); err != capability.OK {
		return 0, 0, err
	}
	k := blockAt(b)
	k.kind, k.used = blockObjects, 0
	link(&space.objects, b)
	usePages(b, 0, pages)
	return b, 0, capability.OK
}

// findPages finds pages of a block in a row that are in no use.
func findPages(k *block, pages uint64) (uint64, bool) {
	mask := uint8(1)<<pages - 1
	for page := uint64(0); page < blockPages; page += pages {
		if k.used>>page&mask == 0 {
			return page, true
		}
	}
	return 0, false
}

func usePages(b uint32, page, pages uint64) {
	k := blockAt(b)
	k.used |= (1<<pages - 1) << page
	space.inObjects += pages
	if k.used == 0xff {
		unlink(&space.objects, b)
	}
}

// giveObject gives back what takeObject took, when nothing is made of it.
func giveObject(b uint32, page, pages uint64) {
	k := blockAt(b)
	k.used &^= (1<<pages - 1) << page
	space.inObjects -= pages
	if k.used == 0 {
		unlink(&space.objects, b)
		releaseBlocks(b, 1)
		return
	}
	link(&space.objects, b)
}

// makeObject makes a page table in a slot of its own.
func makeObject(t capability.Type) (capability.Reference, capability.Error) {
	r, err := slot()
	if err != capability.OK {
		return 0, err
	}
	b, page, err := takeObject(1)
	if err != capability.OK {
		freeSlot(r)
		return 0, err
	}
	source, offset := memoryOf(b)
	if err = retype(r, source, t, offset+page*pageSize, pageSize); err != capability.OK {
		giveObject(b, page, 1)
		freeSlot(r)
		return 0, err
	}
	*recordAt(r) = record{block: b, page: uint32(page), count: 1, kind: recordObject}
	return r, capability.OK
}

// dropObject undoes makeObject. It returns false, and has not, if the CPU driver
// refuses.
func dropObject(r capability.Reference) bool {
	if remove(r) != capability.OK {
		return false
	}
	k := *recordAt(r)
	giveObject(k.block, uint64(k.page), uint64(k.count))
	freeSlot(r)
	return true
}

// link puts a block at the head of a list, if it is in none.
func link(list *uint32, b uint32) {
	k := blockAt(b)
	if k.listed {
		return
	}
	k.listed, k.prev, k.next = true, 0, *list
	if k.next != 0 {
		blockAt(k.next - 1).prev = b + 1
	}
	*list = b + 1
}

// unlink takes a block off its list, if it is in one.
func unlink(list *uint32, b uint32) {
	k := blockAt(b)
	if !k.listed {
		return
	}
	if k.prev == 0 {
		*list = k.next
	} else {
		blockAt(k.prev - 1).next = k.next
	}
	if k.next != 0 {
		blockAt(k.next - 1).prev = k.prev
	}
	k.listed, k.prev, k.next = false, 0, 0
}
