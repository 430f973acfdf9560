package main

import "skerry/abi/linux"

// unmapCases are about munmap.
var unmapCases = []memoryCase{
	{"unmap-all", func() string { return unmapped(0, 6*page) }},
	{"unmap-front", func() string { return unmapped(0, 2*page) }},
	{"unmap-middle", func() string { return unmapped(2*page, 2*page) }},
	{"unmap-end", func() string { return unmapped(4*page, 2*page) }},
	{"unmap-beyond-the-end", func() string { return unmapped(4*page, 40*page) }},
	{"unmap-length-rounded-up", func() string { return unmapped(2*page, page+1) }},
	{"unmap-unaligned", func() string { return unmapped(2*page+1, page) }},
	{"unmap-nothing", func() string { return unmapped(2*page, 0) }},
	{"unmap-where-nothing-is", func() string { return unmapped(64*page, 4*page) }},
	{"unmap-wraps", func() string { return unmapped(0, ^uintptr(page-1)) }},
	{"unmap-length-wraps-to-nothing", func() string { return unmapped(0, ^uintptr(0)) }},
	{"unmap-beyond-the-top", func() string { return name(unmap(top, page)) }},
	{"unmap-across-the-top", func() string { return name(unmap(top-2*page, 8*page)) }},
	{"unmap-in-the-kernel", func() string { return name(unmap(0xffff_8000_0000_0000, page)) }},
	{"unmap-twice", func() string {
		lettered(4)
		return words(name(unmap(base+page, page)), name(unmap(base+page, page)), look(base, 4))
	}},
	{"unmap-every-other-page", func() string {
		lettered(12)
		for i := uintptr(1); i < 12; i += 2 {
			unmap(base+i*page, page)
		}
		return look(base, 12)
	}},
	{"unmap-across-regions", func() string {
		lettered(8)
		protect(base+2*page, 2*page, read)
		protect(base+5*page, page, none)
		return words(name(unmap(base+page, 6*page)), look(base, 8))
	}},
	{"unmap-across-holes", func() string {
		lettered(12)
		unmap(base+2*page, page)
		unmap(base+5*page, 2*page)
		unmap(base+8*page, page)
		return words(name(unmap(base+page, 9*page)), look(base, 12))
	}},
	{"unmap-untouched", func() string {
		area(64)
		return words(name(unmap(base+8*page, 8*page)), look(base+6*page, 12))
	}},
	{"unmap-sparse-64-gib", func() string {
		mmap(base, 64<<30, read|write, fixed|linux.MAP_NORESERVE)
		letters(base+7<<30, 1)
		letters(base+50<<30, 1)
		errno := unmap(base+page, 64<<30-2*page)
		return words(name(errno), look(base, 2), look(base+7<<30, 1), look(base+50<<30, 1), look(base+64<<30-2*page, 3))
	}},
	{"unmap-and-map-again", func() string {
		lettered(6)
		unmap(base+page, 3*page)
		areaAt(base+page, 3)
		return look(base, 6)
	}},
	{"unmap-and-map-again-many-times", func() string {
		text := ""
		for range 200 {
			lettered(16)
			unmap(base+3*page, 5*page)
			areaAt(base+4*page, 2)
			if text = look(base, 16); text != "ABC!..!!IJKLMNOP" {
				break
			}
		}
		return text
	}},
}

// unmapped unmaps a part of six pages that hold letters.
func unmapped(offset, size uintptr) string {
	lettered(6)
	return words(name(unmap(base+offset, size)), look(base, 7))
}
