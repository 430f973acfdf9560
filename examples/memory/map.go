package main

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"skerry/abi/linux"
)

// mapCases are about mmap of memory where there is none.
var mapCases = []memoryCase{
	{"map-zeroed", func() string { return look(area(4), 4) }},
	{"map-kept", func() string { return look(lettered(4), 4) }},
	{"map-read-only", func() string { return mapped(read) }},
	{"map-none", func() string { return mapped(none) }},
	{"map-write-only", func() string { return mapped(write) }},
	{"map-execute", func() string { return mapped(read | execute) }},
	{"map-write-execute", func() string { return mapped(read | write | execute) }},
	{"map-unknown-protection", func() string { return mapped(read | 0x40) }},
	{"map-hint-free", func() string { return hinted(base) }},
	{"map-hint-unaligned", func() string { return hinted(base + 100) }},
	{"map-hint-taken", func() string {
		lettered(2)
		return words(hinted(base), look(base, 3))
	}},
	{"map-hint-too-small-a-hole", func() string {
		areaAt(base+page, 1)
		return words(hinted(base), look(base, 3))
	}},
	{"map-anywhere", func() string {
		at, errno := mmap(0, 2*page, read|write, anonymous)
		if errno != 0 {
			return name(errno)
		}
		defer unmap(at, 2*page)
		return words(strconv.FormatBool(at%page == 0), look(at, 2), look(letters(at, 2), 2))
	}},
	{"map-below-2-gib", func() string {
		at, errno := mmap(0, 2*page, read|write, anonymous|linux.MAP_32BIT)
		if errno != 0 {
			return name(errno)
		}
		defer unmap(at, 2*page)
		return words(strconv.FormatBool(at+2*page <= 1<<31), look(letters(at, 2), 2))
	}},
	{"map-shared", func() string {
		_, errno := mmap(base, 2*page, read|write, linux.MAP_SHARED|linux.MAP_ANONYMOUS|linux.MAP_FIXED)
		return words(name(errno), look(base, 2), try(base, 2))
	}},
	{"map-shared-validate", func() string {
		_, errno := mmap(base, page, read, linux.MAP_SHARED_VALIDATE|linux.MAP_ANONYMOUS|linux.MAP_FIXED)
		return name(errno)
	}},
	{"map-flags-without-effect", func() string {
		_, errno := mmap(base, 2*page, read|write, fixed|linux.MAP_NORESERVE|linux.MAP_STACK|linux.MAP_DENYWRITE|linux.MAP_EXECUTABLE|linux.MAP_NONBLOCK)
		return words(name(errno), look(base, 2), try(base, 2))
	}},
	{"map-descriptor-not-looked-at", func() string {
		_, errno := mmapFile(base, page, read|write, fixed, 12345, 0)
		return words(name(errno), try(base, 1))
	}},
	{"map-offset-without-effect", func() string {
		_, errno := mmapFile(base, page, read|write, fixed, -1, 16*page)
		return words(name(errno), look(base, 1))
	}},
	{"map-offset-unaligned", func() string { return refused(mmapFile(base, page, read, fixed, -1, 100)) }},
	{"map-nothing", func() string { return refused(mmap(base, 0, read, fixed)) }},
	{"map-neither-private-nor-shared", func() string {
		return refused(mmap(base, page, read, linux.MAP_ANONYMOUS|linux.MAP_FIXED))
	}},
	{"map-more-than-there-are-addresses", func() string { return refused(mmap(0, top, none, anonymous)) }},
	{"map-length-wraps", func() string { return refused(mmap(0, ^uintptr(0), none, anonymous)) }},
	{"map-length-wraps-to-nothing", func() string { return refused(mmap(base, ^uintptr(0)-100, none, fixed)) }},
	{"map-bad-descriptor", func() string {
		return refused(mmapFile(base, page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, 12345, 0))
	}},
	{"map-length-rounded-up", func() string {
		_, errno := mmap(base, page+1, read|write, fixed)
		return words(name(errno), try(base, 3))
	}},
	{"map-reserve-64-gib", func() string {
		_, errno := mmap(base, 64<<30, none, fixed|linux.MAP_NORESERVE)
		areaAt(base+40<<30, 2)
		return words(name(errno), look(base+40<<30-page, 4), try(base+40<<30-page, 4))
	}},
	{"map-sparse-64-gib", func() string {
		_, errno := mmap(base, 64<<30, read|write, fixed|linux.MAP_NORESERVE)
		text := name(errno)
		for _, at := range []uintptr{base, base + 1<<30, base + 33<<30 + 5*page, base + 64<<30 - page} {
			text = words(text, look(at, 1), look(letters(at, 1), 1))
		}
		return text
	}},
	{"map-1000-regions", func() string {
		for i := range uintptr(1000) {
			mmap(base+i*page, page, []int{read, read | write, none, read | execute}[i%4], fixed)
		}
		return words(look(base, 12), try(base+988*page, 14))
	}},
	{"map-neighbours-one-by-one", func() string {
		for i := range uintptr(40) {
			letters(areaAt(base+(i*17%40)*page, 1), 1)
		}
		return words(look(base, 42), name(protect(base, 40*page, read)), try(base, 40))
	}},
}

// mapped maps two pages with a protection and says what can be done with them.
func mapped(protection int) string {
	_, errno := mmap(base, 2*page, protection, fixed)
	return words(name(errno), look(base, 2), try(base, 2))
}

// hinted says where three pages come to lie that someone would like at an
// address.
func hinted(at uintptr) string {
	got, errno := mmap(at, 3*page, read|write, anonymous)
	switch {
	case errno != 0:
		return name(errno)
	case got >= base && got < base+room:
		return words(fmt.Sprint("at ", got-base), strings.ToLower(look(got, 3)))
	}
	unmap(got, 3*page)
	return "elsewhere"
}

// refused names the error of a call that maps something.
func refused(_ uintptr, errno syscall.Errno) string { return words(name(errno), look(base, 1)) }
