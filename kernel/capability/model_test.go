package capability

import (
	"cmp"
	"maps"
	"slices"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// model is what the capability system should be, as naively as possible: a
// set of tuples, searched whole for every question, that does at once what the
// system does in steps.
type model struct {
	// slots holds the reclaim queue too, at addresses from queueAt on.
	slots  map[memory.Phys]tuple
	queued memory.Phys
	// gone are the objects that ended.
	gone map[Object]int
	born uint64
}

const queueAt memory.Phys = 1 << 60

// enqueue puts a capability into the reclaim queue.
func (m *model) enqueue(t tuple) {
	m.slots[queueAt+m.queued] = t
	m.queued++
}

// tuple is one capability. Copies share the thing.
type tuple struct {
	*thing
	rights abi.Rights
}

// thing is an object.
type thing struct {
	Object
	first     uint64
	relations abi.Relations
	owner     uint32
	lent      bool
	imported  bool   // another core's, which that one ends
	born      uint64 // orders page tables and mappings
	offset    uint64 // of what a mapping maps
}

func (m *model) newThing(t abi.Type, base, size uint64) *thing {
	m.born++
	return &thing{Object: Object{Type: t, Base: base, Size: size}, first: place(t, base), born: m.born}
}

// now returns an object as it is now: a mapping's table may have gone.
func (m *model) now(o *thing) Object {
	is := o.Object
	is.Table = abi.Null
	for _, t := range m.slots {
		if o.Type == abi.Mapping && isTable(t.Type) && t.Base == uint64(o.Entry)&^0xfff && t.born < o.born {
			is.Table = t.Type
		}
	}
	return is
}

func (m *model) clone() *model {
	return &model{maps.Clone(m.slots), m.queued, map[Object]int{}, m.born}
}

// any reports whether a question is true of any capability.
func (m *model) any(question func(tuple) bool) bool {
	for _, t := range m.slots {
		if question(t) {
			return true
		}
	}
	return false
}

func (m *model) count(o *thing) (n int) {
	for _, t := range m.slots {
		if t.thing == o {
			n++
		}
	}
	return n
}

// descends reports whether d was made of o.
func descends(d, o *thing) bool {
	return d != o && o.Type != abi.Mapping && o.first <= d.first && d.first+d.Size <= o.first+o.Size &&
		(d.Size < o.Size || d.Type > o.Type)
}

func (m *model) hasAncestors(o *thing) bool {
	return o.relations&abi.RemoteAncestors != 0 || m.any(func(t tuple) bool { return descends(o, t.thing) })
}

// parent returns the smallest object that o was made of, nil if there is none.
func (m *model) parent(o *thing) (best *thing) {
	for _, t := range m.slots {
		if descends(o, t.thing) && (best == nil || descends(t.thing, best)) {
			best = t.thing
		}
	}
	return best
}

func (m *model) hasDescendants(o *thing) bool {
	return o.relations&abi.RemoteDescendants != 0 || m.any(func(t tuple) bool { return descends(t.thing, o) })
}

func (m *model) hasCopies(o *thing) bool {
	return o.relations&abi.RemoteCopies != 0 || m.count(o) > 1
}

// dependents returns the slots of what cannot outlive o.
func (m *model) dependents(o *thing) (slots []memory.Phys) {
	for a, t := range m.slots {
		if descends(t.thing, o) && (o.Type == abi.Dispatcher || o.Type == abi.Endpoint || t.Type == abi.Mapping && t.Size == o.Size &&
			!m.any(func(u tuple) bool { return descends(u.thing, o) && u.Type != abi.Mapping && u.Size == o.Size })) {
			slots = append(slots, a)
		}
	}
	return slots
}

func (m *model) delete(a memory.Phys) abi.Error {
	t, ok := m.slots[a]
	if !ok {
		return abi.ErrEmpty
	}
	if t.lent || m.count(t.thing) == 1 && t.owner == 0 && t.relations&abi.RemoteCopies != 0 {
		return abi.ErrRemote
	}
	if m.count(t.thing) > 1 {
		delete(m.slots, a)
		return abi.OK
	}
	for _, d := range m.dependents(t.thing) {
		if m.count(m.slots[d].thing) == 1 {
			m.gone[m.slots[d].Object]++
		}
		delete(m.slots, d)
	}
	delete(m.slots, a)
	if t.imported {
		return abi.OK
	}
	m.gone[t.Object]++
	offset, n := t.Type.SlotRange(t.Size)
	for i := range n {
		in := memory.Phys(t.Base + offset + i*abi.SlotSize)
		if m.delete(in) == abi.ErrRemote {
			m.enqueue(m.slots[in])
			delete(m.slots, in)
		}
	}
	if !abi.Of(t.Type).Dependent && m.parent(t.thing) == nil {
		kind := t.Type
		if kind.MadeOf(abi.RAM) {
			kind = abi.RAM
		}
		left := m.newThing(kind, t.Base, t.Size)
		left.relations = t.relations
		m.enqueue(tuple{left, abi.Of(kind).Rights})
	}
	return abi.OK
}

func (m *model) usable(a memory.Phys, rights abi.Rights) abi.Error {
	switch t, ok := m.slots[a]; {
	case !ok:
		return abi.ErrEmpty
	case rights&^t.rights != 0:
		return abi.ErrRights
	}
	return abi.OK
}

func (m *model) revoke(a memory.Phys) abi.Error {
	if err := m.usable(a, abi.RightRevoke); err != abi.OK {
		return err
	}
	o := m.slots[a].thing
	if o.lent || o.relations&(abi.RemoteCopies|abi.RemoteDescendants) != 0 {
		return abi.ErrRemote
	}
	for {
		// The last in order first, then the copies.
		victim, found := memory.Phys(0), false
		for b, t := range m.slots {
			if b != a && (descends(t.thing, o) || t.thing == o) &&
				(!found || order(m.slots[victim].thing, victim, t.thing, b) < 0) {
				victim, found = b, true
			}
		}
		if !found {
			return abi.OK
		}
		if t := m.slots[victim]; !t.lent && t.owner == 0 && t.relations&abi.RemoteCopies != 0 {
			return abi.ErrRemote
		}
		if err := m.delete(victim); err != abi.OK {
			return err
		}
	}
}

func (o *thing) number() uint64 {
	if o.Type == abi.Mapping {
		return o.born
	}
	return 0
}

// order compares places in the database.
func order(x *thing, a memory.Phys, y *thing, b memory.Phys) int {
	return cmp.Or(cmp.Compare(x.first, y.first), cmp.Compare(y.Size, x.Size), cmp.Compare(x.Type, y.Type),
		cmp.Compare(x.number(), y.number()), cmp.Compare(a, b))
}

func (m *model) copy(to, source memory.Phys, rights abi.Rights) abi.Error {
	if err := m.usable(source, abi.RightGrant); err != abi.OK {
		return err
	}
	t := m.slots[source]
	if t.lent {
		return abi.ErrRemote
	}
	m.slots[to] = tuple{t.thing, t.rights & rights}
	return abi.OK
}

func (m *model) move(to, source memory.Phys) abi.Error {
	if err := m.usable(source, 0); err != abi.OK {
		return err
	}
	m.slots[to] = m.slots[source]
	delete(m.slots, source)
	return abi.OK
}

func (m *model) retype(to, source memory.Phys, t abi.Type, offset, size, count uint64) abi.Error {
	if err := m.usable(source, abi.RightRetype); err != abi.OK {
		return err
	}
	s := m.slots[source]
	switch {
	case !t.MadeOf(s.Type):
		return abi.ErrParent
	case count == 0 || count > abi.MaxRetype:
		return abi.ErrArgument
	case offset < abi.Of(s.Type).Offers || offset > s.Size || size > s.Size || offset+size*count > s.Size || !t.Fits(s.Base+offset, size) || t == s.Type && size == s.Size:
		return abi.ErrRange
	case s.lent || s.relations&(abi.RemoteCopies|abi.RemoteDescendants) != 0:
		return abi.ErrRemote
	}
	for _, d := range m.slots {
		if descends(d.thing, s.thing) && d.first < s.first+offset+size*count && s.first+offset < d.first+d.Size &&
			(d.Type != abi.Mapping || d.Size < s.Size) {
			return abi.ErrInUse
		}
	}
	for i := range count {
		o := m.newThing(t, s.Base+offset+i*size, size)
		o.relations = s.relations & abi.RemoteAncestors
		m.slots[to+memory.Phys(i*abi.SlotSize)] = tuple{o, abi.Of(t).Rights &^ (abi.Of(s.Type).Rights &^ s.rights &^ abi.RightRevoke)}
	}
	return abi.OK
}

func (m *model) enter(to, table, source memory.Phys, first, count, offset uint64) abi.Error {
	t, s := m.slots[table], m.slots[source]
	if t.thing != nil && t.imported {
		return abi.ErrRemote
	}
	entry := memory.Phys(0)
	if t.thing != nil {
		entry = memory.Phys(t.Base + first*8)
	}
	if t.thing != nil && isTable(t.Type) && first+count <= TableEntries {
		entries := m.entries(t.thing)
		for i := range count {
			if entries[first+i] != 0 {
				return abi.ErrInUse
			}
		}
	}
	switch {
	case t.thing == nil || s.thing == nil:
		return abi.ErrEmpty
	case !isTable(t.Type) || !mappable(s.Type):
		return abi.ErrType
	case count == 0 || first+count > TableEntries:
		return abi.ErrRange
	case isTable(s.Type) && !s.imported && m.mapped(s.thing):
		return abi.ErrInUse
	}
	o := m.newThing(abi.Mapping, s.Base, s.Size)
	o.first, o.Entry, o.Entries, o.offset = s.first, entry, count, offset
	m.slots[to] = tuple{o, abi.RightControl | s.rights&(abi.RightRead|abi.RightWrite|abi.RightExecute)}
	return abi.OK
}

func (m *model) mapped(o *thing) bool {
	return m.any(func(t tuple) bool { return t.Type == abi.Mapping && t.first == o.first && t.Size == o.Size })
}

// entries are what a page table should hold.
func (m *model) entries(table *thing) (entries [TableEntries]uint64) {
	for _, t := range m.slots {
		if t.Type != abi.Mapping || uint64(t.Entry)&^0xfff != table.Base || t.born < table.born {
			continue
		}
		for i := range t.Entries {
			entries[uint64(t.Entry)&0xfff/8+i] = t.Base + t.offset + i*pageSize + 1
		}
	}
	return entries
}

// sole reports whether the capability in a slot is the only one of its kind,
// and nothing is made of it.
func (m *model) sole(a memory.Phys) abi.Error {
	t, ok := m.slots[a]
	switch {
	case !ok:
		return abi.ErrEmpty
	case t.lent || t.relations&(abi.RemoteCopies|abi.RemoteDescendants) != 0:
		return abi.ErrRemote
	case m.count(t.thing) > 1 || m.hasDescendants(t.thing):
		return abi.ErrInUse
	}
	return abi.OK
}

func (m *model) lend(a memory.Phys, core uint32) abi.Error {
	if err := m.sole(a); err != abi.OK {
		return err
	}
	switch t := m.slots[a]; {
	case t.Type != abi.RAM:
		return abi.ErrType
	case t.rights != abi.Of(abi.RAM).Rights:
		return abi.ErrRights
	case core == 0:
		return abi.ErrArgument
	case t.relations&abi.RemoteAncestors != 0:
		return abi.ErrRemote
	default:
		t.lent, t.owner, t.relations = true, core, abi.RemoteCopies
		return abi.OK
	}
}

func (m *model) regain(a memory.Phys) abi.Error {
	t := m.slots[a]
	switch {
	case t.thing == nil || !t.lent:
		return abi.ErrState
	case m.hasDescendants(t.thing):
		return abi.ErrInUse
	}
	t.lent, t.owner, t.relations = false, 0, 0
	return abi.OK
}

func (m *model) adopt(to memory.Phys, base, size uint64) abi.Error {
	if m.found(abi.RAM, base, size) != Nothing {
		return abi.ErrInUse
	}
	o := m.newThing(abi.RAM, base, size)
	o.relations = abi.RemoteAncestors
	m.slots[to] = tuple{o, abi.Of(abi.RAM).Rights}
	return abi.OK
}

func (m *model) imports(to memory.Phys, t abi.Type, base, size uint64, owner uint32, rights abi.Rights) abi.Error {
	switch {
	case t != abi.Frame && t != abi.PageTable3:
		return abi.ErrType
	case !t.Fits(base, size):
		return abi.ErrRange
	case owner == 0:
		return abi.ErrArgument
	}
	rights &= abi.Of(t).Rights & (abi.RightRead | abi.RightWrite | abi.RightExecute | abi.RightControl | abi.RightGrant)
	if t != abi.Frame {
		rights &^= abi.RightGrant
	}
	for _, u := range m.slots {
		if t == abi.Frame && u.imported && u.Type == t && u.Base == base && u.Size == size {
			if u.owner != owner {
				return abi.ErrInUse
			}
			m.slots[to] = tuple{u.thing, rights}
			return abi.OK
		}
	}
	o := m.newThing(t, base, size)
	o.imported, o.owner, o.relations = true, owner, abi.RemoteCopies
	for _, u := range m.slots {
		apart := u.first+u.Size <= o.first || o.first+size <= u.first
		around := u.first <= o.first && o.first+size <= u.first+u.Size
		// Whatever it lies in, lent RAM must come next.
		if !apart && !(around && (u.lent || m.any(func(v tuple) bool { return v.lent && descends(o, v.thing) && descends(v.thing, u.thing) }))) {
			return abi.ErrInUse
		}
	}
	m.slots[to] = tuple{o, rights}
	return abi.OK
}

// expel deletes all imports in a range, which must cut none.
func (m *model) expel(base, size uint64) abi.Error {
	for a, t := range m.slots {
		if t.imported && base <= t.Base && t.Base+t.Size <= base+size {
			m.delete(a)
		}
	}
	return abi.OK
}

func (m *model) release(a memory.Phys) abi.Error {
	if err := m.sole(a); err != abi.OK {
		return err
	}
	switch t := m.slots[a]; {
	case t.Type != abi.RAM:
		return abi.ErrType
	case t.relations&abi.RemoteAncestors == 0:
		return abi.ErrState
	case m.parent(t.thing) != nil:
		return abi.ErrInUse
	}
	delete(m.slots, a)
	return abi.OK
}

// in reports whether a slot lies in an object.
func (o *thing) in(a memory.Phys) bool {
	offset, n := o.Type.SlotRange(o.Size)
	from := memory.Phys(o.Base + offset)
	return n > 0 && from < a && a < from+memory.Phys(n*abi.SlotSize)
}

// containers returns the objects that hold capabilities, in order.
func (m *model) containers() (list []*thing) {
	for _, t := range m.slots {
		if _, n := t.Type.SlotRange(t.Size); n > 0 && !slices.Contains(list, t.thing) {
			list = append(list, t.thing)
		}
	}
	slices.SortFunc(list, func(x, y *thing) int { return order(x, 0, y, 0) })
	return list
}

// sorted returns the slots that are neither empty nor in the reclaim queue, in
// the order of their addresses.
func (m *model) sorted() (slots []memory.Phys) {
	for a := range m.slots {
		if a < queueAt {
			slots = append(slots, a)
		}
	}
	slices.Sort(slots)
	return slots
}

// found is what Range should find.
func (m *model) found(t abi.Type, base, size uint64) Found {
	first := place(t, base)
	end := first + size
	best := Nothing
	for _, u := range m.slots {
		f, l := u.first, u.first+u.Size
		is := Nothing
		switch {
		case l <= first || end <= f:
		case f <= first && end <= l:
			is = Surrounding
		case first <= f && l <= end:
			is = Inner
		default:
			is = Partial
		}
		best = max(best, is)
	}
	return best
}

// queuedAs returns where in the reclaim queue a capability to an object is, 0
// if nowhere.
func (m *model) queuedAs(o Object) memory.Phys {
	for a, t := range m.slots {
		if a >= queueAt && t.Object == o {
			return a
		}
	}
	return 0
}
