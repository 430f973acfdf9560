// Package programtest makes small ELF files for tests: one that Skerry can run
// and many that it cannot.
//
// Only tests import it.
package programtest

import (
	"bytes"
	"encoding/binary"
)

// Case is an ELF file that Skerry refuses.
type Case struct {
	Name string // of a file
	File []byte
	Want string // part of the complaint
	Fix  string // part of the remedy
}

// Segment is a program header.
type Segment struct {
	Type, Flags                             uint32
	Off, Vaddr, Paddr, Filesz, Memsz, Align uint64
}

// ELF is a file in the making.
type ELF struct {
	Class, Order, ABI byte
	Type, Machine     uint16
	Entry             uint64
	Segments          []Segment
	Size              int // bytes of the file
}

const base = 0x400000

// Good returns a file that Skerry runs: an executable segment and a writable
// one with bss.
func Good() *ELF {
	return &ELF{
		Class: 2, Order: 1, Type: 2, Machine: 62, Entry: base + 0x200, Size: 0x1800,
		Segments: []Segment{
			{1, 5, 0, base, base, 0x1000, 0x1000, 0x1000},
			{1, 6, 0x1000, base + 0x1000, base + 0x1000, 0x800, 0x3000, 0x1000},
		},
	}
}

// Bytes returns the file.
func (e *ELF) Bytes() []byte {
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	b.Write([]byte{0x7f, 'E', 'L', 'F', e.Class, e.Order, 1, e.ABI, 0, 0, 0, 0, 0, 0, 0, 0})
	put([]uint16{e.Type, e.Machine})
	put(uint32(1))
	put([]uint64{e.Entry, 64, 0})
	put(uint32(0))
	put([]uint16{64, 56, uint16(len(e.Segments)), 64, 0, 0})
	put(e.Segments)
	b.Write(make([]byte, max(0, e.Size-b.Len())))
	return b.Bytes()
}

// Bad returns files that Skerry refuses, each for a reason of its own.
func Bad() []Case {
	edit := func(f func(*ELF)) []byte {
		e := Good()
		f(e)
		return e.Bytes()
	}
	interp := edit(func(e *ELF) {
		e.Segments = append(e.Segments, Segment{Type: 3, Off: 0x1000, Filesz: 28})
	})
	copy(interp[0x1000:], "/lib64/ld-linux-x86-64.so.2\x00")
	return []Case{
		{"empty", nil, "empty", "again"},
		{"text", []byte("hello\n"), "not an ELF", "CGO_ENABLED=0"},
		{"script", []byte("#!/bin/sh\n"), "a script", "CGO_ENABLED=0"},
		{"windows", []byte("MZ\x90\x00"), "Windows", "GOOS=linux"},
		{"macos", []byte("\xcf\xfa\xed\xfe"), "macOS", "GOOS=linux"},
		{"library", []byte("!<arch>\n"), "library archive", "CGO_ENABLED=0"},
		{"short", Good().Bytes()[:10], "truncated", "again"},
		{"cut-header", Good().Bytes()[:40], "truncated", "again"},
		{"cut-table", Good().Bytes()[:100], "truncated", "again"},
		{"cut-segment", Good().Bytes()[:0x17ff], "truncated", "again"},
		{"big-endian", edit(func(e *ELF) { e.Order = 2 }), "big-endian", "GOARCH=amd64"},
		{"32-bit", edit(func(e *ELF) { e.Class, e.Machine = 1, 3 }), "32-bit program (386)", "GOARCH=amd64"},
		{"arm64", edit(func(e *ELF) { e.Machine = 183 }), "arm64, not amd64", "GOARCH=amd64"},
		{"unknown-machine", edit(func(e *ELF) { e.Machine = 9999 }), "ELF machine 9999", "GOARCH=amd64"},
		{"freebsd", edit(func(e *ELF) { e.ABI = 9 }), "another system", "GOOS=linux"},
		{"object", edit(func(e *ELF) { e.Type = 1 }), "an object file", "link"},
		{"core", edit(func(e *ELF) { e.Type = 4 }), "a core dump", "link"},
		{"no-segments", edit(func(e *ELF) { e.Segments = nil }), "no segments", "link"},
		{"nothing-to-load", edit(func(e *ELF) { e.Segments = []Segment{{Type: 4}} }), "no segments to load", "link"},
		{"dynamic", interp, `dynamic program: it needs "/lib64/ld-linux-x86-64.so.2"`, "CGO_ENABLED=0"},
		{"dynamic-pie", func() []byte { b := bytes.Clone(interp); b[16] = 3; return b }(), "dynamic program", "CGO_ENABLED=0"},
		{"pie", edit(func(e *ELF) { e.Type = 3 }), "position-independent", "-buildmode=exe"},
		{"file-over-memory", edit(func(e *ELF) { e.Segments[1].Memsz = 0x7ff }), "more in the file than in memory", "again"},
		{"wraps", edit(func(e *ELF) { e.Segments[1].Memsz = 1<<64 - 1 }), "wraps around", "again"},
		{"offset-wraps", edit(func(e *ELF) { e.Segments[1].Off = 1<<64 - 0x1000 }), "truncated", "again"},
		{"kernel", edit(func(e *ELF) { e.Segments[1].Vaddr = 0xffff_ffff_8020_0000 }), "kernel space", "usual address"},
		{"libos", edit(func(e *ELF) { e.Segments[1].Vaddr = 0x7f00_0000_0000 }), "libos", "usual address"},
		{"into-libos", edit(func(e *ELF) { e.Segments[1].Vaddr, e.Segments[1].Memsz = 0x79ff_ffff_f000, 0x2000 }), "libos", "usual address"},
		{"low", edit(func(e *ELF) { e.Segments[1].Vaddr = 0x1000 }), "below 0x10000", "usual address"},
		{"overlap", edit(func(e *ELF) { e.Segments[1].Vaddr = base }), "overlap", "again"},
		{"share-page", edit(func(e *ELF) { e.Segments[0].Memsz, e.Segments[1].Vaddr, e.Segments[1].Off = 0x1010, base+0x1800, 0x800 }), "share a page", "page-aligned"},
		{"write-exec", edit(func(e *ELF) { e.Segments[1].Flags = 7 }), "writable and executable", "-N"},
		{"unaligned", edit(func(e *ELF) { e.Segments[1].Off = 0x800 }), "cannot be mapped", "again"},
		{"entry", edit(func(e *ELF) { e.Entry = base + 0x1000 }), "entry point 0x401000", "again"},
	}
}
