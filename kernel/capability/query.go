package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// ceiling returns the first slot that k precedes, 0 if there is none.
func (s *System) ceiling(k *key) (found memory.Phys) {
	offset, first := s.State.Offset, k.first
	for t := s.root; t != 0; {
		if c := at(t, offset); k.before(first, c, t) {
			found, t = t, c.child[left]
		} else {
			t = c.child[right]
		}
	}
	return found
}

// floor returns the last slot that k does not precede, 0 if there is none.
func (s *System) floor(k *key) (found memory.Phys) {
	offset, first := s.State.Offset, k.first
	for t := s.root; t != 0; {
		if c := at(t, offset); k.before(first, c, t) {
			t = c.child[left]
		} else {
			found, t = t, c.child[right]
		}
	}
	return found
}

// firstReaching returns the first slot that k precedes and whose range ends
// beyond end, 0 if there is none.
func (s *System) firstReaching(k *key, end uint64) memory.Phys {
	p := &s.path
	p.n = 0
	offset, first := s.State.Offset, k.first
	for t := s.root; t != 0; {
		if c := at(t, offset); k.before(first, c, t) {
			p.push(t, left)
			t = c.child[left]
		} else {
			t = c.child[right]
		}
	}
	// The nodes on the path, upwards, with their right subtrees are, in order,
	// all that k precedes.
	for ; p.n > 0; p.n-- {
		t, _ := p.top()
		if s.at(t).last() > end {
			return t
		}
		if t = s.at(t).child[right]; s.reach(t) <= end {
			continue
		}
		for {
			c := s.at(t)
			if s.reach(c.child[left]) > end {
				t = c.child[left]
			} else if c.last() > end {
				return t
			} else {
				t = c.child[right]
			}
		}
	}
	return 0
}

// lastReaching returns the last slot that does not follow k and whose range
// ends at end or beyond, 0 if there is none.
func (s *System) lastReaching(k *key, end uint64) memory.Phys {
	p := &s.path
	p.n = 0
	offset, first := s.State.Offset, k.first
	for t := s.root; t != 0; {
		if c := at(t, offset); k.before(first, c, t) {
			t = c.child[left]
		} else {
			p.push(t, right)
			t = c.child[right]
		}
	}
	for ; p.n > 0; p.n-- {
		t, _ := p.top()
		if s.at(t).last() >= end {
			return t
		}
		if t = s.at(t).child[left]; s.reach(t) < end {
			continue
		}
		for {
			c := s.at(t)
			if s.reach(c.child[right]) >= end {
				t = c.child[right]
			} else if c.last() >= end {
				return t
			} else {
				t = c.child[left]
			}
		}
	}
	return 0
}

// firstCopy returns the first of the copies of a slot's capability.
func (s *System) firstCopy(a memory.Phys) memory.Phys {
	k := s.beforeCopies(a)
	return s.ceiling(&k)
}

// surroundings are what lies around a slot in the order.
type surroundings struct {
	before, after memory.Phys // next to it, 0 if there is nothing
}

// around returns what lies around a slot, and leaves the way to it in s.path.
func (s *System) around(a memory.Phys) (n surroundings) {
	k, p := s.keyOf(a), &s.path
	depth, offset, first := uint(0), s.State.Offset, k.first
	t, c := s.root, at(s.root, offset)
	for ; t != a; depth++ {
		if k.before(first, c, t) {
			p.put(depth, t, left)
			n.after, t = t, c.child[left]
		} else {
			p.put(depth, t, right)
			n.before, t = t, c.child[right]
		}
		c = at(t, offset)
	}
	p.n = depth
	for t = c.child[left]; t != 0; t = at(t, offset).child[right] {
		n.before = t
	}
	for t = c.child[right]; t != 0; t = at(t, offset).child[left] {
		n.after = t
	}
	return n
}

// lastAround is lastIn and around in one: what it says of the slot it returns
// leaves out what follows, which has no part in the object of a.
func (s *System) lastAround(a memory.Phys) (last memory.Phys, n surroundings) {
	if s.at(a).kind == abi.Mapping {
		return a, s.around(a)
	}
	k, p := s.beyond(a), &s.path
	depth, offset, first := uint(0), s.State.Offset, k.first
	for t := s.root; t != 0; depth++ {
		if c := at(t, offset); k.before(first, c, t) {
			p.put(depth, t, left)
			t = c.child[left]
		} else {
			p.put(depth, t, right)
			p.n = depth
			n.before, last, t = last, t, c.child[right]
		}
	}
	for t := at(last, offset).child[left]; t != 0; t = at(t, offset).child[right] {
		n.before = t
	}
	return last, n
}

// inside reports whether anything that precedes the slot a, to which around or
// lastAround has left the way, reaches to the end of its range or further: if
// so, that is what the slot's object was made of, or a copy.
func (s *System) inside(a memory.Phys) bool {
	c, p := s.at(a), &s.path
	if s.reach(c.child[left]) >= c.last() {
		return true
	}
	for i := p.n; i > 0; i-- {
		if p.side[(i-1)%maxHeight] == right {
			o := s.at(p.node[(i-1)%maxHeight])
			if o.last() >= c.last() || s.reach(o.child[left]) >= c.last() {
				return true
			}
		}
	}
	return false
}

// copyIn returns a copy of a slot's capability, 0 if there is none, out of what
// lies around the slot; and which copy becomes the first if the slot is emptied,
// 0 if that does not change.
func (s *System) copyIn(n *surroundings, a memory.Phys) (other, heir memory.Phys) {
	c := s.at(a)
	switch {
	case n.before != 0 && s.at(n.before).copies(c):
		return n.before, 0
	case n.after != 0 && s.at(n.after).copies(c):
		return n.after, n.after
	}
	return 0, 0
}

// copiesOf is copyIn for who needs to know nothing else.
func (s *System) copiesOf(a memory.Phys) (other, heir memory.Phys) {
	n := s.around(a)
	return s.copyIn(&n, a)
}

// otherCopy returns another capability to a slot's object on this core, 0 if
// there is none.
func (s *System) otherCopy(a memory.Phys) memory.Phys {
	other, _ := s.copiesOf(a)
	return other
}

// parent returns a capability to the smallest object that contains a slot's, 0
// if there is none.
func (s *System) parent(a memory.Phys) memory.Phys {
	k := s.beforeCopies(a)
	p := s.lastReaching(&k, s.at(a).last())
	if p != 0 && s.at(p).kind == abi.Mapping {
		// Just before the mappings of an object is the object.
		k = key{first: s.at(p).first, size: s.at(p).size, kind: abi.Mapping}
		p = s.floor(&k)
	}
	return p
}

// child returns the first capability made of a slot's object, 0 if there is
// none.
func (s *System) child(a memory.Phys) memory.Phys {
	if s.at(a).kind == abi.Mapping {
		return 0
	}
	k := s.afterCopies(a)
	if next := s.ceiling(&k); next != 0 && s.at(a).covers(s.at(next)) {
		return next
	}
	return 0
}

// lastIn returns the last slot in order whose range lies in that of the object
// of the slot a. Nothing is made of that one, and it is a or a copy of a only if
// nothing is made of a.
func (s *System) lastIn(a memory.Phys) memory.Phys {
	if s.at(a).kind == abi.Mapping {
		return a
	}
	k := s.beyond(a)
	return s.floor(&k)
}

// beyond returns the key just after all that lies in the object of a slot.
func (s *System) beyond(a memory.Phys) key {
	return key{first: s.at(a).last() - 1, size: 0, kind: abi.NumTypes}
}

// made returns a capability, other than a mapping, that was made of part of
// [first, end) of a slot's object; 0 if there is none.
func (s *System) made(a memory.Phys, first, end uint64) memory.Phys {
	k := key{first: end - 1, kind: abi.NumTypes}
	last := s.lastReaching(&k, first+1)
	c, l := s.at(a), s.at(last)
	switch {
	case l.copies(c):
		return 0 // what was made of the object follows it
	case l.kind != abi.Mapping || l.size != c.size:
		return last
	}
	// Behind what else has the whole range of the object come mappings of it.
	k = s.afterCopies(a)
	if next := s.ceiling(&k); s.at(next).kind != abi.Mapping {
		return next
	}
	return 0
}

// HasCopies reports whether another capability on this core, or by what
// monitors said on any core, names the same object.
func (s *System) HasCopies(a memory.Phys) bool {
	return s.relations(a)&abi.RemoteCopies != 0 || s.otherCopy(a) != 0
}

// HasAncestors reports whether there is a capability that the slot's object
// was made of.
func (s *System) HasAncestors(a memory.Phys) bool {
	return s.relations(a)&abi.RemoteAncestors != 0 || s.parent(a) != 0
}

// HasDescendants reports whether anything was made of the slot's object.
func (s *System) HasDescendants(a memory.Phys) bool {
	return s.relations(a)&abi.RemoteDescendants != 0 || s.child(a) != 0
}

// Found says how what a range query found lies to the range.
type Found int

const (
	// Nothing: no capability's range shares a number with the range.
	Nothing Found = iota
	// Surrounding: a capability's range contains the whole range, and none
	// begins or ends inside it.
	Surrounding
	// Inner: a capability's range lies within the range, smaller than it.
	Inner
	// Partial: a capability's range contains an end of the range, but not the
	// whole range.
	Partial
)

// Range finds how capabilities lie to [base, base+size) of a type's space, and
// returns one that shows it: of Surrounding the smallest. Partial is said
// before Inner, Inner before Surrounding.
func (s *System) Range(t abi.Type, base, size uint64) (Found, memory.Phys) {
	first := place(t, base)
	end := first + size
	// Ranges that begin before and reach in are nested: if any ends inside,
	// the smallest does, which is the last in order.
	k := key{first: first, size: ^uint64(0)}
	if a := s.lastReaching(&k, first+1); a != 0 && s.at(a).last() < end {
		return Partial, a
	}
	k = key{first: first, kind: abi.NumTypes}
	if a := s.firstReaching(&k, end); a != 0 && s.at(a).first < end {
		return Partial, a
	}
	k.size = size
	if a := s.ceiling(&k); a != 0 && s.at(a).first < end {
		return Inner, a
	}
	if a := s.lastReaching(&k, end); a != 0 {
		return Surrounding, a
	}
	return Nothing, 0
}
