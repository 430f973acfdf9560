package main

import (
	"runtime/debug"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
)

// window is a part of the fuzzer's own address space, in tables that it makes
// itself, in which it holds the kernel to its word: new pages are zeroed, and
// what is unmapped, protected or gone cannot be reached.
type window struct {
	ram    capability.Reference
	slots  uint32 // L1 number of a CNode that nothing else touches
	tables bool   // its page tables are there
}

const (
	windowEntry   = abi.ProgramTop >> 39 // of the top table; neither libos nor Go runtime uses it
	windowAddress = windowEntry << 39
	windowPages   = 8
	windowTables  = 3
	windowSlots   = 32 // of its CNode that it uses itself
)

func (w *window) take() (err error) {
	cnode, err := native.CNode()
	if err != nil {
		return err
	}
	w.slots = cnode.L1()
	w.ram, err = takeRAM(16 * abi.PageSize)
	return err
}

// slot returns the reference to one of the window's slots: 1 to 3 tables, 4 to 6
// their mappings, 8 and on the frames, 16 and on theirs.
func (w *window) slot(n int) capability.Reference {
	return capability.MakeReference(w.slots, uint32(n))
}

// expect ends the run if an operation on the window fails, in which nobody else
// has a part.
func (f *fuzzer) expect(what string, err capability.Error) {
	if err != capability.OK {
		f.breach("%s in the window: %s", what, err.Name())
	}
}

// build makes the tables and maps them.
func (f *fuzzer) build() {
	cnode := capability.LevelOneReference(f.slots)
	above := capability.Base(capability.SlotVSpace)
	entry := uint64(windowEntry)
	for i := range windowTables {
		t := capability.PageTable3 - capability.Type(i)
		f.expect("retype", f.ready(cnode, 1+i, t, uint64(i)*abi.PageSize, abi.PageSize, 1))
		f.expect("map a table", f.invoke(above, capability.PageTable1Map, entry|1<<32, uint64(f.slot(1+i)), uint64(f.slot(4+i)), 0, 0))
		above, entry = f.slot(1+i), 0
	}
	f.tables = true
}

// ready retypes the window's RAM and waits until the objects can be used.
func (f *fuzzer) ready(cnode capability.Reference, slot int, t capability.Type, offset, size uint64, count int) capability.Error {
	err := f.invoke(cnode, capability.L2CNodeRetype, uint64(slot)|uint64(count)<<32, uint64(f.ram), uint64(t), offset, size)
	if err != capability.OK && err != capability.ErrPending {
		return err
	}
	return f.patiently(func() capability.Error { return f.invoke(f.slot(slot+count-1), capability.InvokeNop) })
}

// tryPages makes frames, maps them, and tries what can be reached before and
// after the end of it all, which comes in one of several ways.
func (f *fuzzer) tryPages() {
	f.last = "pages in the window"
	f.tried++
	if !f.tables {
		f.build()
	}
	cnode := capability.LevelOneReference(f.slots)
	pages := 1 + f.r.IntN(windowPages)
	f.expect("retype", f.ready(cnode, 8, capability.Frame, windowTables*abi.PageSize, uint64(pages)*abi.PageSize, 1))
	first := f.r.Uint64N(512 - windowPages)
	protection := []uint64{0, abi.ProtRead, abi.ProtRead | abi.ProtWrite, abi.ProtRead | abi.ProtWrite, abi.ProtRead | abi.ProtExec}[f.r.IntN(5)]
	f.expect("map", f.invoke(f.slot(3), capability.PageTable1Map, first|uint64(pages)<<32, uint64(f.slot(8)), uint64(f.slot(16)), 0, protection))
	at := uintptr(windowAddress + first*abi.PageSize)
	f.reach(at, pages, protection, 0)
	hint := []uint64{0, uint64(at), uint64(at) + abi.PageSize, f.word() & (1<<47 - 1)}[f.r.IntN(4)]
	if f.r.IntN(2) == 0 {
		protection = []uint64{0, abi.ProtRead, abi.ProtRead | abi.ProtWrite}[f.r.IntN(3)]
		f.expect("protect", f.invoke(f.slot(16), capability.MappingProtect, 0, uint64(pages), protection, hint))
		f.reach(at, pages, protection, mark)
	}
	switch f.r.IntN(5) {
	case 0:
		f.expect("unmap", f.invoke(f.slot(16), capability.MappingUnmap, 0, uint64(pages), hint))
	case 1:
		f.expect("delete", f.patiently(func() capability.Error { return f.invoke(cnode, capability.L2CNodeDelete, 16) }))
	case 2: // the frame
		f.expect("delete", f.patiently(func() capability.Error { return f.invoke(cnode, capability.L2CNodeDelete, 8) }))
	case 3: // the table
		f.expect("delete", f.patiently(func() capability.Error { return f.invoke(cnode, capability.L2CNodeDelete, 3) }))
		f.tables = false
	case 4:
		f.revokeWindow()
	}
	for i := range pages {
		f.refused(at+uintptr(i)*abi.PageSize, false)
	}
	if f.r.IntN(8) == 0 || !f.tables {
		f.revokeWindow()
		return
	}
	f.patiently(func() capability.Error { return f.invoke(cnode, capability.L2CNodeDelete, 8) })
}

// revokeWindow revokes all that was made of the window's RAM.
func (f *fuzzer) revokeWindow() {
	cnode, slot := capability.LevelOneReference(f.ram.L1()), uint64(f.ram.Slot())
	f.expect("revoke", f.patiently(func() capability.Error { return f.invoke(cnode, capability.L2CNodeRevoke, slot) }))
	f.tables = false
}

// reach reads and writes pages as their protection allows. What it reads is zero,
// or what may have been written since the pages were made.
func (f *fuzzer) reach(at uintptr, pages int, protection, written uint64) {
	for i := range pages {
		p := at + uintptr(i)*abi.PageSize
		if protection == 0 {
			f.refused(p, false)
			continue
		}
		words := (*[abi.PageSize / 8]uint64)(unsafe.Pointer(p))
		for _, n := range []int{0, f.r.IntN(len(words)), len(words) - 1} {
			if words[n] != 0 && words[n] != written {
				f.breach("%s: word %d of a page is %#x", f.last, n, words[n])
			}
		}
		if protection&abi.ProtWrite == 0 {
			f.refused(p, true)
			continue
		}
		for n := range words {
			words[n] = mark
		}
	}
}

// mark is what is written to the window's pages; a new page does not hold it.
const mark = 0x6b72616d_72657a75

// refused ends the run if an address can be read, or written.
func (f *fuzzer) refused(at uintptr, write bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() == nil {
			f.breach("%s: %#x can still be reached (%s)", f.last, at, map[bool]string{false: "read", true: "written"}[write])
		}
	}()
	p := (*uint64)(unsafe.Pointer(at))
	if write {
		*p = mark
	} else {
		keep(*p)
	}
}

// tryStray runs a dispatcher in the fuzzer's own address space, at code that
// makes native calls and needs neither stack nor libos.
func (f *fuzzer) tryStray() {
	f.last = "a stray dispatcher"
	d, doorbell := f.find(capability.Dispatcher), f.find(capability.Doorbell)
	cspace, domain := f.find(capability.L1CNode), capability.Base(capability.SlotDomain)
	entry := strayAddress()
	if f.r.IntN(4) == 0 {
		entry = forbidden[f.r.IntN(len(forbidden))]
		if entry == abi.LibosBase && !f.wild {
			entry = 0 // what runs there would have the memory of the fuzzer
		}
	}
	f.invoke(f.reference(d), capability.DispatcherSetup, uint64(f.reference(cspace)), uint64(capability.Base(capability.SlotVSpace)), uint64(domain), uint64(f.reference(doorbell)), entry)
	f.invoke(f.reference(d), capability.DispatcherSetName, f.r.Uint64(), f.r.Uint64(), f.r.Uint64(), f.r.Uint64())
	if f.invoke(f.reference(d), capability.DispatcherRun) == capability.OK {
		f.ran++
	}
	f.call(abi.CallYield, [6]uint64{})
	f.invoke(f.reference(d), capability.DispatcherState)
	if f.r.IntN(2) == 0 {
		f.invoke(f.cnodes[d.cnode], capability.L2CNodeDelete, uint64(d.slot))
	}
}

// keep has the compiler do a read whose value nobody wants.
//
//go:noinline
func keep(uint64) {}
