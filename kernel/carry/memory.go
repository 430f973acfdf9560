package carry

import (
	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/kernel/amd64"
	"skerry/kernel/memory"
)

func round(n uint64) uint64 { return (n + abi.PageSize - 1) &^ (abi.PageSize - 1) }

func space() amd64.Space { return amd64.Space{Root: core.Root} }

// mmap reserves addresses; pages come when they are touched. Hints in the low
// half, which the runtime prefers, are not honoured: it takes what it gets.
func mmap(hint, size uint64, prot uint32, flags uint64) int64 {
	size = round(size)
	if size == 0 || flags&linux.MAP_ANONYMOUS == 0 {
		return -linux.EINVAL
	}
	at := hint
	if flags&linux.MAP_FIXED == 0 {
		if !regions.Contains(hint, size) {
			hint = 0
		}
		var ok bool
		if at, ok = regions.Place(hint, size, 0); !ok {
			return -linux.ENOMEM
		}
	} else {
		release(at, at+size)
	}
	if e := regions.Map(carrier.Region{Start: at, End: at + size, Prot: prot}); e != 0 {
		return -e
	}
	return int64(at)
}

// release gives the pages of a range back to the core; they read as zero when
// next touched.
func release(start, end uint64) {
	s := space()
	va := uintptr(start) &^ (abi.PageSize - 1)
	for {
		next, ok := s.Next(&core.Pages, va, uintptr(end))
		if !ok {
			return
		}
		e := s.Lookup(&core.Pages, next)
		s.Map(&core.Pages, next, 0, 0)
		amd64.Invlpg(next)
		core.Pages.Free(amd64.Frame(e))
		HeapPages--
		va = next + abi.PageSize
	}
}

// page backs the heap's page at va and reports whether it could: the address
// must be mapped, and memory left.
func page(va uint64) bool {
	g, ok := regions.Find(va)
	if !ok || g.Prot&linux.PROT_READ == 0 {
		return false
	}
	a := core.Pages.AllocZero()
	if a == 0 {
		Stop("out of memory: no page left for the kernel's heap")
	}
	HeapPages++
	return space().Map(&core.Pages, uintptr(va&^(abi.PageSize-1)), memory.Phys(a),
		amd64.PagePresent|amd64.PageWrite|amd64.PageNX) >= 0
}
