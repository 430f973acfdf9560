package domain

import (
	"encoding/binary"
	"fmt"

	"skerry/abi"
)

// Image is the libos as every domain gets it: read-only segments are pages of
// the boot archive that all share, writable ones are copied.
type Image struct {
	Entry    uint64
	TextSize uint64 // bytes of the executable segment, from abi.LibosBase on
	Segments []Segment
}

// Segment is a part of an Image. Address and Offset are multiples of the page
// size.
type Segment struct {
	Address  uint64
	Offset   uint64 // in the libos's file
	FileSize uint64 // bytes from there; what follows up to Size is zero
	Size     uint64 // bytes in memory, whole pages
	Prot     uint64 // abi.Prot…
}

// pageUp rounds up to whole pages.
func pageUp(n uint64) uint64 { return (n + abi.PageSize - 1) &^ (abi.PageSize - 1) }

// Limits on an Image.
const (
	maxSegments = 4
	maxSegment  = 64 << 20 // bytes
)

// ParseLibos reads the program headers of the libos's file. The image builder
// made the file, but what it says is checked as if anyone had.
func ParseLibos(file []byte) (*Image, error) {
	le := binary.LittleEndian
	if len(file) < 64 || string(file[:4]) != "\x7fELF" {
		return nil, fmt.Errorf("the libos in the boot archive is not an ELF file")
	}
	m := &Image{Entry: le.Uint64(file[24:])}
	off, size, n := le.Uint64(file[32:]), uint64(le.Uint16(file[54:])), uint64(le.Uint16(file[56:]))
	if size < 56 || off > uint64(len(file)) || n*size > uint64(len(file))-off {
		return nil, fmt.Errorf("the libos's program headers lie outside its file")
	}
	entered := false
	for i := range n {
		h := file[off+i*size:]
		if le.Uint32(h) != 1 { // PT_LOAD
			continue
		}
		s := Segment{
			Address: le.Uint64(h[16:]), Offset: le.Uint64(h[8:]), FileSize: le.Uint64(h[32:]),
			Size: pageUp(le.Uint64(h[40:])),
		}
		for bit, prot := range [3]uint64{abi.ProtExec, abi.ProtWrite, abi.ProtRead} {
			if le.Uint32(h[4:])>>bit&1 == 1 {
				s.Prot |= prot
			}
		}
		if err := s.check(uint64(len(file))); err != nil || len(m.Segments) == maxSegments {
			return nil, fmt.Errorf("segment %d of the libos cannot be mapped: %w", i, err)
		}
		if s.Prot&abi.ProtExec != 0 {
			m.TextSize = s.Size
			entered = entered || m.Entry >= s.Address && m.Entry < s.Address+s.Size
		}
		m.Segments = append(m.Segments, s)
	}
	if !entered {
		return nil, fmt.Errorf("the libos's entry %#x is not in its text", m.Entry)
	}
	return m, nil
}

// check says what is wrong with a segment of a file of size bytes.
func (s *Segment) check(size uint64) error {
	const end = abi.UserTop - abi.PageSize
	switch {
	case s.Address%abi.PageSize != 0, s.Offset%abi.PageSize != 0:
		return fmt.Errorf("it is not aligned to pages")
	case s.Size == 0, s.Size > maxSegment, s.Address < abi.LibosBase, s.Address >= end, s.Size > end-s.Address:
		return fmt.Errorf("it is not at the libos's addresses, or too large")
	case s.Offset > size, s.FileSize > size-s.Offset, s.FileSize > s.Size:
		return fmt.Errorf("it is larger than its file")
	case s.Prot&abi.ProtWrite != 0 && s.Prot&abi.ProtExec != 0:
		return fmt.Errorf("it is writable and executable")
	case s.Prot&abi.ProtWrite == 0 && s.Size > pageUp(s.FileSize):
		return fmt.Errorf("it is read-only but not all in its file")
	}
	return nil
}
