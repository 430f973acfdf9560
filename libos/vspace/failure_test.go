package vspace

import (
	"fmt"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
)

// story is what a program does that needs memory of every kind: it returns false
// when it gets none.
func (m *machine) story() bool {
	alive := true
	do := func(ok bool) {
		m.t.Helper()
		m.check()
		alive = alive && ok
	}
	touch := func(a uint64) {
		m.t.Helper()
		code, err := m.access(a, linux.PROT_WRITE)
		ok := code == 0 && err == capability.OK
		if ok {
			*at[uint64](a) = a
		}
		do(ok)
	}
	const base = testBase + 3*hugeBytes
	for i := range uint64(6) {
		m.mmap(base+i<<30, 2*hugePages, readWrite)
		touch(base + i<<30 + i*pageSize)
	}
	Mmap(base+hugeBytes, 64*pageSize, readWrite, linux.MAP_PRIVATE|linux.MAP_FIXED, BackCopy, 0)
	do(Madvise(base+hugeBytes, 64*pageSize, linux.MADV_POPULATE_WRITE) == 0)
	m.mmap(base+1<<30, 3*hugePages, readWrite)
	Madvise(base+1<<30, 3*hugeBytes, linux.MADV_HUGEPAGE)
	touch(base + 1<<30)
	touch(base + 1<<30 + hugeBytes)
	do(Mprotect(base+1<<30+5*pageSize, hugeBytes, linux.PROT_READ) == 0)
	do(Munmap(base+1<<30+hugeBytes+3*pageSize, pageSize) == 0)
	do(Madvise(base+hugeBytes+3*pageSize, 2*pageSize, linux.MADV_DONTNEED) == 0)
	ram, err := Slot()
	do(err == capability.OK)
	if err == capability.OK {
		frame, err := Slot()
		do(err == capability.OK)
		err = RAM(4<<20, ram)
		do(err == capability.OK)
		if err == capability.OK && frame != 0 && retype(frame, ram, capability.Frame, 0, 4<<20) == capability.OK {
			do(MapFrame(base+8<<30, frame, 0, 4<<20, readWrite) > 0)
			do(Mprotect(base+8<<30, pageSize, linux.PROT_READ) == 0)
			touch(base + 8<<30 + pageSize)
		}
	}
	Replenish()
	do(true)
	return alive
}

// all unmaps everything and takes all that was lent to the program.
func (m *machine) all() {
	m.t.Helper()
	if e := Munmap(testBase, testEnd-testBase); e != 0 {
		m.t.Fatalf("unmapping everything: %d", e)
	}
	for l1 := uint32(FirstCNode); l1 < space.cnodes; l1++ {
		for i := uint32(1); i < capability.L2Slots && cnodeAt(l1).kind == ownCNode; i++ {
			r := capability.MakeReference(l1, i)
			if !lent(r) {
				continue
			}
			if identify(r) == capability.OK && description.Type == capability.RAM {
				m.must(GiveRAM(r))
			} else {
				remove(r)
				m.must(FreeSlot(r))
			}
		}
	}
	trim()
	space.idle = true
	settle()
	m.check()
	var now abi.Memory
	if Memory(&now); now.Mapped != 0 || now.Held > 4*keptFree+2<<20 {
		m.t.Errorf("left: %+v", now)
	}
}

// TestOutOfMemory tells the story with a spawner that gives less and less: it
// can end anywhere, but what is known stays true, and nothing is lost.
func TestOutOfMemory(t *testing.T) {
	for n := 0; ; n++ {
		m := newMachine(t, 512<<10)
		m.refuse = n
		done := m.story()
		m.refuse = -1
		m.all()
		if t.Failed() {
			t.Fatalf("with %d pieces", n)
		}
		if done {
			if n < 4 {
				t.Errorf("the story needs %d pieces: too short", n)
			}
			return
		}
	}
}

// TestRefusals lets the CPU driver refuse one invocation after the other.
func TestRefusals(t *testing.T) {
	for n := 1; ; n++ {
		m := newMachine(t, 512<<10)
		m.failing = n
		m.story()
		over := m.failing > 0
		m.failing = 0
		m.all()
		if t.Failed() {
			t.Fatalf("invocation %d", n)
		}
		if over {
			if n < 50 {
				t.Errorf("the story takes %d invocations: too short", n)
			}
			return
		}
	}
}

// TestManyPieces lives on pieces of the least size.
func TestManyPieces(t *testing.T) {
	m := newMachine(t, 512<<10)
	m.quota = 20 * supplyLeast
	a := m.mmap(low, 4096, readWrite)
	n := uint64(0)
	for ; n < 4096; n++ {
		if _, err := m.access(a+pages(n), linux.PROT_WRITE); err != capability.OK {
			break
		}
	}
	m.check()
	if held := fmt.Sprint(space.held); n < 350 {
		t.Errorf("%d pages out of %s bytes", n, held)
	}
	m.all()
	if m.quota < 16*supplyLeast {
		t.Errorf("only %d bytes are back", m.quota)
	}
	// Pieces that come and go get numbers of blocks that are free.
	m.quota = 8 << 20
	for range 20 {
		a := m.mmap(low, 1024, readWrite)
		for p := range uint64(1024) {
			m.write(a+pages(p), p)
		}
		m.all()
	}
	if top := space.pieces[space.numPieces-1].first; top > 64*64 {
		t.Errorf("block numbers go up to %d", top)
	}
}
