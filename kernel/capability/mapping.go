package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Every page table gets a number when it becomes ready, and every mapping when
// it is made, from one counter that only grows. So a mapping needs no link to
// its table, and a table none to the mappings in it: a mapping is in the table
// that its entries lie in now if that has the lower number. If not, the table it
// was made in has gone, and its memory has become another one since.

// TableEntries is the number of entries of a page table of any level.
const TableEntries = 512

// A mapping's word holds its first entry's address, which is a multiple of 8 and
// less than 2^52, and above it the number of entries less one.
const countShift = 49

func packEntries(entry memory.Phys, count uint64) uint64 {
	return uint64(entry)>>3 | (count-1)<<countShift
}

// entries returns the address of a mapping's first entry, and how many it has.
func (c *Slot) entries() (entry memory.Phys, count uint64) {
	return memory.Phys(c.word & (1<<countShift - 1) << 3), c.word>>countShift + 1
}

func isTable(t abi.Type) bool { return abi.PageTable1 <= t && t <= abi.PageTable5 }

// mappable reports whether objects of a type can be mapped, some only in part or
// in some tables: what all of them have in common is that they precede type
// Mapping in the order, and that nothing follows in a range of the same size.
func mappable(t abi.Type) bool {
	return t == abi.Frame || t == abi.DeviceFrame || t == abi.Dispatcher || isTable(t)
}

// number returns the next number of the counter.
func (s *System) number() uint64 {
	s.born++
	return s.born
}

// begin makes a page table of a slot that is ready.
func (s *System) begin(c *Slot) {
	c.word = s.number()
	if c.kind == abi.PageTable4 {
		c.top = TopOf(memory.Phys(c.base()))
	}
}

// TopOf returns what stands for the address space with a top table at an address,
// more than 0. Others may have the same: it tells in which spaces a page table is
// not.
func TopOf(table memory.Phys) uint8 {
	return uint8(uint64(table)/abi.Of(abi.PageTable4).Least%255) + 1
}

// Map puts a mapping of the object in the slot source, into count entries from
// number first on of the page table in the slot table, into the empty slot to.
// The mapping's range is all of the source's, its rights are Control and those
// of the source's that say how it may be mapped. A page table can have one
// mapping, ErrInUse if it has, unless it is imported: then any number. The caller
// has checked what may be mapped where, and writes the entries.
func (s *System) Map(to, table, source memory.Phys, first, count uint64) abi.Error {
	for _, a := range [...]memory.Phys{table, source} {
		if err := s.usable(a, 0); err != abi.OK {
			return err
		}
		if s.beingRevoked(a) {
			return abi.ErrRevoking
		}
	}
	c, t := s.at(source), s.at(s.firstCopy(table))
	switch {
	case !isTable(t.kind) || !mappable(c.kind):
		return abi.ErrType
	case count == 0 || count > TableEntries || first > TableEntries-count:
		return abi.ErrRange
	case !s.ownedHere(t):
		return abi.ErrRemote
	case isTable(c.kind) && c.state != imported && s.Mapped(source):
		return abi.ErrInUse
	}
	*s.at(to) = Slot{
		first: c.first, size: c.size, kind: abi.Mapping, owner: uint16(s.Core),
		word:   packEntries(memory.Phys(t.base()+first*8), count),
		next:   memory.Phys(s.number()),
		rights: abi.RightControl | c.rights&(abi.RightRead|abi.RightWrite|abi.RightExecute),
	}
	s.insert(to)
	if isTable(c.kind) && c.state != imported {
		s.become(s.at(s.firstCopy(source)), t.top)
	}
	return abi.OK
}

// become makes a page table part of an address space. What has been put into it
// before is part of the same, or, as it was of none, not known to be of any; but
// if it has been part of another, of that, and nothing is known any more.
func (s *System) become(table *Slot, top uint8) {
	if table.kind != abi.PageTable1 && table.top != 0 && table.top != top {
		s.Grafted = true
	}
	table.top = top
}

// Unmap empties the slot of a mapping, all of whose entries the caller has
// cleared. A mapping is never copied, and nothing is made of it.
func (s *System) Unmap(a memory.Phys) {
	s.around(a)
	s.drop(a, 0)
}

// MappingOf returns the address of the first entry of the mapping in a slot,
// how many entries it has, and the type of the page table that they are in:
// Null if that has gone, and the entries are none of the mapping's.
func (s *System) MappingOf(a memory.Phys) (entry memory.Phys, count uint64, table abi.Type) {
	entry, count = s.at(a).entries()
	if t := s.tableOf(a); t != nil {
		table = t.kind
	}
	return entry, count, table
}

// tableOf returns the first copy of the page table that the mapping in a slot is
// in, nil if that has gone.
func (s *System) tableOf(a memory.Phys) *Slot {
	c := s.at(a)
	entry, _ := c.entries()
	k := key{first: place(abi.PageTable1, uint64(entry)&^(abi.Of(abi.PageTable1).Align-1)), size: abi.Of(abi.PageTable1).Least, kind: abi.PageTable1}
	if a := s.ceiling(&k); a != 0 {
		t := s.at(a)
		if t.first == k.first && t.size == k.size && isTable(t.kind) && t.state != clearing && t.word < c.identity() {
			return t
		}
	}
	return nil
}

// Mapped reports whether there is a mapping of the whole of a slot's object:
// for a page table, whether it is mapped.
func (s *System) Mapped(a memory.Phys) bool {
	c := s.at(a)
	k := key{first: c.first, size: c.size, kind: abi.Mapping}
	m := s.ceiling(&k)
	return m != 0 && s.at(m).kind == abi.Mapping && s.at(m).first == c.first && s.at(m).size == c.size
}
