package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
)

// window is a page of the program's address space, in tables of its own, at
// which it maps a frame.
type window struct {
	tables  [3]capability.Reference // of level 3, 2 and 1
	links   [3]capability.Reference // the mappings of each in the one above
	frame   capability.Reference
	mapping capability.Reference
	ram     capability.Reference
}

// The window is the first page that an entry of the top table serves which no
// libos uses by itself.
const (
	windowEntry   = 200
	windowAddress = windowEntry << 39
)

// openWindow makes the tables and a frame, and tries the window once.
func openWindow() (w *window, err error) {
	w = new(window)
	if w.ram, err = takeRAM(4 * abi.PageSize); err != nil {
		return nil, err
	}
	slots, err := takeSlots(8)
	if err != nil {
		return nil, err
	}
	w.frame, w.mapping = slots+6, slots+7
	above, entry := capability.Base(capability.SlotVSpace), uint64(windowEntry)
	for i, t := range []capability.Type{capability.PageTable3, capability.PageTable2, capability.PageTable1} {
		w.tables[i], w.links[i] = slots+capability.Reference(i), slots+capability.Reference(3+i)
		if err := retype(w.tables[i], 1, w.ram, t, uint64(i)*abi.PageSize, abi.PageSize); err != nil {
			return nil, err
		}
		if err := mapInto(above, entry, w.tables[i], w.links[i], 0); err != nil {
			return nil, err
		}
		above, entry = w.tables[i], 0
	}
	if err := retype(w.frame, 1, w.ram, capability.Frame, 3*abi.PageSize, abi.PageSize); err != nil {
		return nil, err
	}
	if err := w.mapPage(); err != nil {
		return nil, err
	}
	*(*uint64)(unsafe.Pointer(uintptr(windowAddress))) = 1
	return w, w.unmapPage()
}

// mapInto maps one frame or table into an entry of a table.
func mapInto(table capability.Reference, entry uint64, source, mapping capability.Reference, protection uint64) error {
	return invoke(table, capability.PageTable1Map, entry|1<<32, uint64(source), uint64(mapping), 0, protection)
}

func (w *window) mapPage() error {
	return mapInto(w.tables[2], 0, w.frame, w.mapping, abi.ProtRead|abi.ProtWrite)
}

// unmapPage says where the page is, so that no more than it is flushed.
func (w *window) unmapPage() error {
	return invoke(w.mapping, capability.MappingUnmap, 0, 1, windowAddress)
}

// close takes the tables out of the address space again.
func (w *window) close() {
	for _, slot := range append(w.tables[:], w.frame) {
		must(remove(slot)) // the mappings go with what is mapped
	}
	giveBack(w.ram)
}
