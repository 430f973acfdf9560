package vspace

import (
	"math/bits"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/memory"
)

// check compares all that the space knows with what is so: entries with page
// tables, records with capabilities, counts with what they count.
func (m *machine) check() {
	m.t.Helper()
	c := checker{machine: m, pages: map[uint64]uint64{}, slots: map[capability.Reference]bool{}, blocks: map[uint32]uint8{}, huge: map[uint32]uint16{}}
	c.nodes(3, 0, abi.ProgramTop)
	c.tables()
	c.chunks()
	c.pieces()
	c.cnodes()
	if c.resident != space.resident || c.own != space.own {
		m.t.Errorf("%d pages resident, %d own; counted %d and %d", c.resident, c.own, space.resident, space.own)
	}
	if m.t.Failed() {
		m.t.FailNow()
	}
}

type checker struct {
	*machine
	pages         map[uint64]uint64 // where a page of the domain's own is mapped
	slots         map[capability.Reference]bool
	blocks        map[uint32]uint8 // pages of chunks that are mapped
	huge          map[uint32]uint16
	resident, own uint64
	leaves        int
}

// nodes checks the nodes of a level in [start, end).
func (c *checker) nodes(level, start, end uint64) (used uint16) {
	for a := start; a < end; a += spanOf(level) {
		n := nodeOf(level, a)
		if *n == (node{}) {
			continue
		}
		used++
		c.slots[n.mapping] = true
		if n.table == 0 {
			c.large(n, level, a)
			continue
		}
		c.slots[n.table] = true
		slot, err := c.Find(c.root, n.table)
		if err != capability.OK || c.TypeOf(slot) != tableType(level) {
			c.t.Errorf("%#x: no table of level %d", a, level)
			continue
		}
		if h := c.homes[c.BaseOf(slot)]; h != (home{level, a}) {
			c.t.Errorf("%#x: table is at %+v", a, h)
		}
		var got uint16
		if level > 1 {
			got = c.nodes(level-1, a, a+spanOf(level))
		} else {
			got = c.entries(n, a)
		}
		if level == 3 && a < abi.SpanTop && space.settles {
			got++ // it is not the space's own, and stays
		}
		if got != n.used {
			c.t.Errorf("%#x: %d entries used of a table of level %d, counted %d", a, got, level, n.used)
		}
		if got == 0 && (level > 1 || space.spare != a>>span1+1) {
			c.t.Errorf("%#x: an empty table of level %d", a, level)
		}
	}
	return used
}

// large checks a large page.
func (c *checker) large(n *node, level, a uint64) {
	e, span := c.walk(a)
	if e&largeEntry == 0 || span != spanOf(level) {
		c.t.Errorf("%#x: entry %#x of %#x bytes, should be a large page", a, e, span)
	}
	if want, _ := bitsFor(uint64(n.prot), capability.AllRights); e&(userEntry|writeEntry|executeEntry) != want&^presentEntry {
		c.t.Errorf("%#x: entry %#x, protection %d", a, e, n.prot)
	}
	c.resident += span / pageSize
	if n.huge != 0 {
		c.own += span / pageSize
		c.huge[n.huge-1] += hugePages
		c.slots[blockAt(n.huge-1).frame] = true
	}
}

// entries checks the entries of a table of level 1.
func (c *checker) entries(n *node, start uint64) (used uint16) {
	c.leaves++
	if n.huge != 0 {
		c.slots[blockAt(n.huge-1).frame] = true
	}
	for a := start; a < start+hugeBytes; a += pageSize {
		e := *n.entryAt(a)
		real, span := c.walk(a)
		if (e == 0) != (real == 0) || real != 0 && span != pageSize {
			c.t.Errorf("%#x: entry %#x, page table %#x", a, uint64(e), real)
			continue
		}
		if e == 0 {
			continue
		}
		used++
		c.resident++
		if want, _ := bitsFor(e.prot(), capability.AllRights); real&(userEntry|writeEntry|executeEntry) != want&^presentEntry {
			c.t.Errorf("%#x: page table %#x, protection %d", a, real, e.prot())
		}
		c.slots[e.mapping()] = true
		r := recordAt(e.mapping())
		slot, err := c.Lookup(c.root, r.source, 0)
		if err != capability.OK {
			c.t.Errorf("%#x: its frame: %v", a, err)
			continue
		}
		physical := c.BaseOf(slot) + (uint64(r.page)+e.index())*pageSize
		if real&frameMask != physical {
			c.t.Errorf("%#x: maps %#x, should %#x", a, real&frameMask, physical)
		}
		if e.index() >= uint64(r.count) {
			c.t.Errorf("%#x: page %d of %d of its mapping", a, e.index(), r.count)
		}
		first := a - e.index()*pageSize
		if other := *n.entryAt(first); other.mapping() != e.mapping() || other.index() != 0 {
			c.t.Errorf("%#x: its mapping begins at %#x, where there is %#x", a, first, uint64(other))
		}
		if m, _ := c.Find(c.root, e.mapping()); c.TypeOf(m) != capability.Mapping {
			c.t.Errorf("%#x: no mapping", a)
		} else if at, count, _ := c.MappingOf(m); count != uint64(r.count) || uint64(at)%pageSize/8 != first/pageSize%512 {
			c.t.Errorf("%#x: mapping of %d entries from %d on, record of %d", a, count, uint64(at)%pageSize/8, r.count)
		}
		if r.kind == recordForeign {
			continue
		}
		c.own++
		if before, ok := c.pages[physical]; ok {
			c.t.Errorf("%#x: its page is at %#x too", a, before)
		}
		c.pages[physical] = a
		if r.kind == recordHuge {
			c.huge[r.block]++
			if n.huge != r.block+1 {
				c.t.Errorf("%#x: page of another huge page", a)
			}
		} else {
			page := uint64(r.page) + e.index()
			if space.replicated {
				_, offset := memoryOf(r.block)
				page -= offset / pageSize
			}
			c.blocks[r.block] |= 1 << page
			c.slots[r.source] = true
		}
	}
	return used
}

// tables checks leaves: none is lost.
func (c *checker) tables() {
	free := 0
	for l := space.leaf; l != 0; l = *at[uint64](leafAt(uint32(l))) {
		free++
	}
	if free+c.leaves != int(space.leaves) {
		c.t.Errorf("%d leaves in use, %d free, of %d", c.leaves, free, space.leaves)
	}
}

// chunks checks which pages of chunks are in use, and the lists.
func (c *checker) chunks() {
	listed := map[uint32]bool{}
	for _, head := range []uint32{space.partial, space.objects} {
		before := uint32(0)
		for b := head; b != 0; b = blockAt(b - 1).next {
			if k := blockAt(b - 1); !k.listed || k.prev != before {
				c.t.Errorf("block %d: badly linked", b-1)
			}
			listed[b-1] = true
			before = b
		}
	}
	free := uint64(0)
	for i := range space.numPieces {
		p := &space.pieces[i]
		if p.slot == 0 {
			continue
		}
		for b := p.first; b < p.first+p.blocks; b++ {
			k := blockAt(b)
			room := k.kind == blockChunk && b+1 != space.chunk && k.used != 0xff || k.kind == blockObjects && k.used != 0xff
			if k.listed != listed[b] || room != listed[b] {
				c.t.Errorf("block %d: %+v, in a list %v", b, *k, listed[b])
			}
			switch k.kind {
			case blockChunk:
				c.slots[k.frame] = true
				free += uint64(8 - bits.OnesCount8(k.used))
				if c.blocks[b] != k.used || k.used&^k.dirty != 0 {
					c.t.Errorf("block %d: pages %08b in use, %08b mapped, %08b dirty", b, k.used, c.blocks[b], k.dirty)
				}
				if k.used == 0 && b+1 != space.chunk && !space.replicated {
					c.t.Errorf("block %d: an empty chunk", b)
				}
			case blockHuge:
				if c.huge[b] != k.live || k.live == 0 {
					c.t.Errorf("block %d: %d pages live, %d mapped", b, k.live, c.huge[b])
				}
			}
		}
	}
	if free != space.freePages {
		c.t.Errorf("%d free pages in chunks, counted %d", free, space.freePages)
	}
}

// pieces checks which blocks are free: of those nothing is made.
func (c *checker) pieces() {
	var held, free, inFrames uint64
	for i := range space.numPieces {
		p := &space.pieces[i]
		if i < space.firstPiece && p.free > 0 {
			c.t.Errorf("piece %d: %d blocks free, looked for from piece %d on", i, p.free, space.firstPiece)
		}
		if p.slot == 0 {
			continue
		}
		held += p.size
		c.slots[p.slot] = true
		n := uint32(0)
		for b := p.first; b < p.first+p.blocks; b++ {
			if *freeWord(b)>>(b%64)&1 == 0 {
				continue
			}
			n++
			if k := blockAt(b); k.kind != blockFree {
				c.t.Errorf("block %d: %+v is free", b, *k)
			}
			if (b-p.first)/64 < p.from {
				c.t.Errorf("block %d: is free, looked for from %d on", b, p.from)
			}
		}
		if n != p.free {
			c.t.Errorf("piece %d: %d blocks free, counted %d", i, n, p.free)
		}
		if p.frame {
			inFrames += uint64(n)
		} else {
			free += uint64(n)
		}
	}
	if held != space.held || free != space.freeBlocks || inFrames != space.freeFrames {
		c.t.Errorf("%d bytes held, %d blocks free, and %d of frames; counted %d, %d and %d", held, free, inFrames, space.held, space.freeBlocks, space.freeFrames)
	}
}

// cnodes checks that slots are in use exactly if something is known to be in
// them, and that they then hold something.
func (c *checker) cnodes() {
	for _, s := range reserve.slots[:reserve.numSlots] {
		c.slots[s] = true
	}
	if slot, err := c.Find(c.root, space.larger); err != capability.OK || c.TypeOf(slot) != capability.Null {
		c.t.Errorf("the slot for a larger L1 CNode: %v, %v", c.TypeOf(slot), err)
	}
	c.slots[space.larger] = true
	if slot, err := c.Find(c.root, capability.Base(capability.SlotCSpace)); err != capability.OK || c.BaseOf(slot) != c.BaseOf(c.root) {
		c.t.Errorf("SlotCSpace is not the CSpace: %v", err)
	}
	free := uint32(0)
	for l1 := uint32(FirstCNode); l1 < space.cnodes; l1++ {
		k := cnodeAt(l1)
		if room := space.room[l1/64]>>(l1%64)&1 != 0; room != (k.left > 0) {
			c.t.Errorf("CNode %d: %d slots free, noted %v", l1, k.left, room)
		}
		if k.kind != ownCNode {
			continue
		}
		left := uint32(0)
		for i := uint32(1); i < capability.L2Slots; i++ {
			r := capability.MakeReference(l1, i)
			isFree := k.free[i/64]>>(i%64)&1 != 0
			slot, err := c.Find(c.root, r)
			if err != capability.OK {
				c.t.Fatalf("%#x: %v", r, err)
			}
			empty := c.TypeOf(slot) == capability.Null
			if isFree {
				left++
				if !empty || c.slots[r] {
					c.t.Errorf("slot %#x: free, and holds %v, in use %v", uint32(r), c.TypeOf(slot), c.slots[r])
				}
			} else if !c.slots[r] && !c.heaps(r, slot) {
				c.t.Errorf("slot %#x is lost: %v, %+v", uint32(r), c.TypeOf(slot), *recordAt(r))
			}
		}
		if left != k.left {
			c.t.Errorf("CNode %d: %d slots free, counted %d", l1, left, k.left)
		}
		free += left
	}
	if free != space.freeSlots {
		c.t.Errorf("%d slots free, counted %d", free, space.freeSlots)
	}
}

// heaps says whether a slot is for the heap of the libos, or of the program's.
func (c *checker) heaps(r capability.Reference, slot memory.Phys) bool {
	if recordAt(r).kind == recordLent {
		return true
	}
	for _, f := range reserve.chunks[:reserve.numChunks] {
		if f == r {
			return true
		}
	}
	for level := range reserve.tables {
		for _, t := range reserve.tables[level][:reserve.numTables[level]] {
			if t == r {
				return true
			}
		}
	}
	return c.inHeap[r]
}
