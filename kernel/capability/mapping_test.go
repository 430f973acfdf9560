package capability

import (
	"testing"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// mapped is a machine with two pages of a frame (slot 20) in a table (slot 21)
// from entry 7 on by the mapping in slot 22. The table was made of RAM in slot
// 23, the frame of RAM in slot 24.
func mapped(t *testing.T) *machine {
	m := newMachine(t, 1<<20)
	m.must(m.Retype(m.slot(23), m.slot(1), abi.RAM, 256<<10, pageSize, 1))
	m.must(m.Retype(m.slot(21), m.slot(23), abi.PageTable1, 0, pageSize, 1))
	m.must(m.Retype(m.slot(24), m.slot(1), abi.RAM, 260<<10, 4*pageSize, 1))
	m.must(m.Retype(m.slot(20), m.slot(24), abi.Frame, 0, 4*pageSize, 1))
	m.must(m.enter(m.slot(22), m.slot(21), m.slot(20), 7, 2, pageSize))
	return m
}

// nonzero returns how many entries of the page at an address are not 0.
func (m *machine) nonzero(at uint64) (n int) {
	for i := range uint64(TableEntries) {
		if *m.entry(memory.Phys(at + i*8)) != 0 {
			n++
		}
	}
	return n
}

// TestMappingEnds ends a mapping in every way there is: its entries go, and
// nobody else's.
func TestMappingEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(m *machine) abi.Error
	}{
		{"delete the mapping", func(m *machine) abi.Error { return m.Delete(m.slot(22)) }},
		{"delete the frame", func(m *machine) abi.Error { return m.Delete(m.slot(20)) }},
		{"revoke the frame", func(m *machine) abi.Error { return m.Revoke(m.slot(20)) }},
		{"revoke what the frame was made of", func(m *machine) abi.Error { return m.Revoke(m.slot(24)) }},
		{"revoke the mapped frame after moving the mapping", func(m *machine) abi.Error {
			m.must(m.Move(m.slot(30), m.slot(22)))
			return m.Revoke(m.slot(20))
		}},
	} {
		m := mapped(t)
		// A neighbour in the same table, of another frame.
		m.must(m.Retype(m.slot(40), m.slot(1), abi.Frame, 512<<10, pageSize, 1))
		m.must(m.enter(m.slot(41), m.slot(21), m.slot(40), 9, 1, 0))
		table := m.BaseOf(m.slot(21))
		if n := m.nonzero(table); n != 3 {
			t.Fatalf("%d entries", n)
		}
		if err := c.end(m); err != abi.OK && err != abi.ErrPending {
			t.Errorf("%s: %s", c.name, err.Name())
		}
		m.drain()
		if n := m.nonzero(table); n != 1 || *m.entry(memory.Phys(table + 9*8)) == 0 {
			t.Errorf("%s: %d entries are left", c.name, n)
		}
		if m.Mapped(m.slot(20)) || m.TypeOf(m.slot(22)) != abi.Null || m.TypeOf(m.slot(30)) != abi.Null {
			t.Errorf("%s: the mapping is still there", c.name)
		}
		m.check()
	}
}

// TestStaleMapping deletes mappings whose table has gone, while its memory is
// nothing, a frame, a table being cleared, and another table: nothing may be
// touched.
func TestStaleMapping(t *testing.T) {
	for _, c := range []struct {
		name string
		kind abi.Type
		size uint64
	}{
		{"RAM", abi.Null, 0}, {"a frame", abi.Frame, pageSize}, {"an L1 CNode", abi.L1CNode, pageSize},
		{"a table", abi.PageTable1, pageSize}, {"another table", abi.PageTable3, pageSize},
	} {
		m := mapped(t)
		table := m.BaseOf(m.slot(21))
		if entry, n, kind := m.MappingOf(m.slot(22)); entry != memory.Phys(table+7*8) || n != 2 || kind != abi.PageTable1 {
			t.Errorf("mapping at %#x, %d entries in a %v", entry, n, kind)
		}
		m.must(m.Revoke(m.slot(23)))
		if c.kind != abi.Null {
			m.must(m.Retype(m.slot(21), m.slot(23), c.kind, 0, c.size, 1))
		}
		// What looks like the mapping's entries.
		for i := range uint64(2) {
			*m.entry(memory.Phys(table + (7+i)*8)) = m.BaseOf(m.slot(20)) + (1+i)*pageSize + 1
		}
		if _, _, kind := m.MappingOf(m.slot(22)); kind != abi.Null {
			t.Errorf("%s: the mapping is in a %v", c.name, kind)
		}
		m.must(m.Delete(m.slot(22)))
		if n := m.nonzero(table); n != 2 {
			t.Errorf("%s: %d entries are left of 2", c.name, n)
		}
		clear(m.bytes(memory.Phys(table), pageSize))
		m.drain()
		m.check()
	}
}

// TestStaleWhileCleared ends a mapping while the memory of its table waits to be
// cleared for another: the number is not there yet.
func TestStaleWhileCleared(t *testing.T) {
	m := mapped(t)
	m.must(m.Revoke(m.slot(23)))
	if err := m.Retype(m.slot(30), m.slot(1), abi.Frame, 512<<10, 256<<10, 1); err != abi.ErrPending {
		t.Fatal(err.Name())
	}
	for m.firstToClear != 0 && m.cleared < 128<<10 {
		m.Step(1)
	}
	if err := m.Retype(m.slot(21), m.slot(23), abi.PageTable1, 0, pageSize, 1); err != abi.ErrPending {
		t.Fatal(err.Name())
	}
	if _, _, kind := m.MappingOf(m.slot(22)); kind != abi.Null {
		t.Errorf("the mapping is in a %v", kind)
	}
	if err := m.Map(m.slot(31), m.slot(21), m.slot(20), 0, 1); err != abi.ErrNotReady {
		t.Error(err.Name())
	}
	m.drain()
	if _, _, kind := m.MappingOf(m.slot(22)); kind != abi.Null {
		t.Errorf("the mapping is in a %v", kind)
	}
}

// TestTables maps tables into tables: each in one place at a time. A table that
// ends clears the entry above it.
func TestTables(t *testing.T) {
	m := mapped(t)
	m.must(m.Retype(m.slot(30), m.slot(1), abi.PageTable2, 512<<10, pageSize, 2))
	up := m.BaseOf(m.slot(30))
	if m.Mapped(m.slot(21)) {
		t.Error("mapped before it is")
	}
	m.must(m.enter(m.slot(32), m.slot(30), m.slot(21), 511, 1, 0))
	m.must(m.Copy(m.slot(33), m.slot(21), abi.AllRights))
	if !m.Mapped(m.slot(21)) || !m.Mapped(m.slot(33)) || m.nonzero(up) != 1 {
		t.Error("not mapped")
	}
	for _, again := range []uint64{21, 33} {
		if err := m.Map(m.slot(34), m.slot(31), m.slot(again), 3, 1); err != abi.ErrInUse {
			t.Errorf("a table in two places: %s", err.Name())
		}
	}
	// The copy holds it; then it goes, and its own mappings are of nothing.
	m.must(m.Delete(m.slot(21)))
	if _, _, kind := m.MappingOf(m.slot(22)); kind != abi.PageTable1 || m.nonzero(up) != 1 {
		t.Error("the table went with one of its copies")
	}
	m.must(m.Delete(m.slot(33)))
	if _, _, kind := m.MappingOf(m.slot(22)); kind != abi.Null || m.nonzero(up) != 0 || m.TypeOf(m.slot(32)) != abi.Null {
		t.Error("the table's entry outlived it")
	}
	m.check()
}

// TestMapRefuses gives Map what it must not do.
func TestMapRefuses(t *testing.T) {
	m := mapped(t)
	for _, c := range []struct {
		name          string
		table, source uint64
		first, count  uint64
		want          abi.Error
	}{
		{"no table", 99, 20, 0, 1, abi.ErrEmpty},
		{"no source", 21, 99, 0, 1, abi.ErrEmpty},
		{"a frame as table", 20, 20, 0, 1, abi.ErrType},
		{"RAM", 21, 1, 0, 1, abi.ErrType},
		{"a CNode", 21, 3, 0, 1, abi.ErrType},
		{"a mapping", 21, 22, 0, 1, abi.ErrType},
		{"no entries", 21, 20, 0, 0, abi.ErrRange},
		{"the 513th entry", 21, 20, 512, 1, abi.ErrRange},
		{"over the end", 21, 20, 511, 2, abi.ErrRange},
		{"far over the end", 21, 20, 1, ^uint64(0), abi.ErrRange},
	} {
		if err := m.Map(m.slot(50), m.slot(c.table), m.slot(c.source), c.first, c.count); err != c.want {
			t.Errorf("%s: %s, want %s", c.name, err.Name(), c.want.Name())
		}
	}
	// A mapping is nobody else's: it cannot be copied, and has no more rights
	// than its source.
	if err := m.Copy(m.slot(50), m.slot(22), abi.AllRights); err != abi.ErrRights {
		t.Errorf("copy of a mapping: %s", err.Name())
	}
	m.must(m.Copy(m.slot(51), m.slot(20), abi.RightRead|abi.RightGrant))
	m.must(m.Map(m.slot(52), m.slot(21), m.slot(51), 100, 1))
	if r := m.RightsOf(m.slot(52)); r != abi.RightRead|abi.RightControl {
		t.Errorf("rights %v", r)
	}
	m.must(m.SetRelations(m.slot(21), 3, 0))
	if err := m.Map(m.slot(50), m.slot(21), m.slot(20), 0, 1); err != abi.ErrRemote {
		t.Errorf("into another core's table: %s", err.Name())
	}
}

// TestMapRevoking holds that what is being revoked is neither mapped nor mapped
// into.
func TestMapRevoking(t *testing.T) {
	m := mapped(t)
	m.must(m.Retype(m.slot(60), m.slot(20), abi.Frame, 0, pageSize, 4))
	for i := range uint64(20) {
		m.must(m.Copy(m.slot(70+i), m.slot(60), abi.AllRights))
	}
	if err := m.Revoke(m.slot(20)); err != abi.ErrPending {
		t.Fatal(err.Name())
	}
	if err := m.Map(m.slot(50), m.slot(21), m.slot(20), 0, 1); err != abi.ErrRevoking {
		t.Error(err.Name())
	}
	if err := m.Revoke(m.slot(20)); err != abi.ErrRevoking {
		t.Error(err.Name())
	}
	m.drain()
	m.must(m.Revoke(m.slot(20)))
	m.must(m.Map(m.slot(50), m.slot(21), m.slot(20), 0, 1))
	m.check()
}

// TestDispatcherMapped holds that mappings of a dispatcher go before what it
// holds does.
func TestDispatcherMapped(t *testing.T) {
	m := mapped(t)
	m.must(m.Retype(m.slot(30), m.slot(1), abi.Dispatcher, 512<<10, 32<<10, 1))
	m.must(m.Retype(m.slot(31), m.slot(30), abi.Endpoint, 5*pageSize, 256, 2))
	m.must(m.enter(m.slot(40), m.slot(21), m.slot(30), 100, 3, 2*pageSize))
	if p := m.parent(m.slot(31)); p != m.slot(30) {
		t.Errorf("an endpoint's parent is %#x", p)
	}
	table := m.BaseOf(m.slot(21))
	for m.Delete(m.slot(30)) == abi.ErrPending {
	}
	m.drain()
	if m.nonzero(table) != 2 || m.TypeOf(m.slot(31)) != abi.Null || m.TypeOf(m.slot(40)) != abi.Null {
		t.Error("the dispatcher has gone, and something of it is left")
	}
	m.check()
	m.covered()
}
