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
	pageUncache = 1<<4 | 1<<3
	pageLarge   = 1 << 7
	pageGlobal  = 1 << 8
	// PageOwned marks a frame that belongs to the address space that maps
	// it: it is freed when unmapped. One of the bits left to software.
	PageOwned = 1 << 9
	// PageShared marks a frame that a child maps too: it stays where it is
	// until the child is gone. Also a software bit.
	PageShared = 1 << 10
	PageNX     = 1 << 63

	pageAddress = 0x000f_ffff_ffff_f000
)

// Space is a 4-level address space: the physical address of its top table.
// Its tables lie in memory that its core owns and are reached through pages.
type Space struct {
	Root memory.Phys
}

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

// find returns the 4 KiB entry for va, or nil where a table is missing or a
// larger page is mapped; then level says how large the hole is: the size of
// what one entry of that level spans.
func (s Space) find(pages *memory.Pages, va uintptr) (e *uint64, level uint) {
	t := s.Root
	for l := uint(3); l > 0; l-- {
		e := *entry(pages, t, index(va, l))
		if e&PagePresent == 0 || e&pageLarge != 0 {
			return nil, l
		}
		t = memory.Phys(e & pageAddress)
	}
	return entry(pages, t, index(va, 0)), 0
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
			*e = uint64(pa) | bits | pageLarge
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
	return s.Map(pages, va, pa, PagePresent|PageWrite|PageNX|pageUncache) >= 0
}

// Lookup returns the entry for the 4 KiB page at va, 0 if there is none.
func (s Space) Lookup(pages *memory.Pages, va uintptr) uint64 {
	if e, _ := s.find(pages, va); e != nil {
		return *e
	}
	return 0
}

// Frame returns the physical address in an entry.
func Frame(e uint64) memory.Phys { return memory.Phys(e & pageAddress) }

// Walk calls f for each 4 KiB entry that is not zero in [va, va+n pages) and
// stores what it returns. Whole missing tables are skipped. It visits at most
// n entries; the caller flushes the TLB.
func (s Space) Walk(pages *memory.Pages, va uintptr, n uintptr, f func(va uintptr, e uint64) uint64) {
	end := va + n*abi.PageSize
	for va < end {
		e, level := s.find(pages, va)
		if e == nil {
			va = after(va, level)
			continue
		}
		// The rest of its table follows.
		for i := index(va, 0); i < 512 && va < end; i++ {
			if *e != 0 {
				*e = f(va, *e)
			}
			va += abi.PageSize
			e = (*uint64)(unsafe.Add(unsafe.Pointer(e), 8))
		}
	}
}

// Share makes the top-level slot of va in s refer to the same tables as in
// from.
func (s Space) Share(pages *memory.Pages, from Space, va uintptr) {
	*entry(pages, s.Root, index(va, 3)) = *entry(pages, from.Root, index(va, 3))
}

// ShareKernel gives s the kernel half of from.
func (s Space) ShareKernel(pages *memory.Pages, from Space) {
	for i := uintptr(256); i < 512; i++ {
		*entry(pages, s.Root, i) = *entry(pages, from.Root, i)
	}
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

// Destroy frees up to budget frames and tables of the user half of s, given
// that nothing runs in it, and returns how many it freed; fewer than budget
// means that only the top table is left, which the caller frees. Tables of
// shared slots (shared reports them by top-level index) are left alone.
func (s Space) Destroy(pages *memory.Pages, budget int, shared func(slot uintptr) bool) int {
	done := 0
	for i := uintptr(0); i < 256; i++ {
		e := entry(pages, s.Root, i)
		if *e&PagePresent == 0 {
			continue
		}
		if !shared(i) {
			done += destroyTable(pages, memory.Phys(*e&pageAddress), 2, budget-done)
			if done >= budget {
				return done
			}
			pages.Free(memory.Phys(*e & pageAddress))
			done++
		}
		*e = 0
	}
	return done
}

func destroyTable(pages *memory.Pages, t memory.Phys, level uint, budget int) int {
	done := 0
	for i := uintptr(0); i < 512 && done < budget; i++ {
		e := entry(pages, t, i)
		if *e == 0 {
			continue
		}
		if level == 0 {
			if *e&PageOwned != 0 {
				pages.Free(Frame(*e))
				done++
			}
		} else if *e&PagePresent != 0 && *e&pageLarge == 0 {
			done += destroyTable(pages, Frame(*e), level-1, budget-done)
			if done >= budget {
				return done
			}
			pages.Free(Frame(*e))
			done++
		}
		*e = 0
	}
	return done
}

// Next returns the first address in [va, end) whose 4 KiB entry is present,
// skipping whole missing tables. va is page-aligned.
func (s Space) Next(pages *memory.Pages, va, end uintptr) (uintptr, bool) {
	for va < end {
		e, level := s.find(pages, va)
		if e != nil && *e&PagePresent != 0 {
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
