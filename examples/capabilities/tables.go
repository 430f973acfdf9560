package main

import (
	"fmt"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	invoke "skerry/lib/capability"
)

// The program builds a part of its address space by itself, below an entry of
// the top table that the libos has no use for.
const (
	ownEntry   = 200
	ownAddress = ownEntry << 39
	hugePage   = 2 << 20
)

// showTables maps a page of 2 MiB by hand.
func showTables() error {
	frame, err := newObject(capability.Frame, hugePage)
	if err != nil {
		return err
	}
	if err := describe("made a frame of 2 MiB", frame); err != nil {
		return err
	}
	list, err := slots(4)
	if err != nil {
		return err
	}
	tables := [2]capability.Reference{}
	above, entry := capability.Base(capability.SlotVSpace), uint32(ownEntry)
	for i, t := range []capability.Type{capability.PageTable3, capability.PageTable2} {
		if tables[i], err = newTable(t); err != nil {
			return err
		}
		if err := mapEntry(above, entry, tables[i], list[i], 0); err != nil {
			return err
		}
		say("mapped a %v into entry %d of the table above", t, entry)
		above, entry = tables[i], 0
	}
	if err := refused("map the first table a second time", mapEntry(capability.Base(capability.SlotVSpace), ownEntry+1, tables[0], list[3], 0)); err != nil {
		return err
	}
	mapping := list[2]
	if err := mapEntry(above, 0, frame, mapping, abi.ProtRead|abi.ProtWrite); err != nil {
		return err
	}
	if err := describe("mapped the frame by one entry", mapping); err != nil {
		return err
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(ownAddress))), hugePage)
	memory[0], memory[hugePage-1] = 1, 2
	say("wrote to its first and last byte: %d, %d", memory[0], memory[hugePage-1])
	if err := invoke.Mapping(mapping).Protect(0, 1, abi.ProtRead, ownAddress); err != nil {
		return err
	}
	say("made it read-only: it reads %d, writing faults: %v", memory[0], faults(func() { memory[0] = 3 }))
	if err := invoke.Mapping(mapping).Unmap(0, 1, ownAddress); err != nil {
		return err
	}
	say("unmapped it: reading faults: %v", faults(func() { sink = memory[0] }))
	if err := refused("the mapping", invoke.Mapping(mapping).Nop()); err != nil {
		return err
	}
	// Each table goes before the one above it.
	for _, t := range []capability.Reference{tables[1], tables[0]} {
		if err := remove(t); err != nil {
			return fmt.Errorf("delete a table: %w", err)
		}
	}
	return refused("deleted the tables: their mappings", invoke.Mapping(list[0]).Nop())
}

// newTable makes a page table.
func newTable(t capability.Type) (capability.Reference, error) {
	return newObject(t, abi.PageSize)
}

// mapEntry maps a frame from its start on, or a table, into one entry of a
// table.
func mapEntry(table capability.Reference, entry uint32, source, mapping capability.Reference, prot uint64) error {
	return invoke.PageTable1(table).Map(entry, 1, source, mapping, 0, prot)
}
