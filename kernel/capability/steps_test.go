package capability

import (
	"testing"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// spare is how much RAM a machine of many has beside what it needs.
const spare = 1 << 20

// many makes n page-sized frames of RAM that a new machine has for it, in
// CNodes of their own, and returns the slots of that RAM and of the RAM that
// the CNodes are made of.
func many(t testing.TB, n uint64) (m *machine, frames, cnodes memory.Phys) {
	t.Helper()
	nodes := n/254 + 1
	m = newMachine(t, 128<<10+nodes*16<<10+spare)
	m.ended = nil
	frames, cnodes = m.slot(20), m.slot(21)
	m.must(m.Retype(cnodes, m.slot(1), abi.RAM, 64<<10, nodes*16<<10, 1))
	// Frames are never touched: they can lie where there is no memory.
	m.must(m.Create(frames, Object{Type: abi.Frame, Base: 1 << 40, Size: (n + 1) * pageSize}, abi.AllRights))
	at := uint64(0)
	for i := uint64(0); at < n; i++ {
		// A CNode of the pool, known to nobody but this test.
		node := m.slot(22)
		if m.at(node).kind != abi.Null {
			node = m.keep(node)
		}
		if err := m.Retype(m.slot(22), cnodes, abi.L2CNode, i*16<<10, 16<<10, 1); err != abi.OK && err != abi.ErrPending {
			t.Fatal(err)
		}
		m.drain()
		for slot := uint64(2); slot < abi.L2Slots && at < n; {
			k := min(n-at, abi.L2Slots-slot, MaxRetype)
			to, err := m.Vacant(m.slot(22), slot, k, abi.Frame)
			m.must(err)
			m.must(m.Retype(to, frames, abi.Frame, at*pageSize, pageSize, k))
			at += k
			slot += k
		}
	}
	return m, frames, cnodes
}

// keep moves a CNode's capability into the CNode itself, where it keeps itself
// alive.
func (m *machine) keep(node memory.Phys) memory.Phys {
	to, err := m.Slot(node, 1, 1)
	m.must(err)
	m.must(m.Move(to, node))
	return to
}

// TestRevokeMany revokes RAM with many descendants in steps, and holds that
// other operations see a whole system in between and that each step stays
// small.
func TestRevokeMany(t *testing.T) {
	n := uint64(100_000)
	if testing.Short() {
		n = 10_000
	}
	m, frames, _ := many(t, n)
	before := m.Count
	if err := m.Revoke(frames); err != abi.ErrPending {
		t.Fatal(err)
	}
	steps := uint64(0)
	for more := true; more; steps++ {
		was := m.Count
		more = m.Step(8)
		if was-m.Count > 8 {
			t.Fatalf("a step of 8 units deleted %d capabilities", was-m.Count)
		}
		if steps%1000 == 0 && m.Revoking(frames) {
			m.check()
			if err := m.Copy(m.slot(50), frames, abi.AllRights); err != abi.ErrRevoking {
				t.Fatalf("copy of what is being revoked: %s", err.Name())
			}
			m.must(m.Copy(m.slot(50), m.slot(1), abi.AllRights))
			m.must(m.Delete(m.slot(50)))
		}
	}
	if m.Revoking(frames) || m.HasDescendants(frames) || m.Count != before-n {
		t.Fatalf("%d capabilities left of %d", m.Count, before)
	}
	m.check()
	if steps < n/8/2 {
		t.Fatalf("%d steps", steps)
	}
}

// TestCNodesThatHoldEachOther revokes CNodes in a cycle, which nobody else
// has a capability to.
func TestCNodesThatHoldEachOther(t *testing.T) {
	m := newMachine(t, 1<<20)
	ram := m.slot(20)
	m.must(m.Retype(ram, m.slot(1), abi.RAM, 128<<10, 64<<10, 1))
	for range 2 {
		if err := m.Retype(m.slot(30), ram, abi.L2CNode, 0, 16<<10, 4); err != abi.ErrPending {
			t.Fatal(err)
		}
		m.drain()
		// 0 holds 1, 1 holds 2, 2 holds 0, 3 holds itself and a frame.
		for i, in := range []uint64{2, 0, 1, 3} {
			to, err := m.Vacant(m.slot(30+in), 9, 1, abi.L2CNode)
			m.must(err)
			m.must(m.Copy(to, m.slot(uint64(30+i)), abi.AllRights))
		}
		to, err := m.Vacant(m.slot(33), 5, 1, abi.Frame)
		m.must(err)
		m.must(m.Retype(to, m.slot(1), abi.Frame, 512<<10, 4096, 1))
		for i := range uint64(4) {
			m.must(m.Delete(m.slot(30 + i)))
		}
		m.drain()
		if !m.HasDescendants(ram) {
			t.Fatal("gone though they hold each other")
		}
		m.Revoke(ram)
		m.drain()
		if m.HasDescendants(ram) {
			t.Fatal("left over after revocation")
		}
		m.check()
	}
}

// TestClearedInSteps makes an object larger than is cleared at once: it
// cannot be used until it is ready, and can be deleted.
func TestClearedInSteps(t *testing.T) {
	m := newMachine(t, 4<<20)
	for i := range m.bytes(memory.Phys(m.ram+1<<20), 2<<20) {
		m.bytes(memory.Phys(m.ram+1<<20), 2<<20)[i] = 1
	}
	if err := m.Retype(m.slot(20), m.slot(1), abi.Frame, 1<<20, 1<<20, 2); err != abi.ErrPending {
		t.Fatal(err)
	}
	for _, err := range []abi.Error{
		m.Copy(m.slot(30), m.slot(20), abi.AllRights), m.Move(m.slot(30), m.slot(20)), m.Revoke(m.slot(20)),
		m.Retype(m.slot(30), m.slot(20), abi.Frame, 0, 4096, 1), m.SetRelations(m.slot(20), 0, abi.RemoteCopies),
	} {
		if err != abi.ErrNotReady {
			t.Errorf("%s, want ErrNotReady", err.Name())
		}
	}
	if m.Identify(m.slot(20)).Ready != 0 {
		t.Error("ready before it is cleared")
	}
	m.must(m.Delete(m.slot(20)))
	if len(m.ended) != 0 {
		t.Error("an object ended that was never ready")
	}
	m.drain()
	if m.Identify(m.slot(21)).Ready != 1 || m.bytes(memory.Phys(m.ram+3<<20-1), 1)[0] != 0 {
		t.Error("not cleared")
	}
	if m.zeroed > 1<<20+ClearUnit+32<<10 {
		t.Errorf("%d bytes cleared", m.zeroed)
	}
	m.check()
}

// TestForeign holds that the last copy of what another core owns is dropped
// and nothing more, and that relations stay with the object whichever copy
// goes.
func TestForeign(t *testing.T) {
	m := newMachine(t, 1<<20)
	a, b, c := m.slot(30), m.slot(20), m.slot(40)
	m.must(m.Create(a, Object{Type: abi.RAM, Base: 1 << 40, Size: 1 << 20}, abi.AllRights))
	m.must(m.Copy(c, a, abi.AllRights))
	m.must(m.SetRelations(c, 3, abi.RemoteCopies|abi.RemoteDescendants))
	m.must(m.Copy(b, c, abi.AllRights)) // before the others in order
	for _, slot := range []memory.Phys{a, b, c} {
		if d := m.Identify(slot); d.Owner != 3 || d.Relations != abi.RemoteCopies|abi.RemoteDescendants {
			t.Errorf("%+v", d)
		}
	}
	m.must(m.Delete(b))
	m.must(m.Delete(a))
	if d := m.Identify(c); d.Owner != 3 || d.Relations != abi.RemoteCopies|abi.RemoteDescendants {
		t.Errorf("after deletion of the first copies: %+v", d)
	}
	if err := m.Retype(a, c, abi.Frame, 0, 4096, 1); err != abi.ErrRemote {
		t.Error(err)
	}
	if err := m.Revoke(c); err != abi.ErrRemote {
		t.Error(err)
	}
	m.must(m.Delete(c))
	if m.Reclaimable != 0 || len(m.ended) != 0 {
		t.Error("the last copy of a foreign capability ended the object")
	}
	m.check()
}

// TestReclaimQueueFull holds that deletion waits for the queue, and goes on.
func TestReclaimQueueFull(t *testing.T) {
	m := newMachine(t, 1<<20)
	for i := range uint64(reclaimSlots + 1) {
		m.must(m.Create(m.slot(20), Object{Type: abi.RAM, Base: 1<<40 + i<<20, Size: 1 << 20}, abi.AllRights))
		if err := m.Delete(m.slot(20)); i < reclaimSlots && err != abi.OK || i == reclaimSlots && err != abi.ErrBusy {
			t.Fatalf("deletion %d: %s", i, err.Name())
		}
	}
	m.must(m.Reclaim(m.slot(21)))
	m.must(m.Delete(m.slot(20)))
	for i := range uint64(reclaimSlots) {
		m.must(m.Reclaim(m.slot(22 + i)))
	}
	if err := m.Reclaim(m.slot(20)); err != abi.ErrEmpty {
		t.Fatal(err)
	}
	m.check()
}

// TestRevokeRemote holds that no copy goes of what other cores have copies of, and that
// none is given to them of what is being revoked.
func TestRevokeRemote(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.must(m.Retype(m.slot(20), m.slot(1), abi.RAM, 256<<10, 64<<10, 1))
	m.must(m.Retype(m.slot(30), m.slot(20), abi.Frame, 0, pageSize, 1))
	for i := range uint64(8) {
		m.must(m.Copy(m.slot(31+i), m.slot(30), abi.AllRights))
	}
	m.must(m.SetRelations(m.slot(38), 0, abi.RemoteCopies))
	if err := m.Revoke(m.slot(20)); err != abi.ErrRemote {
		t.Errorf("revoked: %s", err.Name())
	}
	for i := range uint64(9) {
		if d := m.Identify(m.slot(30 + i)); d.Type != abi.Frame || d.Relations != abi.RemoteCopies {
			t.Errorf("copy %d is %+v", i, d)
		}
	}
	m.must(m.SetRelations(m.slot(31), 0, 0))
	if err := m.Revoke(m.slot(20)); err != abi.ErrPending {
		t.Fatalf("revoked: %s", err.Name())
	}
	if err := m.SetRelations(m.slot(30), 0, abi.RemoteCopies); err != abi.ErrRevoking {
		t.Errorf("given to another core: %s", err.Name())
	}
	m.must(m.SetRelations(m.slot(30), 0, abi.RemoteAncestors))
	m.drain()
	if m.TypeOf(m.slot(30)) != abi.Null || m.TypeOf(m.slot(20)) != abi.RAM {
		t.Error("not revoked")
	}
	m.check()
}
