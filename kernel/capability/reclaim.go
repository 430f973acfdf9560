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
	s.Reclaimable--
	s.move(to, s.reclaimSlot(s.Reclaimable))
	return abi.OK
}

// toMonitor moves a capability into the reclaim queue, which has room.
func (s *System) toMonitor(a memory.Phys) {
	s.move(s.reclaimSlot(s.Reclaimable), a)
	s.Reclaimable++
}
