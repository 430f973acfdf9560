package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/carrier"
)

// hugePause is for how many faults huge pages are not tried after one could not
// be had.
const hugePause = 256

// backHuge maps a huge page at an address, if it can lie wholly in the region,
// nothing is mapped there, and there is RAM for it.
func backHuge(g *carrier.Region, address uint64) bool {
	base := address &^ (hugeBytes - 1)
	if base < g.Start || g.End-base < hugeBytes {
		return false
	}
	if space.noHuge > 0 {
		space.noHuge--
		return false
	}
	above, err := table(2, base)
	if err == capability.OK {
		n := nodeOf(1, base)
		if n.used != 0 {
			return false
		}
		if vacate(n, above, base) {
			above.used++ // at once, so that trim does not take it away
			if mapHuge(n, above.table, base, native(g.Prot)) == capability.OK {
				return true
			}
			above.used--
		}
	}
	space.noHuge = hugePause
	prune(base)
	return false
}

// vacate deletes a table of level 1 in which nothing is mapped; above is the
// node of the table that it is in.
func vacate(n, above *node, address uint64) bool {
	if n.table == 0 {
		return true
	}
	if space.spare == address>>span1+1 {
		space.spare = 0
	}
	if !dropTable(n) {
		return false
	}
	above.used--
	return true
}

// mapHuge makes a frame of 2 MiB and maps it as one page into the table above.
func mapHuge(n *node, above capability.Reference, base, prot uint64) capability.Error {
	b, err := takeBlocks(hugeBlocks)
	if err != capability.OK {
		return err
	}
	frame, err := slot()
	if err != capability.OK {
		releaseBlocks(b, hugeBlocks)
		return err
	}
	m, err := slot()
	if err == capability.OK {
		source, offset := memoryOf(b)
		if err = retype(frame, source, capability.Frame, offset, hugeBytes); err == capability.OK {
			err = mapEntries(above, base>>span1%tableEntries, 1, frame, m, 0, prot)
		}
		if err != capability.OK {
			freeSlot(m)
		}
	}
	if err != capability.OK {
		if e := remove(frame); e == capability.OK || e == capability.ErrEmpty {
			freeSlot(frame)
			releaseBlocks(b, hugeBlocks)
		}
		return err
	}
	k := blockAt(b)
	k.kind, k.frame, k.live = blockHuge, frame, hugePages
	*n = node{mapping: m, huge: b + 1, prot: uint8(prot)}
	counted(&record{kind: recordHuge}, hugePages)
	return capability.OK
}

// releaseHuge counts pages of the frame of a node that are mapped no longer. With
// the last it deletes the frame.
func releaseHuge(n *node, count uint64) {
	b := n.huge - 1
	k := blockAt(b)
	if k.live -= uint16(count); k.live > 0 || remove(k.frame) != capability.OK {
		return
	}
	freeSlot(k.frame)
	releaseBlocks(b, hugeBlocks)
	n.huge = 0
}

// takeHuge takes pages of the frame of 2 MiB that a node's pages come from, each
// of which has its own place. They are dirty.
func takeHuge(n *node, address, want uint64) record {
	k := blockAt(n.huge - 1)
	k.live += uint16(want)
	return record{
		source: k.frame, page: uint32(address >> pageShift % tableEntries),
		block: n.huge - 1, count: uint16(want), kind: recordHuge,
	}
}

// unmapLarge takes away the large page of a node of a level at an address.
func unmapLarge(n *node, level, address uint64) {
	if unmapAll(n.mapping, 1, address&^(spanOf(level)-1)) != capability.OK {
		return
	}
	freeSlot(n.mapping)
	n.mapping = 0
	pages := spanOf(level) >> pageShift
	space.resident -= pages
	if n.huge != 0 {
		space.own -= pages
		releaseHuge(n, pages)
	}
	*n = node{}
	nodeOf(level+1, address).used--
	prune(address)
}

// split makes sure that no huge page reaches over an address: it puts a table
// with the same frame's pages in its place.
func split(address uint64) capability.Error {
	base := address &^ (hugeBytes - 1)
	if base == address || address >= abi.ProgramTop {
		return capability.OK
	}
	n, _ := lowest(address)
	if !n.large() || n.huge == 0 {
		return capability.OK
	}
	made := node{huge: n.huge}
	if err := makeTable(&made, 1); err != capability.OK {
		return err
	}
	m, err := slot()
	if err != capability.OK {
		discard(&made)
		return err
	}
	r := record{source: blockAt(n.huge - 1).frame, block: n.huge - 1, count: hugePages, kind: recordHuge}
	if err = mapInto(&made, base, m, r, uint64(n.prot)); err == capability.OK {
		err = unmapAll(n.mapping, 1, base)
	}
	if err != capability.OK {
		unsplit(&made, base, m)
		return err
	}
	freeSlot(n.mapping)
	above := nodeOf(2, base)
	if err = mapEntries(above.table, base>>span1%tableEntries, 1, made.table, made.mapping, 0, 0); err != capability.OK {
		// The CPU driver has no reason for that. The page is gone.
		unsplit(&made, base, m)
		made.used = hugePages
		released(&made, &r, 0, hugePages)
		*n = node{}
		above.used--
		return err
	}
	made.used = hugePages
	*n = made
	return capability.OK
}

// unsplit deletes a table that was to take the place of a huge page.
func unsplit(made *node, base uint64, m capability.Reference) {
	if unmapAll(m, hugePages, base) == capability.OK {
		freeSlot(m)
	}
	for i := range uint64(hugePages) {
		*made.entryAt(base + i<<pageShift) = 0
	}
	discard(made)
}
