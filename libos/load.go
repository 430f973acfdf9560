package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/vspace"
)

// ELF as the loader and the vDSO know it: 64-bit, little-endian, amd64.

type elfHeader struct {
	ident                  [16]byte
	kind, machine          uint16
	version                uint32
	entry                  uint64
	segmentsAt, sectionsAt uint64
	flags                  uint32
	headerSize             uint16
	segmentSize, segments  uint16
	sectionSize, sections  uint16
	sectionNames           uint16
}

type elfSegment struct {
	kind, flags               uint32
	offset, address, physical uint64
	fileSize, memorySize      uint64
	align                     uint64
}

// The values that matter.
const (
	elfExecutable     = 2
	elfShared         = 3
	elfAMD64          = 62
	elfLoad           = 1
	elfDynamicSegment = 2
	elfInterpreter    = 3
	elfExec           = 1
	elfWrite          = 2
	elfRead           = 4
	elfSegmentsMax    = 64
)

// elfIdent begins every such file.
var elfIdent = [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}

// program is what the loader found out about the program.
var program struct {
	entry    uint64
	headers  uint64 // where its segment table is in memory, 0 if nowhere
	segments uint64
	low, end uint64 // bounds of its segments
}

// load maps the program's segments out of the boot archive, at offset and of
// size bytes there. It returns "" or why the file cannot be run.
func load(offset, size uint64) string {
	if size < uint64(unsafe.Sizeof(elfHeader{})) {
		return "is too short for an ELF file"
	}
	h := at[elfHeader](abi.ArchiveBase + offset)
	switch {
	case *(*[7]byte)(h.ident[:]) != *(*[7]byte)(elfIdent[:]):
		return "is not a 64-bit ELF file"
	case h.machine != elfAMD64:
		return "is not for amd64"
	case h.kind != elfExecutable:
		return "is not a static executable (build it with CGO_ENABLED=0)"
	case h.segmentSize != uint16(unsafe.Sizeof(elfSegment{})), h.segments == 0, h.segments > elfSegmentsMax,
		h.segmentsAt > size, uint64(h.segments)*uint64(h.segmentSize) > size-h.segmentsAt:
		return "has a bad segment table"
	}
	program.entry, program.segments = h.entry, uint64(h.segments)
	program.low = abi.ProgramTop
	for i := range uint64(h.segments) {
		s := *at[elfSegment](abi.ArchiveBase + offset + h.segmentsAt + i*uint64(h.segmentSize))
		switch s.kind {
		case elfInterpreter:
			return "is dynamically linked (build it with CGO_ENABLED=0)"
		case elfLoad:
			if problem := loadSegment(&s, offset, size); problem != "" {
				return problem
			}
			if h.segmentsAt >= s.offset && h.segmentsAt-s.offset < s.fileSize {
				program.headers = s.address + (h.segmentsAt - s.offset)
			}
		}
	}
	if g, ok := vspace.Regions().Find(h.entry); !ok || g.Prot&linux.PROT_EXEC == 0 {
		return "has an entry point outside its code"
	}
	vspace.SetBreak(pageUp(program.end))
	return ""
}

// loadSegment maps one segment of the file at offset in the archive.
func loadSegment(s *elfSegment, offset, size uint64) string {
	if s.memorySize == 0 {
		return ""
	}
	switch {
	case s.fileSize > s.memorySize, s.offset > size, s.fileSize > size-s.offset:
		return "is truncated, or a segment is larger than the file"
	case s.address < programLow, s.address >= abi.ProgramTop, s.memorySize > abi.ProgramTop-s.address-abi.PageSize:
		return "has a segment outside the addresses of programs"
	case (s.address^s.offset)&pageMask != 0:
		return "has a segment that is not aligned to pages"
	}
	prot := uint32(0)
	if s.flags&elfRead != 0 {
		prot |= linux.PROT_READ
	}
	if s.flags&elfWrite != 0 {
		prot |= linux.PROT_WRITE
	}
	if s.flags&elfExec != 0 {
		prot |= linux.PROT_EXEC
	}
	if prot&protBoth == protBoth {
		return "has a segment that is writable and executable"
	}
	start := s.address &^ pageMask
	fileEnd, end := s.address+s.fileSize, pageUp(s.address+s.memorySize)
	if !vspace.Regions().Clear(start, end) {
		return "has segments that overlap"
	}
	program.low, program.end = min(program.low, start), max(program.end, end)
	// Whole pages come from the archive. Of a last page that the file fills in
	// part only, the rest must be zero.
	whole := pageUp(fileEnd)
	if s.memorySize > s.fileSize {
		whole = fileEnd &^ pageMask
	}
	at := offset + (s.offset &^ pageMask)
	kind := vspace.BackArchive
	if prot&linux.PROT_WRITE != 0 {
		kind = vspace.BackCopy
	}
	if whole > start && vspace.MapRegion(carrier.Region{Start: start, End: whole, Prot: prot, Kind: kind, Offset: at}) != 0 ||
		end > whole && vspace.MapRegion(carrier.Region{Start: whole, End: end, Prot: prot}) != 0 {
		return "has too many segments"
	}
	if whole < fileEnd {
		if err := vspace.Write(whole, abi.ArchiveBase+at+(whole-start), fileEnd-whole); err != capability.OK {
			outOfMemory(err)
		}
	}
	return ""
}
