// Package archive defines the boot archive, the read-only file tree that is
// part of every image, and reads it where it lies in memory.
//
// Everything may import it: the CPU driver and the libos read the archive that
// is mapped for them, the host's writer (package host/archive) shares the
// layout. It imports nothing but unsafe and package abi, allocates nothing,
// keeps no state, writes nothing, and is freestanding: it may run with no Go
// runtime below it. It never reads outside the memory it was opened on, however
// corrupt that memory is.
//
// # Layout
//
// All numbers are little-endian. Offsets count from the archive's start.
//
//	Header    one, at offset 0
//	Entry     Header.Entries of them at Header.EntryOffset; number 0 is the root
//	strings   Header.StringSize bytes at Header.StringOffset: names and the
//	          targets of symbolic links, without terminators
//	data      the bytes of each regular file, each starting on a page, the
//	          last page filled with zeroes
//
// The children of a directory are consecutive entries, sorted by the bytes of
// their names, so that one name is found by binary search. A child's number is
// larger than its parent's. The archive's size is a multiple of the page size.
package archive

import "skerry/abi"

// Magic and Version begin every archive.
const (
	Magic   = 0x6576_6968_6372_4153 // "SArchive"
	Version = 1
)

// Bounds on names and on what one path may ask for, as on Linux.
const (
	NameMax  = 255  // bytes of one component
	PathMax  = 4096 // bytes of a path and its terminator
	LinksMax = 40   // symbolic links followed in one lookup
)

// PageSize is the alignment of a file's data.
const PageSize = abi.PageSize

// Header is the first thing in an archive.
type Header struct {
	Magic        uint64
	Version      uint32
	Entries      uint32
	EntryOffset  uint64
	StringOffset uint64
	StringSize   uint64
	Size         uint64 // of the whole archive in bytes
}

// Entry describes one file, directory or symbolic link.
type Entry struct {
	Parent     uint32 // number of the directory that holds it; the root's is 0
	Mode       uint32 // Linux st_mode: type and permission bits
	Name       uint32 // offset of the name in the strings
	NameSize   uint32
	FirstChild uint32 // of a directory
	Children   uint32 // of a directory
	Links      uint32 // Linux st_nlink
	_          uint32
	Size       uint64 // bytes of data or of the link's target; 0 for a directory
	Data       uint64 // offset of the data; 0 if there is none
	ModTime    int64  // Unix time in nanoseconds
}

// Sizes of the structures above in bytes.
const (
	HeaderSize = 48
	EntrySize  = 56
)

// The type bits of Entry.Mode.
const (
	ModeType      = 0o170000
	ModeDirectory = 0o040000
	ModeRegular   = 0o100000
	ModeLink      = 0o120000
)
