package image

import (
	"bytes"
	"debug/elf"
	"fmt"

	"skerry/abi"
)

// kernel is a linked kernel, flattened.
type kernel struct {
	entry  uint64
	bytes  []byte // from kernelLink on, without bss
	header abi.BootHeader
}

// flatten lays the segments of a kernel's ELF out as they lie in memory, and
// fills in what a BootHeader says of them.
func flatten(image []byte) (*kernel, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	k := &kernel{entry: f.Entry}
	k.header.Magic = abi.BootMagic
	k.header.KernelPhys = kernelLink - abi.KernelBase
	end := uint64(kernelLink)
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		if p.Vaddr < end || p.Vaddr%abi.PageSize != 0 || p.Vaddr+p.Memsz > kernelLinkEnd || p.Vaddr+p.Memsz < p.Vaddr {
			return nil, fmt.Errorf("segment %#x of %#x bytes is not page-aligned, in order, and within the kernel's gigabyte from %#x",
				p.Vaddr, p.Memsz, uint64(kernelLink))
		}
		n := int(k.header.NumSegments)
		if n == len(k.header.Segments) {
			return nil, fmt.Errorf("more than %d segments", n)
		}
		s := &k.header.Segments[n]
		k.header.NumSegments++
		s.VA = p.Vaddr
		s.Size = pageUp(p.Memsz)
		for _, bit := range []struct {
			flag elf.ProgFlag
			prot uint64
		}{{elf.PF_R, abi.ProtRead}, {elf.PF_W, abi.ProtWrite}, {elf.PF_X, abi.ProtExec}} {
			if p.Flags&bit.flag != 0 {
				s.Prot |= bit.prot
			}
		}
		if s.Prot&abi.ProtWrite != 0 && s.Prot&abi.ProtExec != 0 {
			return nil, fmt.Errorf("segment %#x is writable and executable", p.Vaddr)
		}
		k.bytes = append(k.bytes, make([]byte, p.Vaddr-kernelLink-uint64(len(k.bytes)))...)
		k.bytes = append(k.bytes, make([]byte, p.Filesz)...)
		if _, err := p.ReadAt(k.bytes[p.Vaddr-kernelLink:], 0); err != nil {
			return nil, fmt.Errorf("segment %#x: %w", p.Vaddr, err)
		}
		end = p.Vaddr + s.Size
	}
	if k.header.NumSegments == 0 || k.header.Segments[0].VA != kernelLink {
		return nil, fmt.Errorf("the first segment does not lie at %#x", uint64(kernelLink))
	}
	if k.entry < kernelLink || k.entry >= end {
		return nil, fmt.Errorf("entry point %#x lies outside of it", k.entry)
	}
	k.header.KernelSize = end - kernelLink
	return k, nil
}

func pageUp(n uint64) uint64 { return alignUp(n, abi.PageSize) }

func alignUp(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }
