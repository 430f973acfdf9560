package vspace

import (
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	kernel "skerry/kernel/capability"
	"skerry/kernel/memory"
)

// newShared makes a machine whose domain has several dispatchers, with what its
// spawner makes for them. settle is called for Config.Settle.
func newShared(t *testing.T, settle func()) *machine {
	m := bareMachine(t, 4<<20)
	const peers, tables = ramBase + 640<<10, ramBase + 672<<10
	create := func(slot memory.Phys, k capability.Type, base, size uint64) {
		m.must(m.Create(slot, kernel.Object{Type: k, Base: base, Size: size}, capability.AllRights))
	}
	l1 := uint64(ramBase + 256<<10)
	create(memory.Phys(l1+3*capability.SlotSize), capability.L2CNode, peers, 16<<10)
	for i := range uint64(abi.SpanTables) {
		slot := memory.Phys(peers + (capability.PeerTables+i)*capability.SlotSize)
		create(slot, capability.PageTable3, tables+i*pageSize, pageSize)
		mapping := memory.Phys(peers + (200+i)*capability.SlotSize)
		vspace := memory.Phys(ramBase + 512<<10 + capability.SlotVSpace*capability.SlotSize)
		m.must(m.Map(mapping, vspace, slot, i, 1))
		m.words(m.top)[i] = tables + i*pageSize | presentEntry | userEntry | writeEntry | executeEntry
		m.changed(m.top+8*i, 0)
	}
	m.must(Init(Config{
		Kernel: func(word, a, b, c, d, e uint64) (uint64, capability.Error) { return hooks.invoke(word, a, b, c, d, e) },
		Supply: func(n uint32, size uint64, frame bool) (uint64, capability.Error) {
			return hooks.supply(n, size, frame)
		},
		Return: func(n uint32) { t.Errorf("piece %d is given back", n) },
		Tables: tablesAt,
		CNodes: m.cnodes, MostCNodes: m.mostCNodes,
		Shared: true, Settle: settle,
	}))
	// The CPU driver asks for the table of the window when it is touched first.
	if !NestedFault(tablesAt + windowAt) {
		t.Fatal("no table for the window")
	}
	return m
}

// TestSharedSettles: a call returns after all that it took away has been forgotten
// elsewhere, and waits for nothing if it took nothing away.
func TestSharedSettles(t *testing.T) {
	settled, unmapped := 0, 0
	var m *machine
	changes := func() int { return m.calls["Unmap"] + m.calls["Protect"] }
	m = newShared(t, func() { settled, unmapped = settled+1, changes() })
	a := m.mmap(testBase, 64, readWrite)
	for p := range uint64(64) {
		m.write(a+p*pageSize, p)
	}
	if settled != 0 {
		t.Error("waits when nothing was taken away")
	}
	for _, c := range []struct {
		name string
		call func() int64
	}{
		{"munmap", func() int64 { return Munmap(a+8*pageSize, 4*pageSize) }},
		{"mprotect", func() int64 { return Mprotect(a+16*pageSize, 4*pageSize, linux.PROT_READ) }},
		{"madvise", func() int64 { return Madvise(a+24*pageSize, 4*pageSize, linux.MADV_DONTNEED) }},
		{"a mapping over it", func() int64 { return int64(m.mmap(a+32*pageSize, 4, readWrite) - (a + 32*pageSize)) }},
	} {
		settled = 0
		if e := c.call(); e != 0 {
			t.Errorf("%s: %d", c.name, e)
		}
		if settled == 0 || unmapped != changes() {
			t.Errorf("%s: waits %d times, the last one %d changes before its end", c.name, settled, changes()-unmapped)
		}
	}
	m.check()
	if e := Munmap(a, 64*pageSize); e != 0 {
		t.Error(e)
	}
	m.check()
	for i := range uint64(abi.SpanTables) {
		if m.words(m.top)[i] == 0 {
			t.Errorf("table %d of level 3 is gone", i)
		}
	}
	b := Mmap(0, pageSize, readWrite, private, BackZero, 0)
	if uint64(b)+pageSize != abi.SpanTop {
		t.Errorf("mapped at %#x", b)
	}
}

// TestSharedContents: pages hold what they are to hold when they appear, however
// often their memory was used before.
func TestSharedContents(t *testing.T) {
	m := newShared(t, func() {})
	watch := func(address uint64, words *[512]uint64) {
		want := uint64(0)
		if address >= testBase+1<<30 {
			want = archiveWord((address - testBase - 1<<30) >> pageShift)
		}
		if words[0] != want || words[511] != want {
			t.Errorf("%#x appears with %#x, want %#x", address, words[0], want)
		}
	}
	m.refuse = 0 // so that memory is used again
	m.shown = watch
	pages := uint64(880)
	for round := range 3 {
		const base = testBase + 1<<30
		if e := Mmap(base, 16*pageSize, readWrite, linux.MAP_PRIVATE|linux.MAP_FIXED, BackCopy, 0); e != base {
			t.Fatal(e)
		}
		m.read(base) // there is a table now, whatever memory will be left
		a := m.mmap(testBase, pages, readWrite)
		for p := uint64(0); p < pages; p++ {
			m.write(a+p*pageSize, ^p)
		}
		// Blocks that stay in use in part have pages that were used before.
		m.shown = nil // what is left of a mapping appears anew, as it was
		for p := uint64(0); p < pages; p += 2 {
			if e := Munmap(a+p*pageSize, pageSize); e != 0 {
				t.Fatal(e)
			}
		}
		m.shown = watch
		b := m.mmap(testBase+1<<29, pages/8, readWrite)
		for p := range pages / 8 {
			m.write(b+p*pageSize, 7)
		}
		for p := range uint64(16) {
			if v := m.read(base + p*pageSize); v != archiveWord(p) {
				t.Errorf("round %d: page %d of a copy reads %#x", round, p, v)
			}
			m.write(base+p*pageSize, 9)
		}
		m.check()
		if e := Munmap(testBase, 2<<30); e != 0 {
			t.Fatal(e)
		}
	}
}
