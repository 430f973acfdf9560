package vspace

import (
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
)

func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// ask makes an invocation as the program, and want checks what comes of it.
func (m *machine) ask(want capability.Error, r capability.Reference, i capability.Invocation, a ...uint64) {
	m.t.Helper()
	var args [5]uint64
	copy(args[:], a)
	if _, err := m.invoke(capability.Word(r, i), args[0], args[1], args[2], args[3], args[4]); err != want {
		m.t.Fatalf("invocation %d of %#x: %v, want %v", i, uint32(r), err, want)
	}
}

// slot takes a slot for the program.
func (m *machine) slot() capability.Reference {
	m.t.Helper()
	r, err := Slot()
	m.must(err)
	return r
}

// frame makes a frame of the program's, of RAM that it takes.
func (m *machine) frame(size uint64) capability.Reference {
	m.t.Helper()
	ram, frame := m.slot(), m.slot()
	m.must(RAM(size, ram))
	m.must(retype(frame, ram, capability.Frame, 0, size))
	return frame
}

func TestSlots(t *testing.T) {
	m := newMachine(t, 1<<20)
	seen := map[capability.Reference]bool{}
	var list []capability.Reference
	for range 3 * capability.L2Slots {
		r := m.slot()
		if seen[r] || !r.Valid() {
			t.Fatalf("slot %#x twice, or none", uint32(r))
		}
		seen[r] = true
		list = append(list, r)
	}
	m.check()
	m.must(RAM(pageSize, list[0]))
	if err := FreeSlot(list[0]); err != capability.ErrOccupied {
		t.Errorf("a slot that is not empty: %v", err)
	}
	for _, r := range []capability.Reference{0, capability.Base(capability.SlotVSpace), capability.LevelOneReference(FirstCNode), reserve.slots[0], ^capability.Reference(0)} {
		if err := FreeSlot(r); err != capability.ErrReference {
			t.Errorf("%#x: %v", uint32(r), err)
		}
	}
	m.must(GiveRAM(list[0]))
	if err := FreeSlot(list[0]); err != capability.ErrReference {
		t.Errorf("a slot that has been given: %v", err)
	}
	for _, r := range list[1:] {
		m.must(FreeSlot(r))
	}
	m.check()
	left := 0
	for l1 := uint32(FirstCNode); l1 < MaxCNodes; l1++ {
		if cnodeAt(l1).kind != noCNode {
			left++
		}
	}
	if left > 2 {
		t.Errorf("%d CNodes left", left)
	}
	cnode, err := CNode()
	m.must(err)
	for i := uint32(1); i < capability.L2Slots; i++ {
		m.ask(capability.ErrEmpty, capability.MakeReference(cnode.L1(), i), capability.InvokeNop)
	}
	m.check()
}

// TestSlotsEnd has room for two CNodes.
func TestSlotsEnd(t *testing.T) {
	m := bareMachine(t, 2<<20)
	m.cnodes, m.mostCNodes = FirstCNode+2, 0
	m.must(m.start())
	a := m.mmap(low, 1024, readWrite)
	touched := uint64(0)
	for i := uint64(0); i < 1024; i++ {
		p := i * 37 % 1024
		code, err := Fault(a+pages(p), linux.PROT_WRITE)
		if err == capability.ErrMemory && code == 0 {
			break
		}
		touched++
	}
	if touched == 1024 {
		t.Fatal("there is no end of slots")
	}
	m.check()
	// What splits a mapping needs a slot: it fails whole, until there is one.
	space.next = 0
	if space.freeSlots != 0 {
		t.Fatalf("%d slots left", space.freeSlots)
	}
	if e := Munmap(a, pages(512)); e != 0 {
		t.Fatal(e)
	}
	m.check()
	for p := uint64(512); p < 600; p++ {
		m.write(a+pages(p), 1)
	}
	m.check()
}

// TestCutWithoutSlot takes pages out of the middle of a mapping when there is no
// slot for the second half.
func TestCutWithoutSlot(t *testing.T) {
	m := bareMachine(t, 2<<20)
	m.cnodes, m.mostCNodes = FirstCNode+1, 0
	m.must(m.start())
	a := m.mmap(low, 8, readWrite)
	if populate(a, a+pages(8)) != capability.OK {
		t.Fatal("no memory")
	}
	m.write(a+pages(4), 9)
	var list []capability.Reference
	for {
		r, err := Slot()
		if err != capability.OK {
			break
		}
		list = append(list, r)
	}
	for _, f := range []func() int64{
		func() int64 { return Munmap(a+pages(3), pages(2)) },
		func() int64 { return Madvise(a+pages(3), pages(2), linux.MADV_DONTNEED) },
		func() int64 { return Mmap(a+pages(3), pages(2), readWrite, private|linux.MAP_FIXED, BackZero, 0) },
	} {
		if e := f(); e != -linux.ENOMEM {
			t.Errorf("returned %d", e)
		}
		m.check()
		if m.read(a+pages(4)) != 9 || space.regions.Len() != 1 {
			t.Error("half done")
		}
	}
	m.must(FreeSlot(list[0]))
	if e := Munmap(a+pages(3), pages(2)); e != 0 {
		t.Error(e)
	}
	m.check()
}

func TestRAM(t *testing.T) {
	m := newMachine(t, 1<<20)
	var before, after abi.Memory
	Memory(&before)
	for _, size := range []uint64{pageSize, 2 * pageSize, blockBytes, 4 * blockBytes, hugeBytes, 8 << 20} {
		r := m.slot()
		m.must(RAM(size, r))
		m.must(identify(r))
		if description.Type != capability.RAM || description.Size != size || description.Base%size != 0 {
			t.Errorf("%#x bytes: %+v", size, description)
		}
		m.check()
		// Something is made of it, and there is a copy.
		frame, again := m.slot(), m.slot()
		if size > pageSize {
			m.must(retype(frame, r, capability.Frame, 0, pageSize))
		}
		m.ask(capability.OK, holder(again), capability.L2CNodeCopy, uint64(again.Slot()), uint64(r))
		m.must(GiveRAM(r))
		m.ask(capability.ErrEmpty, frame, capability.InvokeNop)
		m.ask(capability.ErrEmpty, again, capability.InvokeNop)
		m.must(FreeSlot(frame))
		m.must(FreeSlot(again))
		m.check()
	}
	space.idle = true
	settle()
	Memory(&after)
	if after.Held > before.Held+keptFree || after.Held-after.Free != before.Held-before.Free {
		t.Errorf("%+v, before %+v", after, before)
	}
	r := m.slot()
	for _, size := range []uint64{0, 1, pageSize - 1, 3 * pageSize, ^uint64(0), 1 << 63} {
		if err := RAM(size, r); err != capability.ErrArgument {
			t.Errorf("%#x bytes: %v", size, err)
		}
	}
	if err := RAM(pageSize, capability.Base(capability.SlotFree)); err != capability.ErrReference {
		t.Errorf("into a slot of one's own: %v", err)
	}
	m.must(FreeSlot(r))
	m.check()
}

// TestGiveRAM gives the domain RAM that it never had, and what it may not give.
func TestGiveRAM(t *testing.T) {
	m := newMachine(t, 512<<10)
	m.refuse = 0
	give := func(offset, size uint64, rights capability.Rights) (capability.Reference, capability.Error) {
		r := m.slot()
		slot, err := m.Find(m.root, r)
		m.must(err)
		spare := poolSlot(200)
		m.must(m.Retype(spare, poolSlot(0)-capability.SlotSize, capability.RAM, offset, size, 1))
		m.must(m.Copy(slot, spare, rights))
		m.must(m.Delete(spare))
		return r, GiveRAM(r)
	}
	var before, after abi.Memory
	Memory(&before)
	if _, err := give(256<<20+5*pageSize, 12<<20, capability.AllRights); err != capability.OK {
		t.Fatal(err)
	}
	Memory(&after)
	if after.Held != before.Held+12<<20 || after.Free < before.Free+12<<20-2*blockBytes {
		t.Errorf("%+v, before %+v", after, before)
	}
	m.check()
	a := m.mmap(0, 2048, readWrite)
	for p := range uint64(2048) {
		m.write(a+pages(p), p)
	}
	m.check()
	if r, err := give(300<<20, 1<<20, capability.RightGrant|capability.RightRetype); err != capability.ErrRights {
		t.Errorf("without right Revoke: %v", err)
	} else if err := FreeSlot(r); err != capability.ErrOccupied {
		t.Errorf("its slot: %v", err)
	}
	if _, err := give(310<<20, pageSize, capability.AllRights); err != capability.ErrRange {
		t.Errorf("less than a block: %v", err)
	}
	// A part of what was taken.
	ram, part := m.slot(), m.slot()
	m.must(RAM(4*blockBytes, ram))
	m.must(retype(part, ram, capability.RAM, blockBytes, blockBytes))
	if err := GiveRAM(part); err != capability.ErrRange {
		t.Errorf("a part of what was taken: %v", err)
	}
	if err := GiveRAM(m.frame(pageSize)); err != capability.ErrType {
		t.Errorf("a frame: %v", err)
	}
	if err := GiveRAM(m.slot()); err != capability.ErrEmpty {
		t.Errorf("nothing: %v", err)
	}
	if err := GiveRAM(capability.Base(capability.SlotMemory)); err != capability.ErrReference {
		t.Errorf("what is the domain's already: %v", err)
	}
	m.check()
}
