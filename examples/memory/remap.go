package main

import (
	"syscall"

	"skerry/abi/linux"
)

// remapCases are about mremap, which Skerry does not serve.
var remapCases = []memoryCase{
	{"remap-shrink", func() string { return remapped(4*page, 2*page, 0) }},
	{"remap-grow", func() string { return remapped(4*page, 6*page, 0) }},
	{"remap-move", func() string { return remapped(4*page, 8*page, linux.MREMAP_MAYMOVE) }},
}

// remapped changes the size of four pages that hold letters, behind which six
// more are free.
func remapped(from, to uintptr, flags int) string {
	lettered(4)
	areaAt(base+10*page, 1)
	at, _, errno := syscall.RawSyscall6(syscall.SYS_MREMAP, base, from, to, uintptr(flags), 0, 0)
	if errno != 0 {
		return words(name(errno), look(base, 4))
	}
	return words("ok", look(at, 8))
}
