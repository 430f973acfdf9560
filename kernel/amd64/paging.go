package amd64

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/memory"
)

// Page table entries (SDM 3A 4.5).
const (
	PagePresent = 1 << 0
	PageWrite   = 1 << 1
	PageUser    = 1 << 2
	// PageUncached makes a page that of device registers.
	PageUncached = 1<<4 | 1<<3
	// PageLarge marks a page in a table above the last level.
	PageLarge = 1 << 7
	// PageForeign marks an entry that leads to a table of another core's: the
	// processor walks it, the kernel must not. The processor ignores the bit.
	PageForeign = 1 << 9
	PageNX      = 1 << 63

	pageAddress = 0x000f_ffff_ffff_f000
)

// TableEntry is an entry that leads to a table; what a user may do is said in
// the entries of pages alone.
const TableEntry = PagePresent | PageWrite | PageUser

// Space is a 4-level address space: the physical address of its top table.
// Its tables lie in memory that its core owns and are reached through pages.
type Space struct {
	Root memory.Phys
}

// Entry returns the entry at a physical address.
func Entry(pages *memory.Pages, at memory.Phys) uint64 {
	return *(*uint64)(unsafe.Pointer(pages.At(at)))
}

// SetEntry sets the entry at a physical address.
func SetEntry(pages *memory.Pages, at memory.Phys, e uint64) {
	*(*uint64)(unsafe.Pointer(pages.At(at))) = e
}

// Entries returns n entries of a table from the one at a physical address on.
func Entries(pages *memory.Pages, at memory.Phys, n uint64) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(pages.At(at))), n)
}

// Span returns how many bytes an entry of a level spans, of level 0 4 KiB.
func Span(level uint) uintptr { return 1 << (12 + 9*level) }

func entry(pages *memory.Pages, table memory.Phys, i uintptr) *uint64 {
	return (*uint64)(unsafe.Pointer(uintptr(table) + pages.Offset + 8*i))
}

func index(va uintptr, level uint) uintptr { return va >> (12 + 9*level) & 511 }

// leaf returns the entry for va at the given level (0: 4 KiB, 1: 2 MiB),
// making the tables above it, or nil if there is no memory for them. made is
// how many tables it made.
func (s Space) leaf(pages *memory.Pages, va uintptr, level uint) (e *uint64, made int) {
	t := s.Root
	for l := uint(3); l > level; l-- {
		e := entry(pages, t, index(va, l))
		if *e&PagePresent == 0 {
			n := pages.AllocZero()
			if n == 0 {
				return nil, made
			}
			made++
			*e = uint64(n) | PagePresent | PageWrite | PageUser&uint64(int64(^va)>>63)
		}
		t = memory.Phys(*e & pageAddress)
	}
	return entry(pages, t, index(va, level)), made
}

// Find returns where the entry is that decides about va, and its level: that of
// a page of any size, or the first on the way that is not present or leads to a
// table of another core's.
func (s Space) Find(pages *memory.Pages, va uintptr) (at memory.Phys, level uint) {
	t := s.Root
	for level = 3; ; level-- {
		at = t + memory.Phys(8*index(va, level))
		e := Entry(pages, at)
		if level == 0 || e&PagePresent == 0 || e&(PageLarge|PageForeign) != 0 {
			return at, level
		}
		t = Frame(e)
	}
}

// after returns the first address behind what one entry of a level spans at va.
func after(va uintptr, level uint) uintptr {
	span := uintptr(1) << (12 + 9*level)
	return (va + span) &^ (span - 1)
}

// Protection turns the bits of abi.Prot… into those of an entry. A page no one
// may touch stays present for the kernel's bookkeeping but is not the user's.
func Protection(prot uint64) uint64 {
	e := uint64(PagePresent)
	if prot&abi.ProtWrite != 0 {
		e |= PageWrite
	}
	if prot&abi.ProtExec == 0 {
		e |= PageNX
	}
	return e
}

// Map maps the frame at pa to va with the given entry bits, replacing what was
// there. It returns the number of page tables it had to make, or -1 if memory
// for one was lacking.
func (s Space) Map(pages *memory.Pages, va uintptr, pa memory.Phys, bits uint64) int {
	e, made := s.leaf(pages, va, 0)
	if e == nil {
		return -1
	}
	*e = uint64(pa) | bits
	return made
}

// MapRange maps consecutive memory, with 2 MiB pages where both addresses
// allow. Both addresses and size are multiples of PageSize.
func (s Space) MapRange(pages *memory.Pages, va uintptr, pa memory.Phys, size uintptr, bits uint64) bool {
	const large = 1 << 21
	for size > 0 {
		if (va|uintptr(pa))&(large-1) == 0 && size >= large {
			e, _ := s.leaf(pages, va, 1)
			if e == nil {
				return false
			}
			*e = uint64(pa) | bits | PageLarge
			va, pa, size = va+large, pa+large, size-large
			continue
		}
		if s.Map(pages, va, pa, bits) < 0 {
			return false
		}
		va, pa, size = va+abi.PageSize, pa+abi.PageSize, size-abi.PageSize
	}
	return true
}

// MapDevice maps a page of device registers for the kernel.
func (s Space) MapDevice(pages *memory.Pages, va uintptr, pa memory.Phys) bool {
	return s.Map(pages, va, pa, PagePresent|PageWrite|PageNX|PageUncached) >= 0
}

// Lookup returns the entry for the 4 KiB page at va, 0 if there is none.
func (s Space) Lookup(pages *memory.Pages, va uintptr) uint64 {
	at, level := s.Find(pages, va)
	if level != 0 {
		return 0
	}
	return Entry(pages, at)
}

// Frame returns the physical address in an entry.
func Frame(e uint64) memory.Phys { return memory.Phys(e & pageAddress) }

// ShareKernel gives s the kernel half of from.
func (s Space) ShareKernel(pages *memory.Pages, from Space) {
	const half = 256 // entries
	copy(Entries(pages, s.Root+8*half, half), Entries(pages, from.Root+8*half, half))
}

// MakeKernelSlots gives every top-level slot of the kernel half a table, so
// that all address spaces, which copy the slots, see the kernel's later
// mappings. It returns false if memory is lacking.
func (s Space) MakeKernelSlots(pages *memory.Pages, first, last uintptr) bool {
	for va := first; ; va += 1 << 39 {
		if e, _ := s.leaf(pages, va, 2); e == nil {
			return false
		}
		if index(va, 3) == index(last, 3) {
			return true
		}
	}
}

// DropUser frees all tables of the user half, and with them what it maps.
func (s Space) DropUser(pages *memory.Pages) {
	for i := uintptr(0); i < 256; i++ {
		e := entry(pages, s.Root, i)
		if *e&PagePresent != 0 {
			freeTable(pages, Frame(*e), 2)
		}
		*e = 0
	}
}

// freeTable frees a table of a level and those that it leads to.
func freeTable(pages *memory.Pages, t memory.Phys, level uint) {
	for i := uintptr(0); i < 512 && level > 0; i++ {
		if e := *entry(pages, t, i); e&PagePresent != 0 && e&PageLarge == 0 {
			freeTable(pages, Frame(e), level-1)
		}
	}
	pages.Free(t)
}

// Next returns the first address in [va, end) whose 4 KiB entry is present,
// skipping whole missing tables. va is page-aligned.
func (s Space) Next(pages *memory.Pages, va, end uintptr) (uintptr, bool) {
	for va < end {
		at, level := s.Find(pages, va)
		if level == 0 && Entry(pages, at)&PagePresent != 0 {
			return va, true
		}
		next := after(va, level)
		if next < va {
			break
		}
		va = next
	}
	return 0, false
}
