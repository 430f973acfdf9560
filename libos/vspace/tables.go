package vspace

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
)

// tableEntries is the number of entries of a page table, span1 the logarithm of
// what one of level 1 spans.
const (
	tableEntries = 512
	span1        = 21
)

// node says what an entry of a table of level 2 to 4 leads to: the table of the
// level below, which is the node's level, or a large page. All zero: nothing.
type node struct {
	table capability.Reference // 0: none, a large page if there is a mapping
	// mapping is the slot of the table's mapping, or of the large page's.
	mapping capability.Reference
	// leaf, of a table of level 1, is the number plus one of its leaf.
	leaf uint32
	// huge is the number plus one of the first block of the frame of 2 MiB
	// whose pages are mapped here, if any: by the large page, or by entries
	// of the table, each at its own place.
	huge uint32
	used uint16 // entries of the table in use
	prot uint8  // of the large page
	_    uint8
}

const nodeSize = unsafe.Sizeof(node{})

// nodeOf returns the node of a level that serves an address of the program. To
// look at one of level 1 or 2 touches heap: where the one above has no table,
// there is nothing to see.
func nodeOf(level, address uint64) *node {
	switch level {
	case 1:
		return at[node](space.tables + nodes1At + address>>span1*uint64(nodeSize))
	case 2:
		return at[node](space.tables + nodes2At + address>>30*uint64(nodeSize))
	}
	return &space.top[address>>39]
}

// large says whether the node is that of a large page.
func (n *node) large() bool { return n.table == 0 && n.mapping != 0 }

// spanOf returns how much a node of a level spans.
func spanOf(level uint64) uint64 { return pageSize << (9 * level) }

// lowest returns the lowest node of an address that there is something to see
// at, and its level: there is no table at it, or it is of level 1.
func lowest(address uint64) (n *node, level uint64) {
	for level = 3; ; level-- {
		n = nodeOf(level, address)
		if n.table == 0 || level == 1 {
			return n, level
		}
	}
}

func tableType(level uint64) capability.Type {
	return capability.PageTable1 + capability.Type(level-1)
}

// table returns the node of a level that serves an address, with a table, which
// is made if need be, with those above. There must be no large page. If it
// fails, prune is due.
func table(level, address uint64) (*node, capability.Error) {
	above := capability.Base(capability.SlotVSpace)
	var parent *node
	for l := uint64(3); ; l-- {
		n := nodeOf(l, address)
		if n.table == 0 {
			if parent != nil {
				parent.used++ // at once, so that trim does not take it away
			}
			if err := addTable(n, above, l, address); err != capability.OK {
				if parent != nil {
					parent.used--
				}
				return nil, err
			}
		}
		if l == level {
			if level == 1 && space.spare == address>>span1+1 {
				space.spare = 0 // it gets used again
			}
			return n, capability.OK
		}
		above, parent = n.table, n
	}
}

// addTable makes a table of a level and maps it into the one above.
func addTable(n *node, above capability.Reference, level, address uint64) capability.Error {
	made := node{}
	err := makeTable(&made, level)
	if err != capability.OK {
		return err
	}
	err = mapEntries(above, address>>(pageShift+9*level)%tableEntries, 1, made.table, made.mapping, 0, 0)
	if err != capability.OK {
		discard(&made)
		return err
	}
	*n = made
	return capability.OK
}

// makeTable makes a table, a slot for its mapping, and for level 1 a leaf.
func makeTable(n *node, level uint64) (err capability.Error) {
	if n.mapping, err = slot(); err != capability.OK {
		return err
	}
	if n.table, err = makeObject(tableType(level)); err != capability.OK {
		freeSlot(n.mapping)
		return err
	}
	if level == 1 {
		var ok bool
		if n.leaf, ok = takeLeaf(); !ok {
			freeSlot(n.mapping)
			dropObject(n.table)
			return capability.ErrMemory
		}
	}
	return capability.OK
}

// discard deletes what makeTable made, which is mapped nowhere.
func discard(n *node) {
	freeSlot(n.mapping)
	dropObject(n.table)
	giveLeaf(n.leaf)
}

// dropTable deletes the table of a node, in which nothing is mapped; its mapping
// goes with it. It returns false, and has not, if the CPU driver refuses.
func dropTable(n *node) bool {
	mapping, leaf := n.mapping, n.leaf
	if !dropObject(n.table) {
		return false
	}
	freeSlot(mapping)
	giveLeaf(leaf)
	*n = node{}
	return true
}

// prune deletes the tables that serve an address as far as nothing is in them.
func prune(address uint64) {
	var path [4]*node
	level := uint64(3)
	for ; level > 0; level-- {
		n := nodeOf(level, address)
		path[level] = n
		if n.table == 0 {
			break
		}
	}
	for level++; level < uint64(len(path)); level++ {
		n := path[level]
		if n.used != 0 || level == 1 && space.spare == address>>span1+1 || !dropTable(n) {
			return
		}
		if level < 3 {
			path[level+1].used--
		}
	}
}

// emptied says that the table of level 1 at an address has become empty. It is
// kept until another one does, so that a program that maps and unmaps does not
// make a table each time.
func emptied(address uint64) {
	old := space.spare
	space.spare = address>>span1 + 1
	if old != 0 && old != space.spare {
		prune((old - 1) << span1)
	}
}

// A leaf is a page of entries for the pages that a table of level 1 can map.
// Those in no use are linked by their first words.

func leafAt(leaf uint32) uint64 { return space.tables + leavesAt + uint64(leaf-1)*abi.PageSize }

func takeLeaf() (uint32, bool) {
	if space.leaf != 0 {
		leaf := uint32(space.leaf)
		first := at[uint64](leafAt(leaf))
		space.leaf, *first = *first, 0
		return leaf, true
	}
	if space.leaves == maxLeaves {
		return 0, false
	}
	space.leaves++
	return uint32(space.leaves), true
}

func giveLeaf(leaf uint32) {
	if leaf != 0 {
		*at[uint64](leafAt(leaf)), space.leaf = space.leaf, uint64(leaf)
	}
}
