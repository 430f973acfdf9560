// Package vdso finds functions that the system has put into the program's memory: the
// vDSO. Package thread imports it, and what measures such functions. It works on
// Linux as on Skerry, and never calls the system but to read /proc/self/auxv.
package vdso

import (
	"bytes"
	"encoding/binary"
	"syscall"
	"unsafe"

	"skerry/abi/linux"
)

// What is needed of the format of ELF files.
const (
	elfHeaderSize  = 64
	elfSegmentSize = 56
	elfSymbolSize  = 24
	segmentLoad    = 1
	segmentDynamic = 2
	dynamicHash    = 4
	dynamicStrings = 5
	dynamicSymbols = 6
)

// Yield is Skerry's function that lets the next ready thread of the caller's priority
// run: it returns 0 when it is the caller's turn again, 1 at once if there is none.
const Yield = "__skerry_yield"

// Call calls a function of the vDSO that has no arguments and keeps no registers but
// SP, BP and FS base, and returns its result. It must make do with the little stack
// that assembly finds.
func Call(function uintptr) uintptr

// Symbol returns the address of a function, 0 if the system has none of that name.
func Symbol(name string) uintptr {
	base := auxiliary(linux.AT_SYSINFO_EHDR)
	if base == 0 {
		return 0
	}
	size := uint64(elfHeaderSize)
	header := memory(base, size)
	segments := binary.LittleEndian.Uint64(header[32:])
	count := uint64(binary.LittleEndian.Uint16(header[56:]))
	size = segments + count*elfSegmentSize
	for i := range count {
		s := memory(base, size)[segments+i*elfSegmentSize:]
		if binary.LittleEndian.Uint32(s) == segmentLoad {
			size = max(size, binary.LittleEndian.Uint64(s[8:])+binary.LittleEndian.Uint64(s[32:]))
		}
	}
	return elfSymbol(memory(base, size), base, name)
}

// memory is n bytes at an address.
func memory(address uintptr, n uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), address)), int(n))
}

// elfSymbol looks a symbol up in the image of a shared object that is linked for
// address 0 and was loaded at base; it returns its address there, or 0.
func elfSymbol(image []byte, base uintptr, name string) uintptr {
	word := func(at uint64, size int) uint64 {
		if at > uint64(len(image)) || uint64(len(image))-at < uint64(size) {
			return 0
		}
		var b [8]byte
		copy(b[:], image[at:][:size])
		return binary.LittleEndian.Uint64(b[:])
	}
	var hash, strings, symbols uint64
	segments := word(32, 8)
	for i := range word(56, 2) {
		s := segments + i*elfSegmentSize
		if word(s, 4) != segmentDynamic {
			continue
		}
		for at := word(s+8, 8); word(at, 8) != 0; at += 16 {
			switch value := word(at+8, 8); word(at, 8) {
			case dynamicHash:
				hash = value
			case dynamicStrings:
				strings = value
			case dynamicSymbols:
				symbols = value
			}
		}
	}
	if hash == 0 {
		return 0
	}
	// The hash table has a chain for each symbol.
	for i := range min(word(hash+4, 4), uint64(len(image))/elfSymbolSize) {
		symbol := symbols + i*elfSymbolSize
		at := strings + word(symbol, 4)
		if word(symbol+6, 2) != 0 && at < uint64(len(image)) && bytes.HasPrefix(image[at:], []byte(name+"\x00")) {
			return base + uintptr(word(symbol+8, 8))
		}
	}
	return 0
}

// auxiliary returns an entry of the auxiliary vector, by which the system tells a
// program about itself; 0 if it has none.
func auxiliary(kind uint64) uintptr {
	fd, err := syscall.Open("/proc/self/auxv", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer syscall.Close(fd)
	var vector [1024]byte
	n, err := syscall.Read(fd, vector[:])
	if err != nil {
		return 0
	}
	for b := vector[:n]; len(b) >= 16; b = b[16:] {
		if binary.LittleEndian.Uint64(b) == kind {
			return uintptr(binary.LittleEndian.Uint64(b[8:]))
		}
	}
	return 0
}
