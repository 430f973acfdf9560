package domain

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
)

// table is a page table of the new domain.
type table struct {
	level  uint
	first  uint64 // the first address that it serves
	source capability.Reference
}

// types are the page tables' types by level, from 1.
var types = [...]capability.Type{1: capability.PageTable1, capability.PageTable2, capability.PageTable3, capability.PageTable4}

// span is what one entry of a table of a level spans, in bytes.
func span(level uint) uint64 { return 1 << (3 + 9*level) }

// next takes a slot for a table or a mapping.
func (b *builder) next() (uint32, error) {
	if b.slot == capability.SlotMemory {
		return 0, fmt.Errorf("too many tables and mappings")
	}
	b.slot++
	return b.slot - 1, nil
}

// table returns the table of a level that serves an address, which it makes,
// with those above, if there is none.
func (b *builder) table(level uint, address uint64) (capability.Reference, error) {
	if level == 4 {
		return b.own(capability.SlotVSpace), nil
	}
	first := address &^ (span(level+1) - 1)
	for _, t := range b.tables {
		if t.level == level && t.first == first {
			return t.source, nil
		}
	}
	above, err := b.table(level+1, address)
	if err != nil {
		return 0, err
	}
	slot, err := b.next()
	if err != nil {
		return 0, err
	}
	if err := b.make(slot, types[level], abi.PageSize, abi.PageSize); err != nil {
		return 0, err
	}
	made := b.own(slot)
	b.tables = append(b.tables, table{level, first, made})
	return made, b.mapIn(above, level+1, address, 1, made, 0, 0)
}

// mapIn maps count entries of a table of a level from an address on.
func (b *builder) mapIn(t capability.Reference, level uint, address, count uint64, source capability.Reference, offset, prot uint64) error {
	slot, err := b.next()
	if err != nil {
		return err
	}
	index := address / span(level) % 512
	return b.invoke(t, capability.PageTable1Map, index|count<<32, uint64(source), uint64(b.own(slot)), offset, prot)
}

// mapFrame maps a part of a frame, with pages of 4 KiB, or of 2 MiB where
// address, offset and size allow; the frame's memory is then aligned so too.
func (b *builder) mapFrame(f *Frame) error {
	address, offset, size := f.Address, f.Offset, f.Size
	level := uint(1)
	if (address|offset|size)%span(2) == 0 {
		level = 2
	}
	for size > 0 {
		t, err := b.table(level, address)
		if err != nil {
			return err
		}
		n := min(size, span(level+1)-address%span(level+1))
		if err := b.mapIn(t, level, address, n/span(level), f.Source, offset, f.Prot); err != nil {
			return fmt.Errorf("at %#x: %w", address, err)
		}
		address, offset, size = address+n, offset+n, size-n
	}
	return nil
}

// mapAll builds the address space.
func (b *builder) mapAll() error {
	if err := b.make(capability.SlotVSpace, capability.PageTable4, abi.PageSize, abi.PageSize); err != nil {
		return err
	}
	archive := b.own(capability.SlotArchive)
	frames := append([]Frame{
		{abi.ArchiveBase, archive, 0, b.ArchiveSize, abi.ProtRead},
		{abi.DispatcherBase, b.own(capability.SlotDispatcher), sharedAt, abi.DispatcherSize, abi.ProtRead | abi.ProtWrite},
	}, b.Frames...)

	slot, err := b.next()
	if err != nil {
		return err
	}
	size := b.data()
	if err := b.make(slot, capability.Frame, size, abi.PageSize); err != nil {
		return err
	}
	data, at := b.own(slot), uint64(0)
	err = b.Fill(data, size, func(memory []byte) {
		for _, s := range b.Image.Segments {
			if s.Prot&abi.ProtWrite == 0 {
				frames = append(frames, Frame{s.Address, archive, b.LibosOffset + s.Offset, s.Size, s.Prot})
				continue
			}
			copy(memory[at:], b.Libos[s.Offset:s.Offset+s.FileSize])
			frames = append(frames, Frame{s.Address, data, at, s.Size, s.Prot})
			at += s.Size
		}
		copy(memory[at:], b.Info)
	})
	if err != nil {
		return err
	}
	frames = append(frames, Frame{abi.InfoBase, data, at, size - at, abi.ProtRead})
	for i := range frames {
		if err := b.mapFrame(&frames[i]); err != nil {
			return err
		}
	}
	return nil
}
