package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
)

// What NestedFault works with lies in the libos's own data, and is all made
// already: frames, tables, and empty slots for their mappings.

// Sizes of the reserve when it is full, and how much of it there must be left
// for Replenish to do nothing. So what the libos does after it may touch 32 pages
// of heap that are new, in four stretches of 2 MiB that are.
const (
	reserveChunks = 6
	reserveSlots  = 80
	leastChunks   = 5
	leastSlots    = 48
)

// reserveTables is how many tables of each level there are.
var reserveTables = [4]int{1: 8, 2: 3, 3: 1}

// heapTables bounds the page tables of the heap, a power of two.
const heapTables = 2048

var reserve struct {
	// chunks holds frames of eight pages; of the last one, page counts those
	// that are gone.
	chunks    [reserveChunks]capability.Reference
	numChunks int
	page      uint64
	slots     [reserveSlots]capability.Reference
	numSlots  int
	tables    [4][8]capability.Reference
	numTables [4]int
	// known are the tables of the heap, by a hash of key.
	known    [heapTables]heapTable
	numKnown int
}

// heapTable is a page table of the heap.
type heapTable struct {
	key   uint32 // 0: none
	table capability.Reference
}

// NestedFault backs the page of an address of the libos's heap. It returns
// false if it cannot: the address is not in the heap, or the reserve is used up.
func NestedFault(address uint64) bool {
	if address < abi.LibosHeap || address >= abi.LibosHeapEnd {
		return false
	}
	above := capability.Base(capability.SlotVSpace)
	for level := uint64(3); level > 0; level-- {
		known := knownTable(level, address)
		if known.key == 0 && !addKnown(known, above, level, address) {
			return false
		}
		above = known.table
	}
	r := &reserve
	if r.numChunks == 0 || r.numSlots == 0 {
		return false
	}
	mapping, frame := r.slots[r.numSlots-1], r.chunks[r.numChunks-1]
	err := mapEntries(above, address>>pageShift%tableEntries, 1, frame, mapping, r.page*pageSize, abi.ProtRead|abi.ProtWrite)
	if err != capability.OK {
		return false
	}
	r.numSlots--
	space.heapPages++
	if r.page++; r.page == blockPages {
		r.numChunks--
		r.page = 0
	}
	return true
}

// knownTable returns the entry of the table of a level that serves an address,
// or the empty one where it would be; the last one if there is no room.
func knownTable(level, address uint64) *heapTable {
	key := uint32(level<<28 | (address-abi.LibosHeap)>>(pageShift+9*level))
	i := uint64(key) * 0x9e37_79b9_7f4a_7c15 >> 53
	for {
		k := &reserve.known[i%heapTables]
		if k.key == key || k.key == 0 {
			return k
		}
		i++
	}
}

// addKnown takes a table of the reserve and maps it into the one above.
func addKnown(k *heapTable, above capability.Reference, level, address uint64) bool {
	r := &reserve
	if r.numTables[level] == 0 || r.numSlots == 0 || r.numKnown == heapTables-1 {
		return false
	}
	table, mapping := r.tables[level][r.numTables[level]-1], r.slots[r.numSlots-1]
	if mapEntries(above, address>>(pageShift+9*level)%tableEntries, 1, table, mapping, 0, 0) != capability.OK {
		return false
	}
	r.numTables[level]--
	r.numSlots--
	r.numKnown++
	k.key, k.table = uint32(level<<28|(address-abi.LibosHeap)>>(pageShift+9*level)), table
	return true
}

// Replenish refills what NestedFault takes from. It costs next to nothing if
// there is nothing to do, and does what it can if there is no RAM.
func Replenish() {
	r := &reserve
	if r.numSlots >= leastSlots && r.numChunks >= leastChunks &&
		r.numTables[1] > reserveTables[1]/2 && r.numTables[2] > reserveTables[2]/2 && r.numTables[3] > 0 {
		return
	}
	refill()
}

// refill makes the reserve full. Nested faults may take of it in the middle of
// anything called here, so nothing is read of it before the call and used after.
func refill() capability.Error {
	r := &reserve
	for r.numSlots < reserveSlots {
		s, err := slot()
		if err != capability.OK {
			return err
		}
		r.slots[r.numSlots] = s
		r.numSlots++
	}
	for level := 1; level < len(reserveTables); level++ {
		for r.numTables[level] < reserveTables[level] {
			t, err := makeObject(tableType(uint64(level)))
			if err != capability.OK {
				return err
			}
			r.tables[level][r.numTables[level]] = t
			r.numTables[level]++
		}
	}
	for r.numChunks < reserveChunks {
		b, err := newChunk(blockOurs)
		if err != capability.OK {
			return err
		}
		addReserve(blockAt(b).frame)
	}
	return capability.OK
}

// addReserve adds a chunk below the one that is in use.
func addReserve(frame capability.Reference) {
	r := &reserve
	if r.numChunks == 0 {
		r.chunks[0] = frame
	} else {
		r.chunks[r.numChunks] = r.chunks[r.numChunks-1]
		r.chunks[r.numChunks-1] = frame
	}
	r.numChunks++
}
