package main

import (
	"fmt"

	"skerry/abi/linux"
)

// hugeCases are about memory that the system may have in pages of 2 MiB: what
// is done to a part of one must do nothing to the rest.
var hugeCases = []memoryCase{
	{"huge-advice", func() string {
		area(3 * huge / page)
		return words(name(advise(base, 3*huge, linux.MADV_HUGEPAGE)), name(advise(base, 3*huge, linux.MADV_NOHUGEPAGE)))
	}},
	{"huge-advice-unaligned", func() string {
		area(3 * huge / page)
		return name(advise(base+page, huge, linux.MADV_HUGEPAGE))
	}},
	{"huge-advice-across-a-hole", func() string {
		area(3 * huge / page)
		unmap(base+huge, page)
		return name(advise(base, 3*huge, linux.MADV_HUGEPAGE))
	}},
	{"huge-zeroed", func() string {
		hugeArea(2 * huge)
		return around(base, 2*huge)
	}},
	{"huge-kept", func() string { return around(hugeFilled(), 3*huge) }},
	{"huge-last-byte-first", func() string {
		hugeArea(2 * huge)
		put(base+2*huge-1, 'Z')
		return fmt.Sprintf("%c %d", get(base+2*huge-1), get(base+2*huge-2))
	}},
	{"huge-unaligned-region", func() string {
		mmap(base+5*page, 3*huge, read|write, fixed)
		advise(base+5*page, 3*huge, linux.MADV_HUGEPAGE)
		fill(base+5*page, 3*huge)
		return words(around(base+5*page, 3*huge), look(base+4*page, 1), look(base+5*page+3*huge, 1))
	}},
	{"huge-unmap-a-page", func() string { return hugePart(func(at uintptr) { unmap(at, page) }) }},
	{"huge-unmap-front-half", func() string {
		hugeFilled()
		errno := unmap(base+huge, huge/2)
		return words(name(errno), around(base, huge), look(base+huge, 1), look(base+huge+huge/2-page, 2), around(base+2*huge, huge))
	}},
	{"huge-unmap-end-half", func() string {
		hugeFilled()
		errno := unmap(base+huge+huge/2, huge/2)
		return words(name(errno), around(base, huge), look(base+huge+huge/2-page, 2), look(base+2*huge-page, 2), around(base+2*huge, huge))
	}},
	{"huge-unmap-one", func() string {
		hugeFilled()
		errno := unmap(base+huge, huge)
		return words(name(errno), look(base+huge-page, 2), look(base+2*huge-page, 2))
	}},
	{"huge-unmap-and-map-again", func() string {
		hugeFilled()
		unmap(base, 3*huge)
		hugeArea(3 * huge)
		return around(base, 3*huge)
	}},
	{"huge-dontneed-a-page", func() string { return hugePart(func(at uintptr) { advise(at, page, linux.MADV_DONTNEED) }) }},
	{"huge-dontneed-one", func() string {
		hugeFilled()
		errno := advise(base+huge, huge, linux.MADV_DONTNEED)
		return words(name(errno), look(base+huge-page, 2), look(base+2*huge-page, 2), around(base+2*huge, huge))
	}},
	{"huge-dontneed-across-two", func() string {
		hugeFilled()
		errno := advise(base+huge/2, huge, linux.MADV_DONTNEED)
		return words(name(errno), look(base+huge/2-page, 2), look(base+huge, 1), look(base+huge+huge/2-page, 2), around(base+2*huge, huge))
	}},
	{"huge-dontneed-and-fill", func() string {
		hugeFilled()
		advise(base, 3*huge, linux.MADV_DONTNEED)
		fill(base, 3*huge)
		return around(base, 3*huge)
	}},
	{"huge-free-and-fill", func() string {
		hugeFilled()
		advise(base, 3*huge, linux.MADV_FREE)
		fill(base, 3*huge)
		return around(base, 3*huge)
	}},
	{"huge-protect-a-page", func() string { return hugePart(func(at uintptr) { protect(at, page, read) }) }},
	{"huge-protect-none-a-page", func() string { return hugePart(func(at uintptr) { protect(at, page, none) }) }},
	{"huge-protect-one", func() string {
		hugeFilled()
		errno := protect(base+huge, huge, read)
		return words(name(errno), around(base, 3*huge), try(base+huge-page, 2), try(base+2*huge-page, 2))
	}},
	{"huge-protect-and-back", func() string {
		hugeFilled()
		protect(base, 3*huge, none)
		hidden := look(base+huge, 1)
		errno := protect(base, 3*huge, read|write)
		return words(hidden, name(errno), around(base, 3*huge), try(base+huge, 1))
	}},
	{"huge-protect-split-and-join", func() string {
		hugeFilled()
		for i := uintptr(0); i < 3*huge; i += 64 * page {
			protect(base+i, page, read)
		}
		split := try(base+64*page, 3)
		errno := protect(base, 3*huge, read|write)
		return words(split, name(errno), try(base+64*page, 3), around(base+huge, 2*huge))
	}},
	{"huge-execute", func() string {
		hugeArea(2 * huge)
		put(base+huge+100, ret)
		protect(base, 2*huge, read|execute)
		return words(enter(base+huge+100), try(base+huge, 1))
	}},
	{"huge-execute-a-page", func() string {
		hugeArea(2 * huge)
		for i := range uintptr(3) {
			put(base+huge+i*page, ret)
		}
		protect(base+huge+page, page, read|execute)
		return words(enter(base+huge), enter(base+huge+page), enter(base+huge+2*page), try(base+huge, 3))
	}},
	{"huge-fixed-a-page", func() string {
		return hugePart(func(at uintptr) { mmap(at, page, read|write, fixed) })
	}},
	{"huge-fixed-none-a-page", func() string { return hugePart(func(at uintptr) { mmap(at, page, none, fixed) }) }},
	{"huge-fixed-over-all", func() string {
		hugeFilled()
		_, errno := mmap(base, 3*huge, read|write, fixed)
		return words(name(errno), around(base, 3*huge))
	}},
	{"huge-fixed-over-small", func() string {
		lettered(2 * huge / page)
		hugeArea(2 * huge)
		return around(base, 2*huge)
	}},
	{"huge-noreplace", func() string {
		hugeFilled()
		_, errno := mmap(base+huge+page, page, read, anonymous|linux.MAP_FIXED_NOREPLACE)
		return words(name(errno), around(base, 3*huge))
	}},
	{"huge-no-more", func() string {
		hugeFilled()
		errno := advise(base, 3*huge, linux.MADV_NOHUGEPAGE)
		advise(base+huge, huge, linux.MADV_DONTNEED)
		return words(name(errno), look(base+huge-page, 2), try(base+huge, 2), look(base+2*huge-page, 2))
	}},
	{"huge-advice-for-what-is-there", func() string {
		area(3 * huge / page)
		fill(base, 3*huge)
		errno := advise(base, 3*huge, linux.MADV_HUGEPAGE)
		return words(name(errno), around(base, 3*huge))
	}},
	{"huge-populated", func() string {
		_, errno := mmap(base, 2*huge, read|write, fixed|linux.MAP_POPULATE)
		return words(name(errno), around(base, 2*huge), resident(base, 3), resident(base+2*huge-3*page, 3))
	}},
	{"huge-read-then-written", func() string {
		hugeArea(2 * huge)
		before := around(base, 2*huge)
		fill(base, 2*huge)
		return words(before, around(base, 2*huge))
	}},
	{"huge-pages-in-turn", func() string {
		hugeArea(2 * huge)
		for i := range uintptr(2 * huge / page) {
			at := base + (i*389%(2*huge/page))*page
			if look(at, 1) != "." {
				return fmt.Sprintf("page %d holds %s", (at-base)/page, look(at, 1))
			}
			letters(at, 1)
		}
		return look(base+huge-3*page, 6)
	}},
}

// hugeArea maps size bytes at base that shall be in large pages.
func hugeArea(size uintptr) uintptr {
	area(size / page)
	advise(base, size, linux.MADV_HUGEPAGE)
	return base
}

// hugeFilled maps six MiB at base that shall be in large pages, and fills them.
func hugeFilled() uintptr {
	hugeArea(3 * huge)
	fill(base, 3*huge)
	return base
}

// fill writes H to the first and last byte of every page.
func fill(at, size uintptr) {
	for i := uintptr(0); i < size; i += page {
		put(at+i, 'H')
		put(at+i+page-1, 'H')
	}
}

// around says what the pages of a part hold: one character if all are the
// same, else how many there are of each kind, in the order of their first.
func around(at, size uintptr) string {
	text := look(at, size/page)
	counts := map[rune]int{}
	var order []rune
	for _, c := range text {
		if counts[c]++; counts[c] == 1 {
			order = append(order, c)
		}
	}
	if len(order) == 1 {
		return string(order)
	}
	list := ""
	for _, c := range order {
		list += fmt.Sprintf("%d%c", counts[c], c)
	}
	return list
}

// hugePart does something to the first, a middle and the last page of the
// second of three large pages, and says what became of all.
func hugePart(do func(at uintptr)) string {
	hugeFilled()
	for _, offset := range []uintptr{0, 100 * page, huge - page} {
		do(base + huge + offset)
	}
	return words(look(base+huge-2*page, 4), look(base+huge+99*page, 3), look(base+2*huge-2*page, 4), around(base, 3*huge),
		try(base+huge-page, 3), try(base+huge+99*page, 3), try(base+2*huge-2*page, 3))
}
