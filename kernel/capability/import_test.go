package capability

import (
	"testing"

	abi "skerry/abi/capability"
)

// TestImport holds that what another core has can be mapped, moved and deleted,
// and nothing else, and that its end is none of this kernel's business.
func TestImport(t *testing.T) {
	m := newMachine(t, 1<<20)
	base := m.ram + m.size
	m.must(m.Import(m.slot(20), abi.Frame, base, 4*pageSize, 2, abi.AllRights))
	m.must(m.Import(m.slot(21), abi.PageTable3, base+4*pageSize, pageSize, 2, abi.AllRights))
	m.must(m.Retype(m.slot(30), m.slot(1), abi.PageTable1, 256<<10, pageSize, 1))
	m.must(m.Retype(m.slot(31), m.slot(1), abi.PageTable4, 256<<10+pageSize, pageSize, 2))
	for slot, want := range map[uint64]abi.Rights{
		20: abi.RightRead | abi.RightWrite | abi.RightExecute | abi.RightGrant, 21: abi.RightControl,
	} {
		if d := m.Identify(m.slot(slot)); d.Owner != 2 || d.Relations != abi.RemoteCopies || d.Rights != want || !m.Imported(m.slot(slot)) {
			t.Errorf("%+v", d)
		}
	}
	for _, c := range []struct {
		name      string
		got, want abi.Error
	}{
		{"copy a table", m.Copy(m.slot(40), m.slot(21), abi.AllRights), abi.ErrRights},
		{"retype it", m.Retype(m.slot(40), m.slot(20), abi.Frame, 0, pageSize, 1), abi.ErrRights},
		{"revoke it", m.Revoke(m.slot(21)), abi.ErrRights},
		{"release it", m.Release(m.slot(20)), abi.ErrRemote},
		{"lend it", m.Lend(m.slot(20), 1), abi.ErrRemote},
		{"regain it", m.Regain(m.slot(20)), abi.ErrState},
		{"make it this core's", m.SetRelations(m.slot(21), 0, 0), abi.ErrRemote},
		{"import it again from another core", m.Import(m.slot(40), abi.Frame, base, 4*pageSize, 3, abi.AllRights), abi.ErrInUse},
		{"import a table again", m.Import(m.slot(40), abi.PageTable3, base+4*pageSize, pageSize, 2, abi.AllRights), abi.ErrInUse},
		{"import it again to a full slot", m.Import(m.slot(21), abi.Frame, base, 4*pageSize, 2, abi.AllRights), abi.ErrOccupied},
		{"import a part", m.Import(m.slot(40), abi.PageTable3, base, pageSize, 2, abi.AllRights), abi.ErrInUse},
		{"import around it", m.Import(m.slot(40), abi.Frame, base, 8*pageSize, 2, abi.AllRights), abi.ErrInUse},
		{"import across its end", m.Import(m.slot(40), abi.Frame, base+3*pageSize, 4*pageSize, 2, abi.AllRights), abi.ErrInUse},
		{"import what is here", m.Import(m.slot(40), abi.Frame, m.ram, pageSize, 2, abi.AllRights), abi.ErrInUse},
		{"import around what is here", m.Import(m.slot(40), abi.Frame, 0, 1<<30, 2, abi.AllRights), abi.ErrInUse},
		{"import from itself", m.Import(m.slot(40), abi.Frame, base+8*pageSize, pageSize, 0, abi.AllRights), abi.ErrArgument},
		{"import from no core", m.Import(m.slot(40), abi.Frame, base+8*pageSize, pageSize, 1<<16, abi.AllRights), abi.ErrArgument},
		{"import RAM", m.Import(m.slot(40), abi.RAM, base+8*pageSize, pageSize, 2, abi.AllRights), abi.ErrType},
		{"import a CNode", m.Import(m.slot(40), abi.L2CNode, base+8*pageSize, 16<<10, 2, abi.AllRights), abi.ErrType},
		{"import a top table", m.Import(m.slot(40), abi.PageTable4, base+8*pageSize, pageSize, 2, abi.AllRights), abi.ErrType},
		{"import a large table", m.Import(m.slot(40), abi.PageTable3, base+8*pageSize, 2*pageSize, 2, abi.AllRights), abi.ErrRange},
		{"import a piece of a page", m.Import(m.slot(40), abi.Frame, base+8*pageSize, 100, 2, abi.AllRights), abi.ErrRange},
		{"import to a full slot", m.Import(m.slot(20), abi.Frame, base+8*pageSize, pageSize, 2, abi.AllRights), abi.ErrOccupied},
		{"adopt it", m.Adopt(m.slot(40), base, 4*pageSize), abi.ErrInUse},
		{"map into it", m.Map(m.slot(40), m.slot(21), m.slot(20), 0, 1), abi.ErrRemote},
		{"map it", m.Map(m.slot(41), m.slot(30), m.slot(20), 0, 4), abi.OK},
		{"map the table", m.Map(m.slot(42), m.slot(31), m.slot(21), 0, 1), abi.OK},
		{"map the table elsewhere", m.Map(m.slot(43), m.slot(32), m.slot(21), 0, 1), abi.OK},
		{"move it", m.Move(m.slot(22), m.slot(21)), abi.OK},
		{"map into it when it was moved", m.Map(m.slot(44), m.slot(22), m.slot(20), 0, 1), abi.ErrRemote},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got.Name(), c.want.Name())
		}
	}
	m.check()
	clear(m.ended)
	for _, slot := range []uint64{20, 22} {
		for m.Delete(m.slot(slot)) == abi.ErrPending {
		}
	}
	m.check()
	for o := range m.ended {
		if o.Type != abi.Mapping {
			t.Errorf("%+v has ended here", o)
		}
	}
	if len(m.ended) != 3 || m.Reclaimable != 0 || m.TypeOf(m.slot(43)) != abi.Null {
		t.Errorf("%d mappings ended, %d to reclaim", len(m.ended), m.Reclaimable)
	}
	if found, _ := m.Range(abi.RAM, base, foreign); found != Nothing {
		t.Error("something is left of it")
	}
}

// TestImportOfLent holds that what another core made of RAM that was lent to it
// can be imported from it, and that the RAM cannot be regained before that has
// been deleted.
func TestImportOfLent(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.must(m.Retype(m.slot(20), m.slot(1), abi.RAM, 256<<10, 64<<10, 1))
	base := m.ram + 256<<10
	if err := m.Import(m.slot(30), abi.Frame, base, pageSize, 2, abi.AllRights); err != abi.ErrInUse {
		t.Errorf("import of what is not lent yet: %s", err.Name())
	}
	m.must(m.Lend(m.slot(20), 2))
	m.must(m.Import(m.slot(30), abi.Frame, base, 2*pageSize, 2, abi.AllRights))
	m.must(m.Import(m.slot(31), abi.PageTable3, base+32<<10, pageSize, 2, abi.AllRights))
	if err := m.Import(m.slot(32), abi.Frame, base+60<<10, 2*pageSize, 2, abi.AllRights); err != abi.ErrInUse {
		t.Errorf("import of more than is lent: %s", err.Name())
	}
	m.check()
	for _, slot := range []uint64{30, 31} {
		if err := m.Regain(m.slot(20)); err != abi.ErrInUse {
			t.Errorf("regained with an import in it: %s", err.Name())
		}
		m.must(m.Delete(m.slot(slot)))
	}
	m.must(m.Regain(m.slot(20)))
	m.must(m.Retype(m.slot(30), m.slot(20), abi.Frame, 0, pageSize, 1))
	m.check()
	m.covered()
}

// TestImportedTableIsNew holds that a table that is imported is not taken for one
// that lay there before, when that memory was borrowed.
func TestImportedTableIsNew(t *testing.T) {
	m := newMachine(t, 1<<20)
	base := m.ram + m.size
	m.must(m.Adopt(m.slot(20), base, foreign))
	m.must(m.Retype(m.slot(21), m.slot(20), abi.PageTable3, 0, pageSize, 1))
	m.must(m.Retype(m.slot(22), m.slot(1), abi.Frame, 256<<10, pageSize, 1))
	m.must(m.Map(m.slot(23), m.slot(21), m.slot(22), 5, 1))
	if _, _, table := m.MappingOf(m.slot(23)); table != abi.PageTable3 {
		t.Fatalf("the mapping is in a %v", table)
	}
	m.must(m.Delete(m.slot(21)))
	m.must(m.Release(m.slot(20)))
	m.must(m.Import(m.slot(24), abi.PageTable3, base, pageSize, 2, abi.AllRights))
	if _, _, table := m.MappingOf(m.slot(23)); table != abi.Null {
		t.Errorf("the mapping is in another core's %v", table)
	}
}

// TestOutstanding holds that RAM stays RAM, and this core's, while other cores may
// reach what was unmapped.
func TestOutstanding(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.must(m.Retype(m.slot(20), m.slot(1), abi.RAM, 256<<10, 64<<10, 2))
	m.must(m.Adopt(m.slot(22), m.ram+m.size, foreign))
	m.must(m.Retype(m.slot(23), m.slot(1), abi.Frame, 512<<10, 4*pageSize, 1))
	m.must(m.Create(m.slot(24), Object{Type: abi.Domain, Base: 1, Size: 8}, abi.AllRights))
	m.outstanding = true
	for _, c := range []struct {
		name      string
		got, want abi.Error
	}{
		{"a frame of RAM", m.Retype(m.slot(30), m.slot(20), abi.Frame, 0, pageSize, 1), abi.ErrInUse},
		{"a dispatcher of RAM", m.Retype(m.slot(30), m.slot(20), abi.Dispatcher, 0, 8*pageSize, 1), abi.ErrInUse},
		{"RAM of RAM", m.Retype(m.slot(31), m.slot(20), abi.RAM, 0, pageSize, 1), abi.OK},
		{"a frame of a frame", m.Retype(m.slot(32), m.slot(23), abi.Frame, 0, pageSize, 1), abi.OK},
		{"a domain", m.Retype(m.slot(33), m.slot(24), abi.Domain, 0, 1, 1), abi.OK},
		{"a loan", m.Lend(m.slot(21), 2), abi.ErrInUse},
		{"a loan's return", m.Release(m.slot(22)), abi.ErrInUse},
		{"what is wrong anyway", m.Retype(m.slot(30), m.slot(20), abi.Domain, 0, 1, 1), abi.ErrParent},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got.Name(), c.want.Name())
		}
	}
	m.outstanding = false
	m.must(m.Retype(m.slot(30), m.slot(20), abi.Frame, pageSize, pageSize, 1))
	m.must(m.Lend(m.slot(21), 2))
	m.must(m.Release(m.slot(22)))
	m.check()
}

// TestImportAgain holds that a frame can be imported more than once, with rights of
// its own each, and that what is mapped of it stays until the last has gone.
func TestImportAgain(t *testing.T) {
	m := newMachine(t, 1<<20)
	base := m.ram + m.size
	m.must(m.Import(m.slot(20), abi.Frame, base, 4*pageSize, 2, abi.RightRead|abi.RightGrant))
	m.must(m.Retype(m.slot(30), m.slot(1), abi.PageTable1, 256<<10, pageSize, 1))
	m.must(m.enter(m.slot(31), m.slot(30), m.slot(20), 0, 4, 0))
	m.must(m.Import(m.slot(19), abi.Frame, base, 4*pageSize, 2, abi.RightRead|abi.RightWrite))
	m.must(m.Import(m.slot(21), abi.Frame, base, 4*pageSize, 2, 0))
	for slot, want := range map[uint64]abi.Rights{19: abi.RightRead | abi.RightWrite, 20: abi.RightRead | abi.RightGrant, 21: 0} {
		if d := m.Identify(m.slot(slot)); d.Owner != 2 || d.Relations != abi.RemoteCopies || d.Rights != want || !m.Imported(m.slot(slot)) {
			t.Errorf("slot %d: %+v", slot, d)
		}
	}
	m.check()
	m.must(m.Delete(m.slot(19)))
	m.must(m.Delete(m.slot(20)))
	if m.TypeOf(m.slot(31)) != abi.Mapping {
		t.Error("what was mapped has gone before the last import")
	}
	m.check()
	for m.Delete(m.slot(21)) == abi.ErrPending {
	}
	if m.TypeOf(m.slot(31)) != abi.Null || m.Reclaimable != 0 {
		t.Error("what was mapped is still there, or there is something to reclaim")
	}
	m.check()
}

// TestImportCopied holds that a copy of an import is an import, with at most its rights,
// and that it can be copied only with right Grant.
func TestImportCopied(t *testing.T) {
	m := newMachine(t, 1<<20)
	base := m.ram + m.size
	m.must(m.Import(m.slot(20), abi.Frame, base, 4*pageSize, 2, abi.RightRead|abi.RightGrant))
	m.must(m.Copy(m.slot(21), m.slot(20), abi.RightRead|abi.RightWrite))
	if d := m.Identify(m.slot(21)); d.Owner != 2 || d.Relations != abi.RemoteCopies || d.Rights != abi.RightRead || !m.Imported(m.slot(21)) {
		t.Errorf("%+v", d)
	}
	if err := m.Copy(m.slot(22), m.slot(21), abi.AllRights); err != abi.ErrRights {
		t.Errorf("copied without right Grant: %s", err.Name())
	}
	m.check()
	m.must(m.Delete(m.slot(20)))
	if d := m.Identify(m.slot(21)); d.Owner != 2 || d.Relations != abi.RemoteCopies || !m.Imported(m.slot(21)) {
		t.Errorf("when that which it was copied of has gone: %+v", d)
	}
	if err := m.Release(m.slot(21)); err != abi.ErrRemote {
		t.Errorf("released: %s", err.Name())
	}
	m.must(m.Expel(base, 4*pageSize))
	if m.TypeOf(m.slot(21)) != abi.Null || m.Reclaimable != 0 {
		t.Error("the copy has not been expelled")
	}
	m.check()
}

// TestExpel deletes imports wherever they are, with what is mapped of them, a few at
// a time, and nothing else.
func TestExpel(t *testing.T) {
	m := newMachine(t, 1<<20)
	base := m.ram + m.size
	m.must(m.Retype(m.slot(10), m.slot(1), abi.PageTable1, 256<<10, pageSize, 1))
	for i := range uint64(5) {
		m.must(m.Import(m.slot(20+i), abi.Frame, base+i%3*pageSize, pageSize, 2, abi.AllRights))
		m.must(m.enter(m.slot(40+i), m.slot(10), m.slot(20+i), i, 1, 0))
	}
	m.must(m.Import(m.slot(30), abi.Frame, base+8*pageSize, 4*pageSize, 2, abi.AllRights))
	m.must(m.Import(m.slot(31), abi.Frame, base+3*pageSize, pageSize, 2, abi.AllRights))
	m.must(m.Move(m.slot(60), m.slot(22)))
	count := m.Count
	calls := 0
	for err := m.Expel(base, 3*pageSize); err != abi.OK; err = m.Expel(base, 3*pageSize) {
		if err != abi.ErrPending {
			t.Fatal(err.Name())
		}
		calls++
		m.check()
	}
	if m.Count != count-10 || calls == 0 || m.TypeOf(m.slot(60)) != abi.Null || m.TypeOf(m.slot(30)) != abi.Frame || m.TypeOf(m.slot(31)) != abi.Frame {
		t.Errorf("%d capabilities after %d calls, were %d", m.Count, calls, count)
	}
	m.must(m.Expel(base, 3*pageSize))
	for what, c := range map[string]struct {
		base, size uint64
		want       abi.Error
	}{
		"a part of an import":    {base + 8*pageSize, pageSize, abi.ErrRange},
		"the end of an import":   {base + 9*pageSize, 3 * pageSize, abi.OK}, // which is in no slot
		"what is its own":        {m.ram, pageSize << 4, abi.ErrRange},
		"nothing":                {base, 0, abi.ErrRange},
		"a piece of a page":      {base, 100, abi.ErrRange},
		"more than there can be": {1 << 62, pageSize, abi.ErrRange},
	} {
		if err := m.Expel(c.base, c.size); err != c.want {
			t.Errorf("%s: %s, want %s", what, err.Name(), c.want.Name())
		}
	}
	if m.TypeOf(m.slot(30)) != abi.Frame {
		t.Error("a part of an import was expelled")
	}
	m.check()
}
