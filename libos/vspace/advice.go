package vspace

import (
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
)

// Madvise is madvise.
func Madvise(address, length, advice uint64) int64 {
	if !known(advice) {
		return -linux.EINVAL
	}
	end, e := pageRange(address, length, linux.EINVAL)
	if e != 0 {
		return -e
	}
	if address == end {
		return 0
	}
	for start := address; start < end; {
		g, ok := space.regions.Find(start)
		if !ok {
			if populates(advice) {
				return -linux.ENOMEM
			}
			e = linux.ENOMEM // but what is mapped is advised
			start = nextRegion(start, end)
			continue
		}
		g = g.Clip(start, end)
		start = g.End
		if failed := advise(g, advice); failed != 0 {
			forget()
			return -failed
		}
	}
	settle()
	return -e
}

func known(advice uint64) bool {
	switch advice {
	case linux.MADV_NORMAL, linux.MADV_RANDOM, linux.MADV_SEQUENTIAL, linux.MADV_WILLNEED,
		linux.MADV_DONTNEED, linux.MADV_DONTNEED_LOCKED, linux.MADV_FREE,
		linux.MADV_DONTFORK, linux.MADV_DOFORK, linux.MADV_HUGEPAGE, linux.MADV_NOHUGEPAGE,
		linux.MADV_DONTDUMP, linux.MADV_DODUMP, linux.MADV_COLD, linux.MADV_PAGEOUT,
		linux.MADV_POPULATE_READ, linux.MADV_POPULATE_WRITE:
		return true
	}
	return false
}

func populates(advice uint64) bool {
	return advice == linux.MADV_POPULATE_READ || advice == linux.MADV_POPULATE_WRITE
}

// nextRegion returns where the next region after a hole begins, or end.
func nextRegion(hole, end uint64) uint64 {
	if g, ok := space.regions.Next(hole); ok {
		return min(g.Start, end)
	}
	return end
}

// advise takes advice about a region, or a part of one.
func advise(g carrier.Region, advice uint64) int64 {
	switch advice {
	case linux.MADV_DONTNEED, linux.MADV_DONTNEED_LOCKED, linux.MADV_FREE:
		// Pages are taken away, so that they read as zero (or as the file)
		// again. MADV_FREE allows that to happen at once.
		if advice == linux.MADV_FREE && (g.Kind != BackZero || g.Flags&flagShared != 0) {
			return linux.EINVAL
		}
		if g.Flags&flagShared != 0 {
			return 0
		}
		err := splitAround(g.Start, g.End)
		if err == capability.OK {
			err = unmap(g.Start, g.End)
		}
		return errno(err)
	case linux.MADV_POPULATE_READ, linux.MADV_POPULATE_WRITE:
		prot := native(g.Prot)
		if prot == 0 || advice == linux.MADV_POPULATE_WRITE && prot&linux.PROT_WRITE == 0 {
			return linux.EINVAL
		}
		return errno(populate(g.Start, g.End))
	case linux.MADV_HUGEPAGE:
		g.Flags |= flagHuge
		return space.regions.Map(g)
	case linux.MADV_NOHUGEPAGE:
		g.Flags &^= flagHuge
		return space.regions.Map(g)
	}
	return 0
}
