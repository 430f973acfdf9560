package capability

import (
	"unsafe"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// MaxRevocations is how many revocations can be under way at a time.
const MaxRevocations = 8

// reclaimSlots is how many capabilities wait in the reclaim queue at most.
const reclaimSlots = 64

// State is what a core keeps about capabilities beside the slots. It lies in
// the KCB, and holds addresses but no Go pointers.
type State struct {
	// Offset is added to a physical address to reach the memory there.
	Offset uintptr
	// Core is this core's number.
	Core uint32

	at   memory.Phys // the address of this State
	root memory.Phys // the tree's root
	// Count is the number of capabilities.
	Count uint64
	// Emptied counts how often a slot has been emptied, from one on: while it is the
	// same, a reference that named a capability names it still.
	Emptied uint64

	// The clear list is doubly linked, through word and next: an object can
	// be deleted while it waits. cleared is how far its first object is.
	firstToClear, lastToClear memory.Phys
	cleared                   uint64
	// The delete list is linked through next.
	firstToDelete, lastToDelete memory.Phys

	// born is the last number given to a page table or a mapping.
	born uint64
	// Grafted says that Object.Top may be wrong: a page table has been moved from
	// one address space to another together with what was in it.
	Grafted bool

	revocations    [MaxRevocations]memory.Phys
	numRevocations int

	// reclaim holds capabilities that are in nobody's CSpace any longer.
	reclaim [reclaimSlots]Slot
	// Reclaimable is how many these are.
	Reclaimable int
}

// Object is what a capability names.
type Object struct {
	Type       abi.Type
	Base, Size uint64 // in its space; a mapping's is what is mapped

	// Entry is the address of a mapping's first entry, Entries how many it
	// has, Table the type of the page table they are in: Null if that table
	// has gone, and with it the mapping's entries. Top says in which address
	// space that is, unless State.Grafted: TopOf its top table, 0 if not known.
	Entry   memory.Phys
	Entries uint64
	Table   abi.Type
	Top     uint8
}

// Kernel is what the capability system asks of the rest of the CPU driver.
// No method may call back.
type Kernel interface {
	// Zero clears memory: at most ClearUnit bytes.
	Zero(base memory.Phys, size uint64)
	// Ended says that the last capability to an object on this core has
	// gone: a dispatcher is to be stopped; of a mapping, if it is still in a
	// table, those of its entries are to be cleared that lead into its range.
	// It is called once, before the object's memory can become anything else.
	Ended(o Object)
	// Settled reports whether the processors of other cores can no longer reach
	// any memory that was taken out of page tables. Until then RAM stays RAM, and
	// this core's.
	Settled() bool
}

// System is a core's capability system: its state, and the kernel below it.
type System struct {
	*State
	Kernel Kernel

	path path // where a way down the tree is kept
}

// Init makes an empty State of memory at a physical address; offset is added
// to an address to reach it.
func Init(st *State, at memory.Phys, offset uintptr, core uint32) {
	*st = State{Offset: offset, Core: core, at: at, Emptied: 1}
}

// reclaimSlot returns the address of a slot of the reclaim queue.
func (s *System) reclaimSlot(i int) memory.Phys {
	return s.State.at + memory.Phys(unsafe.Offsetof(State{}.reclaim)) + memory.Phys(i)*abi.SlotSize
}

// Create puts a capability that is made of nothing into an empty slot: the
// first ones of a core. Its range must be apart from all there is, or in a
// Create'd object of a type that precedes its own; its memory is as it should
// be. Of o, type, base and size count; it can be no mapping.
func (s *System) Create(slot memory.Phys, o Object, rights abi.Rights) abi.Error {
	c := s.at(slot)
	switch {
	case c.kind != abi.Null:
		return abi.ErrOccupied
	case o.Type == abi.Mapping:
		return abi.ErrType
	case !o.Type.Fits(o.Base, o.Size):
		return abi.ErrRange
	}
	*c = Slot{
		first: place(o.Type, o.Base), size: o.Size,
		kind: o.Type, rights: rights & abi.Of(o.Type).Rights, owner: uint16(s.Core),
	}
	if isTable(o.Type) {
		s.begin(c)
	}
	s.insert(slot)
	return abi.OK
}
