package capability

import (
	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// Reclaim moves a capability from the reclaim queue into an empty slot. Most
// are RAM that nobody had a capability to any more; others are capabilities
// of deleted CSpaces that have copies on other cores, for the monitors to
// delete everywhere.
func (s *System) Reclaim(to memory.Phys) abi.Error {
	if s.Reclaimable == 0 {
		return abi.ErrEmpty
	}
	s.move(to, s.reclaimSlot(s.Reclaimable-1))
	return abi.OK
}

// toMonitor moves a capability into the reclaim queue, which has room.
func (s *System) toMonitor(a memory.Phys) {
	s.move(s.reclaimSlot(s.Reclaimable), a)
	s.Reclaimable++
}

// vacated closes the gap that a slot leaves if it is one of the reclaim queue:
// what waits there can still be revoked.
func (s *System) vacated(a memory.Phys) {
	if a < s.reclaimSlot(0) || a >= s.reclaimSlot(reclaimSlots) {
		return
	}
	s.Reclaimable--
	if top := s.reclaimSlot(s.Reclaimable); top != a {
		s.relocate(a, top)
	}
}
