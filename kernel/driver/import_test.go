package driver

import (
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/memory"
)

// imports asks for an import by a core's domain.
func (s *cores) imports(core int, slot uint32, t abicap.Type, base, size, owner uint64) abi.Error {
	return s.invoke(core, kernelSlot, abicap.KernelImport, ref(slot), uint64(t), base, size, owner|uint64(abicap.AllRights)<<32)
}

// TestImportedSpace gives a domain another core's tables, which this kernel
// cannot read: the processor walks them, and the kernel says that what lies
// behind is not there.
func TestImportedSpace(t *testing.T) {
	s := newCores(t, 2)
	const table, span, top = 110, 111, dom + domSpace
	for slot, want := range map[uint32]struct {
		t          abicap.Type
		base, size uint64
	}{table: {abicap.PageTable3, foreignAt, abi.PageSize}, span: {abicap.Frame, foreignAt + 2<<20, 2 << 20}} {
		if err := s.imports(1, slot, want.t, want.base, want.size, 0); err != abi.OK {
			t.Fatal(err)
		}
	}
	c, b := s.by(1), s.all[1].dcb(dom)
	c.must(ref(top), abicap.PageTable4Map, 1|1<<32, ref(table), ref(112), 0, 0)
	entry := c.entryAt(b.Root + 8)
	if entry != foreignAt|amd64.TableEntry|amd64.PageForeign {
		t.Errorf("the table is mapped by %#x", entry)
	}
	// In no other place of the same space; and a table of one's own in one place
	// at all.
	c.want(abicap.ErrInUse, ref(top), abicap.PageTable4Map, 2|1<<32, ref(table), ref(113), 0, 0)
	amd64.SetEntry(&c.k.Pages, b.Root+8, entry|1<<5) // the processor has been there
	c.want(abicap.ErrInUse, ref(top), abicap.PageTable4Map, 2|1<<32, ref(table), ref(113), 0, 0)
	c.make(114, 1, ram, abicap.PageTable4, 1<<20, abi.PageSize)
	c.must(ref(114), abicap.PageTable4Map, 2|1<<32, ref(table), ref(113), 0, 0)
	c.want(abicap.ErrType, ref(dom+domDir3), abicap.PageTable3Map, 5|1<<32, ref(table), ref(115), 0, 0)
	c.want(abicap.ErrRemote, ref(table), abicap.PageTable3Map, 5|1<<32, ref(dom+domDir2), ref(115), 0, 0)
	c.want(abicap.ErrRemote, ref(table), abicap.PageTable3Map, 1<<32, ref(span), ref(115), 0, abi.ProtRead)
	c.sound()

	// Nobody follows the entry: that memory is not there for this process.
	const behind = 1<<39 + 0x1234
	if e, pa := c.page(b, behind); e != 0 || pa != 0 {
		t.Errorf("a page behind it: %#x, %#x", e, pa)
	}
	if err := c.copyIn(b, behind, make([]byte, 8)); err != abi.ErrFault {
		t.Error(err)
	}
	if err := c.copyOut(b, behind, make([]byte, 8)); err != abi.ErrFault {
		t.Error(err)
	}
	if _, err := c.call(b, abi.CallRandom, behind, 8); err != abi.ErrFault {
		t.Error(err)
	}
	c.loaded = b.Root
	for _, i := range []abicap.Invocation{abicap.MappingProtect, abicap.MappingUnmap} {
		a := []uint64{0, 1, behind}
		if i == abicap.MappingProtect {
			a = []uint64{0, 1, abi.ProtRead, behind}
		}
		if err := s.invoke(1, pageMapping, i, a...); err != abi.OK || !c.stale {
			t.Errorf("%v with a hint behind it: %v, stale is %v", i, err, c.stale)
		}
		c.stale = false
	}

	// A frame is mapped like any other, but not for the kernel to use.
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 32|4<<32, ref(span), ref(116), abi.PageSize, readWrite)
	if _, pa := c.page(b, domainAt+33<<12); pa != foreignAt+2<<20+2<<12 {
		t.Errorf("the frame is at %#x", pa)
	}
	if err := c.copyOut(b, domainAt+33<<12, make([]byte, 8)); err != abi.ErrFault {
		t.Error(err)
	}
	c.sound()

	// Its end ends mappings here, and nothing else.
	count := c.cap.Count
	c.deletes(ref(base), abicap.L2CNodeDelete, table)
	c.deletes(ref(base), abicap.L2CNodeDelete, span)
	if !c.stale || c.entryAt(b.Root+8) != 0 || c.entryAt(ramAt+1<<20+16) != 0 || c.mapped(b, domainAt+33<<12) != 0 || c.kind(ref(112)) != abicap.Null || c.cap.Count != count-5 {
		t.Errorf("something is still mapped; stale is %v", c.stale)
	}
	if c.cap.Reclaimable != 0 || c.lost() != 0 {
		t.Errorf("%d to reclaim", c.cap.Reclaimable)
	}
	c.sound()
	if err := s.imports(1, table, abicap.PageTable3, foreignAt, abi.PageSize, 0); err != abi.OK {
		t.Errorf("once more: %v", err)
	}
}

// TestImportRefuses asks for what cannot be imported.
func TestImportRefuses(t *testing.T) {
	s := newCores(t, 2)
	const to = 110
	if err := s.imports(1, 111, abicap.Frame, foreignAt+1<<20, 2<<20, 0); err != abi.OK {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		slot              uint32
		t                 abicap.Type
		base, size, owner uint64
		want              abi.Error
	}{
		"from nobody":            {to, abicap.Frame, foreignAt, abi.PageSize, 2, abicap.ErrNotFound},
		"from itself":            {to, abicap.Frame, foreignAt, abi.PageSize, 1, abi.ErrArgument},
		"too much":               {to, abicap.Frame, foreignAt, maxLoan + abi.PageSize, 0, abi.ErrTooBig},
		"nothing":                {to, abicap.Frame, foreignAt, 0, 0, abicap.ErrRange},
		"half a page":            {to, abicap.Frame, foreignAt, abi.PageSize / 2, 0, abicap.ErrRange},
		"what is no RAM":         {to, abicap.Frame, devicesAt + 16<<30, abi.PageSize, 0, abicap.ErrRange},
		"more than RAM":          {to, abicap.Frame, foreignAt + foreignSize - abi.PageSize, 2 * abi.PageSize, 0, abicap.ErrRange},
		"its own":                {to, abicap.Frame, ramAt + 1<<20, abi.PageSize, 0, abicap.ErrInUse},
		"its own control block":  {to, abicap.Frame, corePhys, abi.PageSize, 0, abicap.ErrInUse},
		"what reaches its own":   {to, abicap.Frame, corePhys - 4<<20, 4<<20 + abi.PageSize, 0, abicap.ErrInUse},
		"part of an import":      {to, abicap.PageTable3, foreignAt + 1<<20, abi.PageSize, 0, abicap.ErrInUse},
		"RAM":                    {to, abicap.RAM, foreignAt, abi.PageSize, 0, abicap.ErrType},
		"a dispatcher":           {to, abicap.Dispatcher, foreignAt, 32 << 10, 0, abicap.ErrType},
		"a table of two pages":   {to, abicap.PageTable3, foreignAt, 2 * abi.PageSize, 0, abicap.ErrRange},
		"to a slot that is full": {ram, abicap.Frame, foreignAt, abi.PageSize, 0, abicap.ErrOccupied},
	} {
		// Its own memory is RAM of the machine's too.
		s.all[1].k.Memory.RAM[1] = memory.Extent{Base: corePhys - 16<<20, End: corePhys + 6<<20}
		s.all[1].k.Memory.NumRAM = 2
		if err := s.imports(1, c.slot, c.t, c.base, c.size, c.owner); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := s.imports(1, to, abicap.Frame, foreignAt, maxLoan, 0); err != abicap.ErrInUse {
		t.Errorf("around another import: %v", err)
	}
	s.by(1).sound()
}

// TestImportAndLoans holds that imports and loans do not get into each other's
// way: what is adopted is this core's, what is imported is not.
func TestImportAndLoans(t *testing.T) {
	s := newCores(t, 2)
	c := s.all[1]
	owned := c.k.Memory.Owned
	if err := s.imports(1, 110, abicap.Frame, foreignAt+4<<20, abi.PageSize, 0); err != abi.OK || c.k.Memory.Owned != owned {
		t.Fatalf("%v, %d pages more are its own", err, c.k.Memory.Owned-owned)
	}
	if err := s.invoke(1, kernelSlot, abicap.KernelAdopt, ref(111), foreignAt+4<<20, 2<<20); err != abicap.ErrInUse {
		t.Errorf("adopting what is imported: %v", err)
	}
	c.deletes(ref(base), abicap.L2CNodeDelete, 110)

	// Lent RAM, of which the other core makes what is then imported.
	c.make(112, 1, ram, abicap.RAM, 2<<20, 2<<20)
	lent := uint64(ramAt + 2<<20)
	c.k.Memory.RAM[1] = memory.Extent{Base: ramAt, End: ramAt + 4<<20}
	c.k.Memory.NumRAM = 2
	if err := s.imports(1, 113, abicap.Frame, lent, 8<<12, 0); err != abicap.ErrInUse {
		t.Errorf("importing what is its own: %v", err)
	}
	if err := s.invoke(1, kernelSlot, abicap.KernelLend, ref(112), 0); err != abi.OK {
		t.Fatal(err)
	}
	if err := s.imports(1, 113, abicap.Frame, lent, 8<<12, 0); err != abi.OK {
		t.Fatalf("importing part of what is lent: %v", err)
	}
	if err := s.invoke(1, kernelSlot, abicap.KernelRegain, ref(112)); err != abicap.ErrInUse || c.owns(memory.Phys(lent)) {
		t.Errorf("regaining what is imported: %v", err)
	}
	c.deletes(ref(base), abicap.L2CNodeDelete, 113)
	if err := s.invoke(1, kernelSlot, abicap.KernelRegain, ref(112)); err != abi.OK || !c.owns(memory.Phys(lent)) {
		t.Errorf("regaining it: %v", err)
	}
	if c.k.Memory.Owned != owned {
		t.Errorf("%d pages are its own, were %d", c.k.Memory.Owned, owned)
	}
	c.sound()
}

// TestLoansWait holds that memory does not change cores while other cores may
// reach what was unmapped.
func TestLoansWait(t *testing.T) {
	s := newCores(t, 2)
	c := s.all[0]
	c.make(110, 1, ram, abicap.RAM, 2<<20, 2<<20)
	if err := s.invoke(0, kernelSlot, abicap.KernelAdopt, ref(111), foreignAt, 2<<20); err != abi.OK {
		t.Fatal(err)
	}
	s.share(1, 1)
	if err := s.invoke(0, pageMapping, abicap.MappingUnmap, 0, 1, 0); err != abi.OK {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.invoke(0, kernelSlot, abicap.KernelLend, ref(110), 1); err != abicap.ErrInUse {
			t.Errorf("lent: %v", err)
		}
		if err := s.invoke(0, kernelSlot, abicap.KernelRelease, ref(111)); err != abicap.ErrInUse {
			t.Errorf("given back: %v", err)
		}
	}
	s.handleAll()
	if err := s.invoke(0, kernelSlot, abicap.KernelLend, ref(110), 1); err != abi.OK {
		t.Error(err)
	}
	if err := s.invoke(0, kernelSlot, abicap.KernelRelease, ref(111)); err != abi.OK {
		t.Error(err)
	}
}

// TestExpel holds that what is imported goes, wherever it was moved, with what is mapped
// of it, and that this is said only when no other core can reach it any more.
func TestExpel(t *testing.T) {
	s := newCores(t, 2)
	c := s.all[1]
	expel := func(at, size uint64) abi.Error {
		return s.invoke(1, kernelSlot, abicap.KernelExpel, at, size)
	}
	for slot, at := range map[uint32]uint64{110: foreignAt, 111: foreignAt + abi.PageSize, 112: foreignAt + 8*abi.PageSize} {
		if err := s.imports(1, slot, abicap.Frame, at, abi.PageSize, 0); err != abi.OK {
			t.Fatal(err)
		}
	}
	if err := s.invoke(1, kernelSlot, abicap.KernelImport, ref(113), uint64(abicap.Frame), foreignAt, abi.PageSize, abicap.ImportFrom(0, abicap.RightRead)); err != abi.OK {
		t.Fatal(err)
	}
	s.by(1).must(ref(dom+domDir1), abicap.PageTable1Map, 32|1<<32, ref(110), ref(116), 0, readWrite)
	s.by(1).must(ref(base), abicap.L2CNodeMove, 120, ref(110))
	if err := s.invoke(1, kernelSlot, abicap.KernelShare, 0, 1); err != abi.OK {
		t.Fatal(err)
	}
	asked, err := 0, expel(foreignAt, 4*abi.PageSize)
	for ; err == abicap.ErrPending; asked++ {
		err = expel(foreignAt, 4*abi.PageSize)
	}
	if err != abicap.ErrInUse || asked == 0 {
		t.Errorf("expelled, asked %d times: %v, and core 0 may reach it still", asked, err)
	}
	s.handleAll()
	if err := expel(foreignAt, 4*abi.PageSize); err != abi.OK {
		t.Error(err)
	}
	for _, slot := range []uint32{110, 111, 113, 116, 120} {
		if c.kind(ref(slot)) != abicap.Null {
			t.Errorf("slot %d still holds a %v", slot, c.kind(ref(slot)))
		}
	}
	if c.kind(ref(112)) != abicap.Frame || c.mapped(c.dcb(dom), domainAt+32<<12) != 0 {
		t.Error("what is outside has gone, or something is still mapped")
	}
	if err := expel(foreignAt, maxLoan+abi.PageSize); err != abi.ErrTooBig {
		t.Errorf("too much: %v", err)
	}
	s.by(1).sound()
}
