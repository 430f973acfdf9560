package program

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"

	"skerry/abi"
)

// minAddress is the lowest address a program may be linked at: what lies below
// stays unmapped, so that using a nil pointer faults.
const minAddress = 64 << 10

// BadFileError says why an ELF file cannot run on Skerry.
type BadFileError struct {
	Reason string
	Fix    string
}

// Error returns the reason.
func (e *BadFileError) Error() string { return e.Reason }

func bad(fix, format string, args ...any) error {
	return &BadFileError{fmt.Sprintf(format, args...), fix}
}

// Fixes that several complaints share.
const (
	fixBuild   = "build it by CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build"
	fixRebuild = "build or copy it again"
)

// Numbers of the ELF format.
const (
	headerSize  = 64
	programSize = 56

	typeExec, typeDyn          = 2, 3
	machine386, machineAMD64   = 3, 62
	segmentLoad, segmentInterp = 1, 3
	flagExec, flagWrite        = 1, 2
)

var machineNames = map[uint16]string{
	2: "SPARC", 3: "386", 8: "MIPS", 20: "PowerPC", 21: "ppc64", 22: "s390x", 40: "arm",
	62: "amd64", 183: "arm64", 243: "riscv64", 258: "loong64",
}

var typeNames = map[uint16]string{0: "no type", 1: "an object file", 4: "a core dump"}

// header is the ELF file header.
type header struct {
	Ident     [16]byte
	Type      uint16
	Machine   uint16
	Version   uint32
	Entry     uint64
	Phoff     uint64
	Shoff     uint64
	Flags     uint32
	Ehsize    uint16
	Phentsize uint16
	Phnum     uint16
	Shentsize uint16
	Shnum     uint16
	Shstrndx  uint16
}

// segment is a program header.
type segment struct {
	Type, Flags                                uint32
	Off, Vaddr, Paddr, Filesz, Memsz, Alignsub uint64
}

// Vet returns nil if file is a static linux/amd64 ELF that Skerry can run, and
// a *BadFileError if not. It reads nothing outside file, whatever it holds.
func Vet(file []byte) error {
	if len(file) == 0 {
		return bad(fixRebuild, "the file is empty")
	}
	if !bytes.HasPrefix(file, []byte("\x7fELF")) {
		what := "not an ELF program"
		switch {
		case bytes.HasPrefix(file, []byte("#!")):
			what = "a script, not an ELF program"
		case bytes.HasPrefix(file, []byte("MZ")):
			what = "a Windows program, not an ELF program for Linux"
		case bytes.HasPrefix(file, []byte("\xcf\xfa\xed\xfe")), bytes.HasPrefix(file, []byte("\xca\xfe\xba\xbe")):
			what = "a macOS program, not an ELF program for Linux"
		case bytes.HasPrefix(file, []byte("!<arch>")):
			what = "a library archive, not a program"
		}
		return bad(fixBuild, "%s", what)
	}
	if len(file) < 20 {
		return bad(fixRebuild, "truncated: it ends within the ELF header")
	}
	if order := file[5]; order != 1 {
		return bad(fixBuild, "a big-endian ELF, for another architecture than amd64")
	}
	machine := binary.LittleEndian.Uint16(file[18:])
	if file[4] != 2 {
		return bad(fixBuild, "a 32-bit program (%s); Skerry runs 64-bit ones (amd64)", machineName(machine))
	}
	var h header
	if _, err := binary.Decode(file, binary.LittleEndian, &h); err != nil {
		return bad(fixRebuild, "truncated: it ends within the ELF header")
	}
	switch {
	case h.Machine != machineAMD64:
		return bad(fixBuild, "built for %s, not amd64", machineName(h.Machine))
	case h.Ident[7] != 0 && h.Ident[7] != 3: // System V or GNU/Linux
		return bad(fixBuild, "built for another system than Linux (ELF OS/ABI %d)", h.Ident[7])
	case h.Type != typeExec && h.Type != typeDyn:
		name, ok := typeNames[h.Type]
		if !ok {
			name = fmt.Sprintf("of ELF type %d", h.Type)
		}
		return bad("link it into a program", "not a program: %s", name)
	case h.Phnum == 0 || h.Phoff == 0:
		return bad("link it into a program", "not a program: it has no segments")
	case h.Phentsize != programSize:
		return bad(fixRebuild, "damaged: program headers of %d bytes, not %d", h.Phentsize, programSize)
	case h.Phoff > uint64(len(file)) || uint64(h.Phnum)*programSize > uint64(len(file))-h.Phoff:
		return bad(fixRebuild, "truncated: it ends within the program headers")
	}
	segments := make([]segment, h.Phnum)
	for i := range segments {
		if _, err := binary.Decode(file[h.Phoff+uint64(i)*programSize:], binary.LittleEndian, &segments[i]); err != nil {
			return bad(fixRebuild, "truncated: it ends within the program headers")
		}
	}
	for _, s := range segments {
		if s.Type == segmentInterp {
			return bad("build it static, by CGO_ENABLED=0 go build", "a dynamic program: it needs %s to load it", interpreter(file, s))
		}
	}
	if h.Type == typeDyn {
		return bad("build it by go build -buildmode=exe", "position-independent (ET_DYN); Skerry runs programs linked at fixed addresses (ET_EXEC)")
	}
	return vetSegments(uint64(len(file)), h.Entry, segments)
}

// vetSegments checks the loadable segments of a program of size bytes.
func vetSegments(size, entry uint64, segments []segment) error {
	var loads []segment
	entered := false
	for _, s := range segments {
		if s.Type != segmentLoad || s.Memsz == 0 {
			continue
		}
		end := s.Vaddr + s.Memsz
		switch {
		case s.Off > size || s.Filesz > size-s.Off:
			return bad(fixRebuild, "truncated: the segment at %#x goes on to byte %d of %d", s.Vaddr, s.Off+s.Filesz, size)
		case s.Filesz > s.Memsz:
			return bad(fixRebuild, "damaged: the segment at %#x holds more in the file than in memory", s.Vaddr)
		case end < s.Vaddr:
			return bad(fixRebuild, "damaged: the segment at %#x wraps around the address space", s.Vaddr)
		case s.Vaddr >= 1<<63:
			return bad("link it at the usual address", "the segment at %#x lies in kernel space", s.Vaddr)
		case end > abi.ProgramTop:
			return bad("link it at the usual address", "the segment at %#x lies in or reaches into space that is the libos's (programs end at %#x)", s.Vaddr, uint64(abi.ProgramTop))
		case s.Vaddr < minAddress:
			return bad("link it at the usual address", "the segment at %#x lies below %#x, which stays unmapped", s.Vaddr, minAddress)
		case s.Flags&flagExec != 0 && s.Flags&flagWrite != 0:
			return bad("link it without -N", "the segment at %#x is writable and executable", s.Vaddr)
		case s.Off%abi.PageSize != s.Vaddr%abi.PageSize:
			return bad(fixRebuild, "damaged: the segment at %#x lies at file offset %#x, which cannot be mapped", s.Vaddr, s.Off)
		}
		if s.Flags&flagExec != 0 && s.Vaddr <= entry && entry < end {
			entered = true
		}
		loads = append(loads, s)
	}
	if len(loads) == 0 {
		return bad("link it into a program", "not a program: it has no segments to load")
	}
	sort.Slice(loads, func(i, j int) bool { return loads[i].Vaddr < loads[j].Vaddr })
	for i := 1; i < len(loads); i++ {
		a, b := loads[i-1], loads[i]
		if a.Vaddr+a.Memsz > b.Vaddr {
			return bad(fixRebuild, "damaged: the segments at %#x and %#x overlap", a.Vaddr, b.Vaddr)
		}
		if (a.Vaddr+a.Memsz-1)/abi.PageSize == b.Vaddr/abi.PageSize && a.Flags != b.Flags {
			return bad("link it with page-aligned segments", "the segments at %#x and %#x share a page but not their rights", a.Vaddr, b.Vaddr)
		}
	}
	if !entered {
		return bad(fixRebuild, "damaged: the entry point %#x lies in no executable segment", entry)
	}
	return nil
}

func machineName(m uint16) string {
	if name, ok := machineNames[m]; ok {
		return name
	}
	return fmt.Sprintf("ELF machine %d", m)
}

// interpreter returns the loader that a dynamic program names.
func interpreter(file []byte, s segment) string {
	if s.Off < uint64(len(file)) && s.Filesz <= uint64(len(file))-s.Off && s.Filesz < 4096 {
		if name := bytes.TrimRight(file[s.Off:s.Off+s.Filesz], "\x00"); len(name) > 0 {
			return fmt.Sprintf("%q", name)
		}
	}
	return "a dynamic linker"
}
