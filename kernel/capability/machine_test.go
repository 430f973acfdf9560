package capability

import (
	"testing"
	"unsafe"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// machine is a core's memory with a capability system in it, as the kernel
// sets it up at its start: RAM, and a first CSpace in it.
type machine struct {
	System
	t           testing.TB
	buffer      []byte
	state       State
	ram         uint64 // where its RAM begins
	size        uint64
	root        memory.Phys // slot of the L1 CNode, as in a dispatcher
	cnode       memory.Phys // slot of the L2 CNode, in the L1 CNode
	ended       map[Object]int
	outstanding bool // other cores may know memory that was unmapped
	zeroed      uint64
}

// foreign is how much memory behind its RAM a machine sees: another core's.
const foreign = 64 << 10

const pageSize = 4096

// newMachine makes a machine with size bytes of RAM.
func newMachine(t testing.TB, size uint64) *machine {
	const phys = 0x40_0000 // where the machine would see its buffer
	m := &machine{t: t, buffer: make([]byte, size+3*64<<10), size: size, ended: map[Object]int{}}
	aligned := (uintptr(unsafe.Pointer(&m.buffer[0])) + 0xffff) &^ 0xffff
	offset := aligned - phys
	// State and the root slot lie below the RAM.
	st := (*State)(unsafe.Pointer(aligned))
	Init(st, phys, offset, 0)
	m.System = System{State: st, Kernel: m}
	m.ram = phys + 64<<10
	m.root = phys + 32<<10
	l1, l2 := m.ram, m.ram+16<<10
	m.cnode = memory.Phys(l1 + abi.SlotSize)
	l2slot := func(i uint64) memory.Phys { return memory.Phys(l2 + i*abi.SlotSize) }
	m.must(m.Create(l2slot(1), Object{Type: abi.RAM, Base: m.ram, Size: size}, abi.AllRights))
	m.must(m.Create(m.root, Object{Type: abi.L1CNode, Base: l1, Size: 16 << 10}, abi.AllRights))
	m.must(m.Create(m.cnode, Object{Type: abi.L2CNode, Base: l2, Size: 16 << 10}, abi.AllRights))
	m.must(m.Copy(l2slot(2), m.root, abi.AllRights))
	m.must(m.Copy(l2slot(3), m.cnode, abi.AllRights))
	return m
}

func (m *machine) must(err abi.Error) {
	if err != abi.OK {
		m.t.Helper() // only here: it takes longer than what is measured
		m.t.Fatal(err)
	}
}

// slot returns a slot of the first L2 CNode.
func (m *machine) slot(i uint64) memory.Phys {
	return memory.Phys(m.at(m.cnode).base() + i*abi.SlotSize)
}

// drain lets Step end what was begun. It must.
func (m *machine) drain() {
	m.t.Helper()
	for range 1 << 16 {
		if !m.Step(16) {
			return
		}
	}
	m.t.Fatal("steps without end")
}

func (m *machine) bytes(base memory.Phys, n uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(base)+m.Offset)), n)
}

// Zero and Ended make it a Kernel.
func (m *machine) Zero(base memory.Phys, size uint64) {
	if size > ClearUnit || uint64(base) < m.ram || uint64(base)+size > m.ram+m.size+foreign {
		m.t.Errorf("clear %d bytes at %#x", size, base)
		return
	}
	clear(m.bytes(base, size))
	m.zeroed += size
}

// Settled is the third of a Kernel's methods.
func (m *machine) Settled() bool { return !m.outstanding }

func (m *machine) Ended(o Object) {
	if o.Type == abi.Mapping && o.Table != abi.Null {
		for i := range o.Entries {
			if e := m.entry(o.Entry + memory.Phys(i*8)); *e != 0 && *e-1 >= o.Base && *e-1 < o.Base+o.Size {
				*e = 0
			}
		}
	}
	if m.ended != nil {
		o.Table, o.Top = abi.Null, 0 // which of several went first is not said
		m.ended[o]++
	}
}

// entry returns a page table's entry.
func (m *machine) entry(at memory.Phys) *uint64 { return (*uint64)(unsafe.Pointer(&m.bytes(at, 8)[0])) }

// enter maps count pages of a source, from offset on, as the CPU driver does:
// its entries are an address and a bit.
func (m *machine) enter(to, table, source memory.Phys, first, count, offset uint64) abi.Error {
	if m.Imported(table) {
		return abi.ErrRemote
	}
	at := memory.Phys(m.BaseOf(table) + first*8)
	if m.usable(table, 0) == abi.OK && isTable(m.TypeOf(table)) && first+count <= TableEntries {
		for i := range count {
			if *m.entry(at + memory.Phys(i*8)) != 0 {
				return abi.ErrInUse
			}
		}
	}
	if err := m.Map(to, table, source, first, count); err != abi.OK {
		return err
	}
	for i := range count {
		*m.entry(at + memory.Phys(i*8)) = m.BaseOf(source) + offset + i*pageSize + 1
	}
	return abi.OK
}

// check walks the whole tree and reports the first thing that is wrong: its
// balance, its order, the ends kept in it, the nesting of ranges, what keeps
// track of states. It returns the slots in order.
func (m *machine) check() []memory.Phys {
	m.t.Helper()
	var slots []memory.Phys
	var visit func(a memory.Phys) (end uint64)
	visit = func(a memory.Phys) uint64 {
		if a == 0 {
			return 0
		}
		c := m.at(a)
		end := max(visit(c.child[left]), c.last())
		slots = append(slots, a)
		end = max(end, visit(c.child[right]))
		if c.end != end {
			m.t.Fatalf("slot %#x: end %#x kept, is %#x", a, c.end, end)
		}
		l, r := m.level(c.child[left]), m.level(c.child[right])
		if c.level-l-1 > 1 || c.level-r-1 > 1 || l|r == 0 && c.level != 1 {
			m.t.Fatalf("slot %#x: level %d above %d and %d", a, c.level, l, r)
		}
		return end
	}
	visit(m.State.root)
	if uint64(len(slots)) != m.Count {
		m.t.Fatalf("%d slots in the tree, %d counted", len(slots), m.Count)
	}
	toClear, toDelete, toRevoke := 0, 0, 0
	var inside []memory.Phys // what contains the next one
	for i, a := range slots {
		c := m.at(a)
		if c.kind == abi.Null || !c.kind.Fits(c.base(), c.size) || c.rights&^abi.Of(c.kind).Rights != 0 {
			m.t.Fatalf("slot %#x: no good capability: %+v", a, m.Identify(a))
		}
		if i > 0 {
			if k := m.keyOf(slots[i-1]); !k.before(k.first, m.at(a), a) {
				m.t.Fatalf("slot %#x: not in order", a)
			}
		}
		for len(inside) > 0 && m.at(inside[len(inside)-1]).last() <= c.first {
			inside = inside[:len(inside)-1]
		}
		if len(inside) > 0 && !m.at(inside[len(inside)-1]).covers(c) {
			m.t.Fatalf("slot %#x: reaches out of what contains it", a)
		}
		inside = append(inside, a)
		switch c.state {
		case clearing:
			toClear++
		case deleting:
			toDelete++
		case revoking:
			toRevoke++
		}
	}
	for a := m.firstToClear; a != 0; a = m.at(a).next {
		toClear--
	}
	for a := m.firstToDelete; a != 0; a = m.at(a).next {
		toDelete--
	}
	if toRevoke -= m.numRevocations; toClear != 0 || toDelete != 0 || toRevoke != 0 {
		m.t.Fatalf("%d, %d, %d more slots in states than on lists", toClear, toDelete, toRevoke)
	}
	return slots
}
