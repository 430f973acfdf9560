package boot

import (
	"slices"

	"skerry/abi"
	"skerry/kernel/memory"
)

// ranges is a set of physical addresses: extents in ascending order that
// neither overlap nor touch.
type ranges []memory.Extent

// rangesOf returns the whole pages of one kind in a memory map, whatever the
// order of its entries and however they overlap.
func rangesOf(entries []mapEntry, kind uint32) ranges {
	const top = 1<<52 - abi.PageSize // no address lies beyond
	var all ranges
	for _, e := range entries {
		if e.Type != kind || e.Base > top {
			continue
		}
		end := e.Base + min(e.Size, top-e.Base)
		x := memory.Extent{Base: memory.Phys((e.Base + abi.PageSize - 1) &^ (abi.PageSize - 1)), End: memory.Phys(end &^ (abi.PageSize - 1))}
		if x.Base < x.End {
			all = append(all, x)
		}
	}
	return all.normal()
}

// normal sorts extents and joins those that overlap or touch.
func (r ranges) normal() ranges {
	slices.SortFunc(r, func(a, b memory.Extent) int {
		if a.Base < b.Base {
			return -1
		}
		return 1
	})
	var out ranges
	for _, e := range r {
		if n := len(out); n > 0 && e.Base <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, e.End)
		} else {
			out = append(out, e)
		}
	}
	return out
}

// without returns the set less a range.
func (r ranges) without(x memory.Extent) ranges {
	if x.Base >= x.End {
		return r
	}
	var out ranges
	for _, e := range r {
		for _, part := range [...]memory.Extent{{Base: e.Base, End: min(e.End, x.Base)}, {Base: max(e.Base, x.End), End: e.End}} {
			if part.Base < part.End {
				out = append(out, part)
			}
		}
	}
	return out
}

// cut takes about n bytes from the front of a set: all that is in it if it
// has no more, else up to a multiple of 2 MiB, so that neither part needs more
// small pages than it must.
func (r ranges) cut(n uint64) (front, rest ranges) {
	const align = 2 << 20
	for i, e := range r {
		if n >= e.Size() {
			front = append(front, e)
			n -= e.Size()
			continue
		}
		at := (e.Base + memory.Phys(n) + align/2) &^ (align - 1)
		if at = min(max(at, e.Base), e.End); at > e.Base {
			front = append(front, memory.Extent{Base: e.Base, End: at})
		}
		if at < e.End {
			rest = append(rest, memory.Extent{Base: at, End: e.End})
		}
		return front, append(rest, r[i+1:]...)
	}
	return front, nil
}

// size counts the bytes of the set.
func (r ranges) size() (n uint64) {
	for _, e := range r {
		n += e.Size()
	}
	return n
}

// pages counts the pages of the set.
func (r ranges) pages() uint64 { return r.size() / abi.PageSize }
