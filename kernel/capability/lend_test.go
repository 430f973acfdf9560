package capability

import (
	"testing"

	abi "skerry/abi/capability"
)

// TestLent holds that lent RAM is nobody's here until it is regained: neither
// it nor its range of what it was made of can become anything.
func TestLent(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.must(m.Retype(m.slot(20), m.slot(1), abi.RAM, 256<<10, 64<<10, 1))
	m.must(m.Lend(m.slot(20), 2))
	if d := m.Identify(m.slot(20)); d.Owner != 2 || d.Relations != abi.RemoteCopies {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct {
		name string
		got  abi.Error
		want abi.Error
	}{
		{"lend it again", m.Lend(m.slot(20), 3), abi.ErrRemote},
		{"copy it", m.Copy(m.slot(30), m.slot(20), abi.AllRights), abi.ErrRemote},
		{"retype it", m.Retype(m.slot(30), m.slot(20), abi.Frame, 0, pageSize, 1), abi.ErrRemote},
		{"delete it", m.Delete(m.slot(20)), abi.ErrRemote},
		{"revoke it", m.Revoke(m.slot(20)), abi.ErrRemote},
		{"release it", m.Release(m.slot(20)), abi.ErrRemote},
		{"say that it is not", m.SetRelations(m.slot(20), 0, 0), abi.ErrRemote},
		{"retype over it", m.Retype(m.slot(30), m.slot(1), abi.Frame, 252<<10, 8<<10, 1), abi.ErrInUse},
		{"retype part of it", m.Retype(m.slot(30), m.slot(1), abi.Frame, 260<<10, pageSize, 1), abi.ErrInUse},
		{"revoke what it was made of", m.Revoke(m.slot(1)), abi.ErrRemote},
		{"adopt it", m.Adopt(m.slot(30), m.ram+256<<10, 64<<10), abi.ErrInUse},
		{"retype beside it", m.Retype(m.slot(31), m.slot(1), abi.Frame, 320<<10, pageSize, 1), abi.OK},
		{"move it", m.Move(m.slot(21), m.slot(20)), abi.OK},
		{"regain nothing", m.Regain(m.slot(20)), abi.ErrState},
		{"regain what is not lent", m.Regain(m.slot(1)), abi.ErrState},
		{"regain it", m.Regain(m.slot(21)), abi.OK},
		{"retype it at last", m.Retype(m.slot(30), m.slot(21), abi.Frame, 0, pageSize, 1), abi.OK},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got.Name(), c.want.Name())
		}
	}
	m.check()
}

// TestLentOutlivesItsHolder deletes the CSpace that holds lent RAM: it goes to
// the reclaim queue as it is.
func TestLentOutlivesItsHolder(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.must(m.Retype(m.slot(20), m.slot(1), abi.L2CNode, 256<<10, 16<<10, 1))
	to, err := m.Vacant(m.slot(20), 5, 1, abi.RAM)
	m.must(err)
	m.must(m.Retype(to, m.slot(1), abi.RAM, 512<<10, 64<<10, 1))
	m.must(m.Lend(to, 2))
	m.must(m.Delete(m.slot(20)))
	m.drain()
	if m.Reclaimable != 1 {
		t.Fatalf("%d to reclaim", m.Reclaimable)
	}
	m.must(m.Reclaim(m.slot(21)))
	if err := m.Delete(m.slot(21)); err != abi.ErrRemote {
		t.Error(err.Name())
	}
	m.must(m.Regain(m.slot(21)))
	m.must(m.Delete(m.slot(21)))
	m.check()
	m.covered()
}

// TestLendRefuses gives Lend what it must not lend.
func TestLendRefuses(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.must(m.Retype(m.slot(20), m.slot(1), abi.RAM, 256<<10, 64<<10, 4))
	m.must(m.Copy(m.slot(30), m.slot(21), abi.AllRights))
	m.must(m.Retype(m.slot(31), m.slot(22), abi.Frame, 0, pageSize, 1))
	m.must(m.Copy(m.slot(32), m.slot(23), abi.RightGrant))
	m.must(m.Delete(m.slot(23)))
	m.must(m.Adopt(m.slot(33), m.ram+m.size, foreign))
	m.must(m.Create(m.slot(34), Object{Type: abi.Kernel, Size: 1}, abi.AllRights))
	for _, c := range []struct {
		name string
		slot uint64
		core uint32
		want abi.Error
	}{
		{"nothing", 99, 2, abi.ErrEmpty},
		{"to itself", 20, 0, abi.ErrArgument},
		{"to no core", 20, 1 << 16, abi.ErrArgument},
		{"with a copy", 21, 2, abi.ErrInUse},
		{"with a descendant", 22, 2, abi.ErrInUse},
		{"a frame", 31, 2, abi.ErrType},
		{"with few rights", 32, 2, abi.ErrRights},
		{"what is borrowed", 33, 2, abi.ErrRemote},
		{"a kernel", 34, 2, abi.ErrType},
	} {
		if err := m.Lend(m.slot(c.slot), c.core); err != c.want {
			t.Errorf("%s: %s, want %s", c.name, err.Name(), c.want.Name())
		}
	}
}

// TestAdopted uses borrowed RAM and gives it back, whatever became of the
// capability in between.
func TestAdopted(t *testing.T) {
	m := newMachine(t, 1<<20)
	base := m.ram + m.size
	for _, c := range []struct{ base, size uint64 }{{m.ram, 64 << 10}, {base - pageSize, 2 * pageSize}, {0, 1 << 40}} {
		if err := m.Adopt(m.slot(20), c.base, c.size); err != abi.ErrInUse {
			t.Errorf("%#x+%#x: %s", c.base, c.size, err.Name())
		}
	}
	if err := m.Adopt(m.slot(20), base+1, pageSize); err != abi.ErrRange {
		t.Error(err.Name())
	}
	m.must(m.Adopt(m.slot(20), base, foreign))
	if err := m.Adopt(m.slot(21), base, foreign); err != abi.ErrInUse {
		t.Errorf("adopted twice: %s", err.Name())
	}
	m.must(m.Retype(m.slot(21), m.slot(20), abi.RAM, 0, foreign/2, 2))
	m.must(m.Retype(m.slot(23), m.slot(22), abi.Frame, 0, pageSize, 1))
	for _, c := range []struct {
		slot uint64
		want abi.Error
	}{
		{20, abi.ErrInUse}, // things are made of it
		{21, abi.ErrInUse}, // it is made of something
		{23, abi.ErrType}, {99, abi.ErrEmpty}, {1, abi.ErrInUse},
	} {
		if err := m.Release(m.slot(c.slot)); err != c.want {
			t.Errorf("release of %d: %s, want %s", c.slot, err.Name(), c.want.Name())
		}
	}
	// What is deleted comes back by the queue, with the mark on it.
	m.must(m.Delete(m.slot(20)))
	m.must(m.Reclaim(m.slot(24)))
	if d := m.Identify(m.slot(24)); d.Type != abi.RAM || d.Base != base || d.Size != foreign || d.Relations != abi.RemoteAncestors {
		t.Errorf("%+v", d)
	}
	for slot := uint64(21); slot < 24; slot++ {
		if err := m.Release(m.slot(24)); err != abi.ErrInUse {
			t.Error(err.Name())
		}
		m.must(m.Delete(m.slot(slot)))
	}
	m.must(m.Release(m.slot(24)))
	if found, _ := m.Range(abi.RAM, base, foreign); found != Nothing || m.Reclaimable != 0 {
		t.Error("something is left of what was borrowed")
	}
	m.must(m.Delete(m.slot(1)))
	m.check()
}
