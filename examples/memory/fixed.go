package main

import "skerry/abi/linux"

// fixedCases are about mmap over what is mapped already.
var fixedCases = []memoryCase{
	{"fixed-same", func() string { return over(0, 6, read|write) }},
	{"fixed-front", func() string { return over(0, 2, read|write) }},
	{"fixed-middle", func() string { return over(2, 2, read|write) }},
	{"fixed-end", func() string { return over(4, 2, read|write) }},
	{"fixed-one-page", func() string { return over(3, 1, read|write) }},
	{"fixed-beyond-the-end", func() string { return over(4, 4, read|write) }},
	{"fixed-none", func() string { return over(2, 2, none) }},
	{"fixed-read-only", func() string { return over(2, 2, read) }},
	{"fixed-twice", func() string {
		lettered(6)
		areaAt(base+page, 3)
		letters(base+page, 3)
		areaAt(base+2*page, 3)
		return look(base, 6)
	}},
	{"fixed-over-several", func() string {
		for i := range uintptr(6) {
			letters(areaAt(base+i*page, 1), 1)
			protect(base+i*page, page, []int{read, none, read | write}[i%3])
		}
		_, errno := mmap(base+page, 4*page, read|write, fixed)
		return words(name(errno), look(base, 6), try(base, 6))
	}},
	{"fixed-over-a-hole", func() string {
		lettered(6)
		unmap(base+2*page, 2*page)
		_, errno := mmap(base+page, 4*page, read|write, fixed)
		return words(name(errno), look(base, 6), try(base, 6))
	}},
	{"fixed-over-regions-apart", func() string {
		for i := range uintptr(10) {
			letters(areaAt(base+2*i*page, 1), 1)
		}
		_, errno := mmap(base+3*page, 12*page, read|write, fixed)
		return words(name(errno), look(base, 20))
	}},
	{"fixed-smaller-regions-to-one", func() string {
		for i := range uintptr(8) {
			areaAt(base+i*page, 1)
			protect(base+i*page, page, []int{read | write, read}[i%2])
		}
		_, errno := mmap(base, 8*page, read|write, fixed)
		return words(name(errno), look(letters(base, 8), 8))
	}},
	{"fixed-untouched-before", func() string {
		area(6)
		_, errno := mmap(base+2*page, 2*page, read|write, fixed)
		return words(name(errno), look(letters(base, 6), 6))
	}},
	{"fixed-shared-over-private", func() string {
		lettered(4)
		_, errno := mmap(base+page, 2*page, read|write, linux.MAP_SHARED|linux.MAP_ANONYMOUS|linux.MAP_FIXED)
		return words(name(errno), look(base, 4), try(base, 4))
	}},
	{"fixed-unaligned", func() string { return refused(mmap(base+100, page, read, fixed)) }},
	{"fixed-beyond-the-top", func() string { return refused(mmap(top, page, read, fixed)) }},
	{"fixed-across-the-top", func() string { return refused(mmap(top-2*page, 8*page, read, fixed)) }},
	{"fixed-in-the-kernel", func() string { return refused(mmap(0xffff_8000_0000_0000, page, read, fixed)) }},
	{"fixed-wraps", func() string { return refused(mmap(^uintptr(page-1), 2*page, read, fixed)) }},
	{"noreplace-free", func() string { return unreplaced(0, 2) }},
	{"noreplace-between", func() string { return unreplaced(4, 2) }},
	{"noreplace-taken", func() string { return unreplaced(2, 2) }},
	{"noreplace-front-taken", func() string { return unreplaced(3, 2) }},
	{"noreplace-end-taken", func() string { return unreplaced(1, 2) }},
	{"noreplace-around", func() string { return unreplaced(0, 10) }},
	{"noreplace-unaligned", func() string {
		return refused(mmap(base+100, page, read, anonymous|linux.MAP_FIXED_NOREPLACE))
	}},
}

// over maps some pages over a part of six that hold letters.
func over(first, n uintptr, protection int) string {
	lettered(6)
	_, errno := mmap(base+first*page, n*page, protection, fixed)
	return words(name(errno), look(base, 9), try(base, 9))
}

// unreplaced maps some pages where nothing may be, beside pages 2, 3, 6 and 7,
// which hold letters.
func unreplaced(first, n uintptr) string {
	letters(areaAt(base+2*page, 2), 2)
	letters(areaAt(base+6*page, 2), 2)
	_, errno := mmap(base+first*page, n*page, read|write, anonymous|linux.MAP_FIXED_NOREPLACE)
	return words(name(errno), look(base, 10))
}
