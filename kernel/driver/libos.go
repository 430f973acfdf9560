package driver

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// libosImage is the libos as every domain gets it: text and read-only data are
// the archive's own pages, data is copied, and the rest of the last segment is
// zero.
type libosImage struct {
	entry    uint64
	textSize uint64
	parts    [4]libosPart
	numParts int
}

type libosPart struct {
	va       uint64 // page-aligned
	pages    uint64 // in memory
	offset   uint64 // in the file, page-aligned
	fileSize uint64
	bits     uint64
}

// findArchive prepares what all address spaces share: the archive's slot, and
// the libos.
func (d *Driver) findArchive() error {
	m := &d.k.Machine
	root := d.k.Pages.AllocZero()
	if root == 0 {
		return fmt.Errorf("too little memory")
	}
	d.template = amd64.Space{Root: root}
	const large = 2 << 20
	size := uintptr(m.ArchiveSize+large-1) &^ (large - 1)
	if !d.template.MapRange(&d.k.Pages, abi.ArchiveBase, memory.Phys(m.ArchivePhys), size,
		amd64.PagePresent|amd64.PageUser|amd64.PageNX) {
		return fmt.Errorf("too little memory for page tables")
	}
	file := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(kcb.LibosAt))), m.LibosSize)
	return d.libos.parse(file)
}

// parse reads the libos's program headers. The image builder made the file, but
// what it says is checked as if anyone had.
func (l *libosImage) parse(file []byte) error {
	le := binary.LittleEndian
	if len(file) < 64 || string(file[:4]) != "\x7fELF" {
		return fmt.Errorf("the libos in the archive is not an ELF")
	}
	l.entry = le.Uint64(file[24:])
	off, size, n := le.Uint64(file[32:]), uint64(le.Uint16(file[54:])), uint64(le.Uint16(file[56:]))
	if size < 56 || off > uint64(len(file)) || n*size > uint64(len(file))-off {
		return fmt.Errorf("the libos's program headers lie outside its file")
	}
	entered := false
	for i := range n {
		h := file[off+i*size:]
		if le.Uint32(h) != 1 { // PT_LOAD
			continue
		}
		flags := le.Uint32(h[4:])
		p := libosPart{
			va: le.Uint64(h[16:]), offset: le.Uint64(h[8:]), fileSize: le.Uint64(h[32:]),
			pages: (le.Uint64(h[40:]) + abi.PageSize - 1) / abi.PageSize,
		}
		prot := uint64(0)
		for bit, to := range [3]uint64{abi.ProtExec, abi.ProtWrite, abi.ProtRead} {
			if flags>>bit&1 == 1 {
				prot |= to
			}
		}
		bits, err := userBits(prot)
		p.bits = bits
		if l.numParts == len(l.parts) || err != abi.OK || p.va%abi.PageSize != 0 || p.offset%abi.PageSize != 0 ||
			p.va < abi.LibosBase || p.va >= userEnd || p.pages == 0 || p.pages > min(1<<16, (userEnd-p.va)/abi.PageSize) ||
			p.offset > uint64(len(file)) || p.fileSize > uint64(len(file))-p.offset || p.fileSize > p.pages*abi.PageSize {
			return fmt.Errorf("segment %d of the libos cannot be mapped", i)
		}
		if prot&abi.ProtWrite == 0 && p.pages > (p.fileSize+abi.PageSize-1)/abi.PageSize {
			return fmt.Errorf("segment %d of the libos is read-only but not all in its file", i)
		}
		if prot&abi.ProtExec != 0 {
			l.textSize = p.pages * abi.PageSize
			entered = entered || l.entry >= p.va && l.entry < p.va+l.textSize
		}
		l.parts[l.numParts] = p
		l.numParts++
	}
	if !entered {
		return fmt.Errorf("the libos's entry %#x is not in its text", l.entry)
	}
	return nil
}

// mapLibos gives b the libos.
func (d *Driver) mapLibos(b *kcb.DCB) abi.Error {
	m := &d.k.Machine
	for i := range d.libos.parts[:d.libos.numParts] {
		p := &d.libos.parts[i]
		for j := range p.pages {
			va := uintptr(p.va + j*abi.PageSize)
			at := j * abi.PageSize
			if p.bits&amd64.PageWrite == 0 {
				if err := d.install(b, va, memory.Phys(m.LibosPhys+p.offset+at), p.bits); err != abi.OK {
					return err
				}
				continue
			}
			f, err := d.back(b, va, p.bits)
			if err != abi.OK {
				return err
			}
			if at < p.fileSize {
				n := min(p.fileSize-at, abi.PageSize)
				from := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(kcb.LibosAt+p.offset+at))), n)
				copy(d.bytes(f, n), from)
			}
		}
	}
	return abi.OK
}
