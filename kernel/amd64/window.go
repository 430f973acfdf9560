package amd64

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/memory"
)

// The window of a kernel is where it sees the memory that its core owns: all
// address spaces share its tables, but for the top table's entries, which are
// made at the start and never change.

// largePage is the size and alignment of what is added to the window or taken
// out of it while users run.
const largePage = 2 << 20

// InWindow reports whether the kernel whose space this is sees the page at pa.
func (s Space) InWindow(pages *memory.Pages, pa memory.Phys) bool {
	if pa >= abi.KernelHeap-abi.WindowBase {
		return false
	}
	at, _ := s.Find(pages, abi.WindowBase+uintptr(pa))
	return Entry(pages, at)&PagePresent != 0
}

// SeesAny reports whether the kernel whose space this is sees any page of a range.
func (s Space) SeesAny(pages *memory.Pages, base memory.Phys, size uintptr) bool {
	for va, end := abi.WindowBase+uintptr(base), abi.WindowBase+uintptr(base)+size; va < end; {
		if va >= abi.KernelHeap {
			return false
		}
		at, level := s.Find(pages, va)
		if Entry(pages, at)&PagePresent != 0 {
			return true
		}
		va = after(va, level)
	}
	return false
}

// MapWindow maps memory, in multiples of 2 MiB, into the window. It reports
// false, and has mapped nothing, if there is no page for a table, or if the
// window has none of its top table's entries for so high an address.
func (s Space) MapWindow(pages *memory.Pages, base memory.Phys, size uintptr) bool {
	for va := abi.WindowBase + uintptr(base)&^(Span(3)-1); va < abi.WindowBase+uintptr(base)+size; va += Span(3) {
		if va >= abi.KernelHeap || *entry(pages, s.Root, index(va, 3))&PagePresent == 0 {
			return false
		}
	}
	if !s.MapRange(pages, abi.WindowBase+uintptr(base), base, size, PagePresent|PageWrite|PageNX) {
		s.UnmapWindow(pages, base, size)
		return false
	}
	return true
}

// UnmapWindow takes memory, in multiples of 2 MiB, out of the window. The caller
// reloads CR3.
func (s Space) UnmapWindow(pages *memory.Pages, base memory.Phys, size uintptr) {
	for end := base + memory.Phys(size); base < end; base += largePage {
		at, level := s.Find(pages, abi.WindowBase+uintptr(base))
		if level == 0 {
			// Small pages: all of their table.
			at, level = s.tableEntry(pages, abi.WindowBase+uintptr(base)), 1
			pages.Free(Frame(Entry(pages, at)))
		}
		if level == 1 {
			SetEntry(pages, at, 0)
		}
	}
}

// tableEntry returns where the entry is that leads to the last table for va,
// which is there.
func (s Space) tableEntry(pages *memory.Pages, va uintptr) memory.Phys {
	e, _ := s.leaf(pages, va, 1)
	return memory.Phys(uintptr(unsafe.Pointer(e)) - pages.Offset)
}
