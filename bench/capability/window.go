package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
)

// window is a part of the program's address space, in tables of its own, at
// which it maps pages of a frame.
type window struct {
	tables   [3]capability.Reference // of level 3, 2 and 1
	frame    capability.Reference
	mappings capability.Reference // the first slot for a page's mapping
	ram      [4]capability.Reference
}

// The window is the first pages that an entry of the top table serves which no
// libos uses by itself.
const (
	windowEntry   = 200
	windowAddress = windowEntry << 39
)

// openWindow makes the tables and a frame, and tries the window once.
func openWindow() (w *window, err error) {
	w = new(window)
	slots, err := takeSlots(7 + places)
	if err != nil {
		return nil, err
	}
	links := slots + 4 // the mappings of each table in the one above
	w.frame, w.mappings = slots+3, slots+7
	above, entry := capability.Base(capability.SlotVSpace), uint64(windowEntry)
	for i, t := range []capability.Type{capability.PageTable3, capability.PageTable2, capability.PageTable1} {
		w.tables[i] = slots + capability.Reference(i)
		if w.ram[i], err = takeRAM(abi.PageSize); err != nil {
			return nil, err
		}
		if err := retype(w.tables[i], 1, w.ram[i], t, 0, abi.PageSize); err != nil {
			return nil, err
		}
		if err := mapInto(above, entry, w.tables[i], links+capability.Reference(i), 0, 0); err != nil {
			return nil, err
		}
		above, entry = w.tables[i], 0
	}
	if w.ram[3], err = takeRAM(places * abi.PageSize); err != nil {
		return nil, err
	}
	if err := retype(w.frame, 1, w.ram[3], capability.Frame, 0, places*abi.PageSize); err != nil {
		return nil, err
	}
	if err := w.mapPage(places - 1); err != nil {
		return nil, err
	}
	*(*uint64)(unsafe.Pointer(uintptr(windowAddress + (places-1)*abi.PageSize))) = 1
	return w, w.unmapPage(places - 1)
}

// mapInto maps one page from an offset into a frame on, or a table, into an
// entry of a table.
func mapInto(table capability.Reference, entry uint64, source, mapping capability.Reference, offset, protection uint64) error {
	return invoke(table, capability.PageTable1Map, entry|1<<32, uint64(source), uint64(mapping), offset, protection)
}

func (w *window) mapPage(i capability.Reference) error {
	return mapInto(w.tables[2], uint64(i), w.frame, w.mappings+i, uint64(i)*abi.PageSize, abi.ProtRead|abi.ProtWrite)
}

// unmapPage says where the page is, so that no more than it is flushed.
func (w *window) unmapPage(i capability.Reference) error {
	return invoke(w.mappings+i, capability.MappingUnmap, 0, 1, windowAddress+uint64(i)*abi.PageSize)
}

func (w *window) mapUnmap(i capability.Reference) error {
	if err := w.mapPage(i); err != nil {
		return err
	}
	return w.unmapPage(i)
}

// close takes the tables out of the address space again.
func (w *window) close() {
	for _, slot := range append(w.tables[:], w.frame) {
		must(remove(slot)) // the mappings go with what is mapped
	}
	for _, ram := range w.ram {
		giveBack(ram)
	}
}
