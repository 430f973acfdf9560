package capability

import (
	"math/rand/v2"
	"testing"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// TestInterleaved does random operations between single steps of what earlier
// ones began, and holds that the system is whole at every moment, that what was
// begun comes to an end, and that no memory is lost.
func TestInterleaved(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 2))
	pending, refused := 0, map[abi.Error]int{}
	for ran := 0; ran < *operations; {
		m := newMachine(t, 2<<20)
		m.ended = nil
		for i := 0; i < 5000 && ran < *operations; i++ {
			ran++
			err := m.wild(r)
			refused[err]++
			if m.Pending() {
				pending++
				m.Step(r.IntN(4))
			}
			if ran%64 == 0 {
				m.check()
				m.covered()
			}
			if len(m.inUse()) < 4 {
				break
			}
		}
		m.settled()
		m.check()
		m.covered()
	}
	t.Logf("%d times something was pending; results: %v", pending, refused)
	for _, e := range []abi.Error{abi.OK, abi.ErrInUse, abi.ErrNotReady, abi.ErrRevoking, abi.ErrPending} {
		if refused[e] == 0 {
			t.Errorf("%s never came about", e.Name())
		}
	}
}

// settled lets Step work until nothing is left to do or the reclaim queue is
// full.
func (m *machine) settled() {
	m.t.Helper()
	for range 1 << 16 {
		if !m.Step(64) {
			if !m.Pending() {
				return
			}
			if m.Reclaimable == 0 {
				m.t.Fatalf("stuck with an empty reclaim queue")
			}
			return // the queue is full, and nobody is left to take from it
		}
	}
	m.t.Fatal("steps without end")
}

// covered holds that all RAM is in some capability.
func (m *machine) covered() {
	m.t.Helper()
	at := m.ram
	for _, a := range m.check() {
		if c := m.at(a); c.first <= at && at < c.last() {
			at = c.last()
		}
	}
	if at != m.ram+m.size {
		m.t.Fatalf("nobody has the memory at %#x", at)
	}
}

// wild does a random operation.
func (m *machine) wild(r *rand.Rand) abi.Error {
	slots := m.inUse()
	source := slots[r.IntN(len(slots))]
	if m.at(source).size == m.size && r.IntN(30) > 0 {
		source = slots[r.IntN(len(slots))] // all RAM: what is done to it ends everything
	}
	// A place in an L2 CNode, if it is alive.
	to := memory.Phys(0)
	for range 20 {
		a := slots[r.IntN(len(slots))]
		if c := m.at(a); c.kind == abi.L2CNode && c.state == live {
			to, _ = m.Vacant(a, 1+r.Uint64N(240), 6, abi.RAM)
			if to != 0 {
				break
			}
		}
	}
	if to == 0 || m.Count > 400 {
		if r.IntN(3) == 0 {
			return m.Revoke(source)
		}
		return m.Delete(source)
	}
	switch n := r.IntN(20); {
	case n < 4:
		return m.Copy(to, source, abi.AllRights)
	case n < 6:
		return m.Move(to, source)
	case n < 13:
		if r.IntN(2) == 0 {
			for range 20 {
				if a := slots[r.IntN(len(slots))]; m.at(a).kind == abi.RAM {
					source = a
				}
			}
		}
		c := m.at(source)
		t := abi.Type(1 + r.IntN(int(abi.NumTypes)-1))
		if c.kind == abi.RAM {
			t = []abi.Type{abi.RAM, abi.Frame, abi.Frame, abi.L2CNode, abi.L2CNode, abi.L1CNode, abi.Dispatcher, abi.PageTable1, abi.PageTable1}[r.IntN(9)]
		}
		rule := abi.Of(t)
		size := max(rule.Least, rule.Align*(1+r.Uint64N(24)))
		if rule.Least == rule.Most {
			size = rule.Least
		}
		return m.Retype(to, source, t, rule.Align*r.Uint64N(c.size/rule.Align+1), size, 1+r.Uint64N(6))
	case n < 14:
		if c := m.at(source); c.kind != abi.Frame {
			return abi.ErrType
		}
		for range 50 {
			if a := slots[r.IntN(len(slots))]; isTable(m.at(a).kind) {
				return m.enter(to, a, source, r.Uint64N(TableEntries), 1+r.Uint64N(min(3, max(1, m.SizeOf(source)/pageSize))), 0)
			}
		}
		return abi.ErrType
	case n < 17:
		return m.Delete(source)
	case n < 18:
		return m.Revoke(source)
	}
	return m.Reclaim(to)
}

// inUse returns the slots that some user could name: those of objects that are
// not being deleted, and not those of the reclaim queue.
func (m *machine) inUse() (slots []memory.Phys) {
	var dying []*Slot
	all := m.check()
	for _, a := range all {
		if c := m.at(a); c.state == deleting {
			dying = append(dying, c)
		}
	}
	for _, a := range all {
		free := a < m.reclaimSlot(0) || a >= m.reclaimSlot(reclaimSlots)
		for _, c := range dying {
			free = free && !(c.first <= uint64(a) && uint64(a) < c.last())
		}
		if free {
			slots = append(slots, a)
		}
	}
	return slots
}
