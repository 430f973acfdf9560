package vspace

import (
	"testing"

	"skerry/abi/capability"
	"skerry/abi/linux"
)

func TestMapFrame(t *testing.T) {
	m := newMachine(t, 1<<20)
	frame := m.frame(16 * pageSize)
	got := MapFrame(low, frame, 4*pageSize, 12*pageSize, readWrite)
	if got != low {
		t.Fatal(got)
	}
	m.check()
	m.write(low+pages(3), 5)
	again := MapFrame(0, frame, 0, 16*pageSize, linux.PROT_READ)
	if again < 0 || m.read(uint64(again)+pages(7)) != 5 {
		t.Errorf("mapped again at %#x", again)
	}
	m.check()
	// It is a region like any, but for what it holds, which stays.
	if e := Mprotect(low+pages(2), pages(3), linux.PROT_READ); e != 0 {
		t.Error(e)
	}
	if e := Madvise(low+pages(3), pages(1), linux.MADV_DONTNEED); e != 0 || m.read(low+pages(3)) != 5 {
		t.Errorf("DONTNEED: %d, %d", e, m.read(low+pages(3)))
	}
	m.mmap(low+pages(5), 1, readWrite)
	m.check()
	if e := Munmap(low, pages(12)); e != 0 {
		t.Error(e)
	}
	m.check()
	if m.read(uint64(again)+pages(7)) != 5 {
		t.Error("the frame has lost what it held")
	}
	// Without its frame, it is gone.
	m.ask(capability.OK, holder(frame), capability.L2CNodeDelete, uint64(frame.Slot()))
	if code, err := Fault(uint64(again), linux.PROT_READ); err != capability.OK {
		t.Error(code, err)
	}
	if e := Munmap(uint64(again), pages(16)); e != 0 {
		t.Error(e)
	}
	m.check()
}

func TestMapFrameRefusals(t *testing.T) {
	m := newMachine(t, 1<<20)
	frame, read := m.frame(16*pageSize), m.slot()
	m.ask(capability.OK, holder(read), capability.L2CNodeMint, uint64(read.Slot()), uint64(frame), uint64(capability.RightRead))
	ram, empty := m.slot(), m.slot()
	m.must(RAM(pageSize, ram))
	for i, test := range []struct {
		address      uint64
		source       capability.Reference
		offset, size uint64
		prot         uint32
		want         int64
	}{
		{low, frame, 0, 0, readWrite, -linux.EINVAL},
		{low + 1, frame, 0, pageSize, readWrite, -linux.EINVAL},
		{low, frame, 1, pageSize, readWrite, -linux.EINVAL},
		{low, frame, 0, 17 * pageSize, readWrite, -linux.EINVAL},
		{low, frame, 17 * pageSize, pageSize, readWrite, -linux.EINVAL},
		{low, frame, ^uint64(0) &^ pageMask, pageSize, readWrite, -linux.EINVAL},
		{low, frame, 0, pageSize, 8, -linux.EINVAL},
		{low, frame, 0, pageSize, protBoth, -linux.EACCES},
		{low, read, 0, pageSize, readWrite, -linux.EACCES},
		{low, read, 0, pageSize, linux.PROT_EXEC, -linux.EACCES},
		{low, ram, 0, pageSize, linux.PROT_READ, -linux.EINVAL},
		{low, 0, 0, pageSize, linux.PROT_READ, -linux.EINVAL},
		{low, empty, 0, pageSize, linux.PROT_READ, -linux.ENOENT},
		{0x1000, frame, 0, pageSize, linux.PROT_READ, -linux.EINVAL},
		{low, read, 0, pageSize, linux.PROT_READ, low},
	} {
		if got := MapFrame(test.address, test.source, test.offset, test.size, test.prot); got != test.want {
			t.Errorf("case %d: %d, want %d", i, got, test.want)
		}
	}
	if e := Mprotect(low, pageSize, readWrite); e != -linux.EACCES {
		t.Errorf("writable by mprotect: %d", e)
	}
	// It is taken away while it is being mapped: its table is there already.
	m.failing = 1
	if got := MapFrame(low+pageSize, frame, 0, pageSize, readWrite); got != -linux.ENOENT {
		t.Errorf("mapped what is being revoked: %d", got)
	}
	if code, err := Fault(low+pageSize, linux.PROT_READ); code != linux.SEGV_MAPERR || err != capability.OK {
		t.Errorf("where it is not mapped: %d, %v", code, err)
	}
	m.check()
}

// TestMapLarge maps a frame with the largest pages that fit.
func TestMapLarge(t *testing.T) {
	m := newMachine(t, 1<<20)
	frame := m.frame(8 << 20)
	got := MapFrame(0, frame, 4*pageSize, 6<<20, readWrite)
	if got < 0 {
		t.Fatal(got)
	}
	a := uint64(got)
	m.check()
	large := 0
	for at := a; at < a+6<<20; at += pageSize {
		if m.huge(at) && at%hugeBytes == 0 {
			large++
		}
	}
	if large != 2 {
		t.Errorf("%d large pages", large)
	}
	at := a + 3<<20
	m.write(at, 77)
	// A part changes.
	if e := Mprotect(at, pageSize, linux.PROT_READ); e != 0 || m.read(at) != 77 {
		t.Errorf("protect: %d", e)
	}
	if code, _ := m.access(at, linux.PROT_WRITE); code != linux.SEGV_ACCERR {
		t.Errorf("write: %d", code)
	}
	m.check()
	m.write(at+pageSize, 78)
	if e := Munmap(at, pageSize); e != 0 || m.read(at+pageSize) != 78 {
		t.Errorf("unmap: %d", e)
	}
	m.check()
	if e := Munmap(a, 6<<20); e != 0 {
		t.Error(e)
	}
	m.check()
	// Exactly one at an address of the program's choice.
	if got := MapFrame(low, frame, 2<<20, 2<<20, linux.PROT_READ); got != low || !m.huge(low) {
		t.Errorf("%d, huge %v", got, m.huge(low))
	}
	if n := m.calls["Map"]; n == 0 {
		t.Error("nothing was mapped")
	}
	m.check()
}
