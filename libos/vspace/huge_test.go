package vspace

import (
	"testing"

	"skerry/abi"
	"skerry/abi/linux"
)

// hugeRegion maps pages of which huge ones are wanted.
func (m *machine) hugeRegion(base, pages uint64) {
	m.t.Helper()
	m.mmap(base, pages, readWrite)
	if e := Madvise(base, pages*pageSize, linux.MADV_HUGEPAGE); e != 0 {
		m.t.Fatal(e)
	}
}

// huge says whether a huge page is mapped at an address.
func (m *machine) huge(address uint64) bool {
	_, span := m.walk(address)
	e, _ := m.walk(address)
	return e != 0 && span == hugeBytes
}

func TestHugePages(t *testing.T) {
	m := newMachine(t, 1<<20)
	const base = testBase + 1<<30
	// A page before, so that the region does not begin with a huge page.
	m.hugeRegion(base-pageSize, 2*hugePages+2)
	m.write(base-pageSize, 1)
	m.write(base+5*pageSize, 2)
	m.write(base+hugeBytes, 3)
	m.write(base+2*hugeBytes, 4)
	if m.huge(base-pageSize) || !m.huge(base) || !m.huge(base+hugeBytes) || m.huge(base+2*hugeBytes) {
		t.Error("huge pages where they should not be, or none where they should")
	}
	m.check()

	// A part of one changes: it becomes small pages, which hold what they held.
	if e := Mprotect(base+7*pageSize, pageSize, linux.PROT_READ); e != 0 {
		t.Fatal(e)
	}
	m.check()
	if m.huge(base) || m.read(base+5*pageSize) != 2 {
		t.Error("not split, or has lost something")
	}
	if code, _ := m.access(base+7*pageSize, linux.PROT_WRITE); code != linux.SEGV_ACCERR {
		t.Errorf("write to a protected page: %d", code)
	}
	if e := Madvise(base+5*pageSize, pageSize, linux.MADV_DONTNEED); e != 0 {
		t.Fatal(e)
	}
	m.check()
	if m.read(base+5*pageSize) != 0 {
		t.Error("a page that was given up reads as before")
	}
	if e, _ := m.walk(base + 5*pageSize); e&frameMask != func() uint64 { e, _ := m.walk(base + 4*pageSize); return e & frameMask }()+pageSize {
		t.Error("a page of a huge page comes from elsewhere, though its own place is free")
	}
	m.check()

	// The whole of the other.
	if e := Mprotect(base+hugeBytes, hugeBytes, linux.PROT_READ); e != 0 || !m.huge(base+hugeBytes) {
		t.Errorf("protecting a whole huge page: %d, huge %v", e, m.huge(base+hugeBytes))
	}
	m.check()
	if e := Munmap(base+hugeBytes, hugeBytes); e != 0 {
		t.Fatal(e)
	}
	m.check()
	if e := Munmap(base-pageSize, (2*hugePages+2)*pageSize); e != 0 {
		t.Fatal(e)
	}
	m.check()
	var now abi.Memory
	Memory(&now)
	if now.Mapped != 0 {
		t.Errorf("%+v", now)
	}
}

// TestHugeRefused has no RAM for huge pages: there are small ones.
func TestHugeRefused(t *testing.T) {
	m := newMachine(t, 1<<20)
	const base = testBase + 1<<30
	m.hugeRegion(base, hugePages)
	m.refuse = 0
	m.write(base, 1)
	if m.huge(base) {
		t.Error("a huge page of nothing")
	}
	m.check()
	asked := m.asked
	for p := range uint64(100) {
		m.write(base+p*pageSize, 1)
	}
	if m.asked > asked {
		t.Errorf("asked for %d times more", m.asked-asked)
	}
	m.check()
}
