package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// atOnce is how many capabilities one Delete or Revoke empties slots of before
// it leaves the rest to the next call, or to Step.
const atOnce = 2

// Delete empties a slot. If it held the last capability to an object, that
// ends, with all that depends on it; what it held is deleted by Step. Delete
// returns ErrPending, and has not emptied the slot, if more depended on the
// object than one call deletes: ask again. It returns ErrBusy while the reclaim
// queue, into which the object's memory should go, is full.
func (s *System) Delete(a memory.Phys) abi.Error {
	for range atOnce {
		if err := s.delete(a); err != abi.ErrPending {
			return err
		}
	}
	return abi.ErrPending
}

// delete is Delete, but for returning ErrPending after each dependent.
func (s *System) delete(a memory.Phys) abi.Error {
	c := s.at(a)
	switch {
	case c.kind == abi.Null:
		return abi.ErrEmpty
	case c.state == lent:
		return abi.ErrRemote
	}
	n := s.around(a)
	return s.deleteAt(a, &n)
}

// deleteAt is delete of a slot to which there is a way in s.path, with what lies
// around it.
func (s *System) deleteAt(a memory.Phys, n *surroundings) abi.Error {
	c := s.at(a)
	other, heir := s.copyIn(n, a)
	switch {
	case other != 0:
		s.drop(a, heir)
		return abi.OK
	case s.ownedHere(c) && c.relations&abi.RemoteCopies != 0:
		return abi.ErrRemote
	}
	if d := s.dependent(a, n); d != 0 {
		s.cut(d)
		return abi.ErrPending
	}
	return s.end(a)
}

// end ends the object of a slot that holds the last capability to it and on
// which nothing depends.
func (s *System) end(a memory.Phys) abi.Error {
	c := s.at(a)
	if !s.ownedHere(c) {
		s.drop(a, 0) // its owner ends it
		return abi.OK
	}
	offset, slots := c.kind.SlotRange(c.size)
	if slots == 0 || c.state == clearing {
		return s.finish(a)
	}
	if c.state == revoking {
		s.revokeNoMore(a)
	}
	s.Kernel.Ended(s.object(a))
	home := memory.Phys(c.base() + offset)
	s.move(home, a)
	h := s.at(home)
	h.state, h.word, h.next = deleting, 1, 0
	s.deleteLater(home)
	return abi.OK
}

// finish removes the last capability to an object that holds nothing. If the
// object was made of nothing that there is still a capability to here, what it
// was made of goes to the reclaim queue: nothing that there is can get lost.
func (s *System) finish(a memory.Phys) abi.Error {
	c := s.at(a)
	root := !abi.Of(c.kind).Dependent && !s.inside(a)
	if root && s.Reclaimable == reclaimSlots {
		return abi.ErrBusy
	}
	if c.state == live || c.state == revoking {
		s.Kernel.Ended(s.object(a))
	}
	made := Slot{first: c.first, size: c.size, kind: c.kind, owner: uint16(s.Core), relations: c.relations}
	if c.kind.MadeOf(abi.RAM) {
		made.kind = abi.RAM
	}
	made.rights = abi.Of(made.kind).Rights
	s.drop(a, 0)
	if root {
		to := s.reclaimSlot(s.Reclaimable)
		s.Reclaimable++
		*s.at(to) = made
		s.insert(to)
	}
	return abi.OK
}

// drop empties a slot to which there is a way in s.path, and whose heir is known.
func (s *System) drop(a, heir memory.Phys) {
	switch s.at(a).state {
	case clearing:
		s.clearNoMore(a)
	case revoking:
		s.revokeNoMore(a)
	}
	s.leave(a, heir)
	*s.at(a) = Slot{}
	s.Emptied++
	s.vacated(a)
}

// dependent returns a capability that cannot outlive the object of a slot, which
// has no copies, and on which nothing depends itself; 0 if there is none.
func (s *System) dependent(a memory.Phys, n *surroundings) memory.Phys {
	c, d := s.at(a), n.after
	switch {
	case d == 0 || c.kind == abi.Mapping || !c.covers(s.at(d)) || !abi.Of(s.at(d).kind).Dependent:
		return 0
	case s.at(d).kind == abi.Mapping:
		return d
	}
	return s.lastIn(a)
}

// cut empties a slot on whose object nothing depends.
func (s *System) cut(a memory.Phys) {
	other, heir := s.copiesOf(a)
	if other == 0 && s.ownedHere(s.at(a)) {
		s.Kernel.Ended(s.object(a))
	}
	s.drop(a, heir)
}

func (s *System) object(a memory.Phys) Object {
	c := s.at(a)
	o := Object{Type: c.kind, Base: c.base(), Size: c.size}
	if c.kind == abi.Mapping {
		o.Entry, o.Entries = c.entries()
		if t := s.tableOf(a); t != nil {
			o.Table, o.Top = t.kind, t.top
		}
	}
	return o
}

// deleteLater appends an object, at home, to the delete list.
func (s *System) deleteLater(a memory.Phys) {
	if s.lastToDelete == 0 {
		s.firstToDelete = a
	} else {
		s.at(s.lastToDelete).next = a
	}
	s.lastToDelete = a
}

// deleteNext takes the first object off the delete list.
func (s *System) deleteNext() {
	c := s.at(s.firstToDelete)
	if s.firstToDelete = c.next; c.next == 0 {
		s.lastToDelete = 0
	}
	c.next = 0
}

// emptySlots is how many empty slots cost as much as one that is not.
const emptySlots = 16

// stepDelete deletes one capability in the first object on the delete list, or
// that object. It reports whether it got anywhere: it does not while the
// reclaim queue is full.
func (s *System) stepDelete() bool {
	a := s.firstToDelete
	if a == 0 {
		return false
	}
	c := s.at(a)
	_, slots := c.kind.SlotRange(c.size)
	for range emptySlots {
		if c.word == slots {
			break
		}
		in := a + memory.Phys(c.word*abi.SlotSize)
		if s.at(in).kind == abi.Null {
			c.word++
			continue
		}
		switch s.delete(in) {
		case abi.OK:
			c.word++
			return true
		case abi.ErrPending:
			return true
		case abi.ErrRemote:
			if s.Reclaimable < reclaimSlots {
				s.toMonitor(in)
				c.word++
				return true
			}
		}
		// Let others go first; they may not need the queue.
		s.deleteNext()
		s.deleteLater(a)
		return false
	}
	if c.word < slots {
		return true
	}
	n := s.around(a)
	if d := s.dependent(a, &n); d != 0 {
		s.cut(d)
		return true
	}
	s.deleteNext()
	if s.finish(a) != abi.OK {
		s.deleteLater(a)
		return false
	}
	return true
}
