package main

import (
	"strings"
	"syscall"
	"unsafe"

	"skerry/abi/linux"
)

// residentCases are about mincore and about asking for pages beforehand.
var residentCases = []memoryCase{
	{"mincore-untouched", func() string { return resident(area(4), 4) }},
	{"mincore-touched", func() string { return resident(lettered(4), 4) }},
	{"mincore-after-dontneed", func() string {
		lettered(4)
		advise(base+page, 2*page, linux.MADV_DONTNEED)
		return resident(base, 4)
	}},
	{"mincore-after-unmap", func() string {
		lettered(4)
		unmap(base+page, 2*page)
		areaAt(base+page, 2)
		return resident(base, 4)
	}},
	{"mincore-after-fixed", func() string {
		lettered(4)
		areaAt(base+page, 2)
		return resident(base, 4)
	}},
	{"mincore-protected", func() string {
		lettered(4)
		protect(base+page, 2*page, none)
		return resident(base, 4)
	}},
	{"mincore-hole", func() string {
		lettered(4)
		unmap(base+page, page)
		return resident(base, 4)
	}},
	{"mincore-where-nothing-is", func() string { return resident(base, 1) }},
	{"mincore-unaligned", func() string { return resident(area(4)+1, 2) }},
	{"mincore-nothing", func() string { return resident(area(4), 0) }},
	{"mincore-wraps", func() string {
		area(4)
		return name(call(syscall.SYS_MINCORE, base, ^uintptr(page-1), base))
	}},
	{"mincore-bad-vector", func() string {
		lettered(4)
		return name(call(syscall.SYS_MINCORE, base, 4*page, base+64*page))
	}},
	{"mincore-read-only-vector", func() string {
		lettered(4)
		protect(base+3*page, page, read)
		return words(name(call(syscall.SYS_MINCORE, base, page, base+3*page)), look(base+3*page, 1))
	}},
	{"populate", func() string {
		_, errno := mmap(base, 8*page, read|write, fixed|linux.MAP_POPULATE)
		return words(name(errno), resident(base, 8), look(base, 8))
	}},
	{"populate-read-only", func() string {
		_, errno := mmap(base, 8*page, read, fixed|linux.MAP_POPULATE)
		return words(name(errno), resident(base, 8), try(base, 2))
	}},
	{"populate-none", func() string {
		_, errno := mmap(base, 8*page, none, fixed|linux.MAP_POPULATE)
		return words(name(errno), resident(base, 8), look(base, 2))
	}},
	{"populate-over-letters", func() string {
		lettered(8)
		_, errno := mmap(base+2*page, 4*page, read|write, fixed|linux.MAP_POPULATE)
		return words(name(errno), resident(base, 8), look(base, 8))
	}},
	{"populate-by-advice-to-read", func() string { return populated(linux.MADV_POPULATE_READ, read|write) }},
	{"populate-by-advice-to-write", func() string { return populated(linux.MADV_POPULATE_WRITE, read|write) }},
	{"populate-by-advice-keeps", func() string {
		lettered(8)
		advise(base+2*page, 2*page, linux.MADV_DONTNEED)
		return words(name(advise(base, 8*page, linux.MADV_POPULATE_WRITE)), resident(base, 8), look(base, 8))
	}},
	{"populate-by-advice-read-only-to-read", func() string { return populated(linux.MADV_POPULATE_READ, read) }},
	{"populate-by-advice-read-only-to-write", func() string { return populated(linux.MADV_POPULATE_WRITE, read) }},
	{"populate-by-advice-none", func() string { return populated(linux.MADV_POPULATE_READ, none) }},
	{"populate-by-advice-across-a-hole", func() string {
		area(8)
		unmap(base+4*page, page)
		return words(name(advise(base, 8*page, linux.MADV_POPULATE_WRITE)), resident(base, 4))
	}},
	{"populate-by-advice-unaligned", func() string { return name(advise(area(2)+1, page, linux.MADV_POPULATE_WRITE)) }},
}

// populated asks for the pages of a fresh region by advice.
func populated(advice, protection int) string {
	mmap(base, 8*page, protection, fixed)
	return words(name(advise(base, 8*page, advice)), resident(base, 8), look(base, 8))
}

// resident returns a character for each of n pages: 1 if mincore says that it
// is there, else 0; or the error that it returns.
func resident(at, n uintptr) string {
	vector := make([]byte, n+1)
	if errno := call(syscall.SYS_MINCORE, at, n*page, uintptr(unsafe.Pointer(&vector[0]))); errno != 0 {
		return name(errno)
	}
	var text strings.Builder
	for _, v := range vector[:n] {
		text.WriteByte('0' + v&1)
	}
	return "resident:" + text.String()
}
