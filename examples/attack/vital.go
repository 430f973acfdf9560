package main

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/supply"
	"skerry/lib/urpc"
)

// vitalAttacks turn on what the program itself lives on: what becomes of it is
// its own affair, as long as nobody else notices.
var vitalAttacks = []attack{
	{"vital-delete-all", "delete all capabilities that the program was given, and go on", func(string) (outcome, error) {
		for slot := uint64(capability.L2Slots - 1); slot > 0; slot-- {
			if slot != capability.SlotDispatcher {
				invoke(own(capability.SlotBase), capability.L2CNodeDelete, slot)
			}
		}
		return afterDamage()
	}},
	{"vital-revoke-all", "revoke all capabilities that the program was given, and go on", func(string) (outcome, error) {
		for slot := uint64(capability.L2Slots - 1); slot > 0; slot-- {
			invoke(own(capability.SlotBase), capability.L2CNodeRevoke, slot)
		}
		return afterDamage()
	}},
	{"vital-memory", "revoke the memory that the program consists of", func(string) (outcome, error) {
		for n := range uint64(capability.MemorySlots) {
			invoke(own(capability.SlotBase), capability.L2CNodeRevoke, capability.SlotMemory+n)
		}
		return afterDamage()
	}},
	{"vital-tables", "delete the page tables of the program", func(string) (outcome, error) {
		for slot := uint64(capability.SlotSpawned); slot < capability.SlotMemory; slot++ {
			invoke(own(capability.SlotBase), capability.L2CNodeDelete, slot)
		}
		return afterDamage()
	}},
	{"vital-top-table", "delete the top table of the program", func(string) (outcome, error) {
		invoke(own(capability.SlotBase), capability.L2CNodeRevoke, capability.SlotVSpace)
		invoke(own(capability.SlotBase), capability.L2CNodeDelete, capability.SlotVSpace)
		return afterDamage()
	}},
	{"vital-dispatcher", "delete the dispatcher that the program runs on, and all others' capabilities to it", func(string) (outcome, error) {
		invoke(own(capability.SlotBase), capability.L2CNodeRevoke, capability.SlotDispatcher)
		invoke(own(capability.SlotBase), capability.L2CNodeDelete, capability.SlotDispatcher)
		return afterDamage()
	}},
	{"vital-cspace", "put an empty CSpace in the place of the program's", inWorkshop(func(w *workshop) (outcome, error) {
		l1 := w.make(capability.L1CNode, 16<<10)
		if err, _ := invoke(own(capability.SlotDispatcher), capability.DispatcherSetCSpace, uint64(l1)); err != capability.OK {
			return "", err
		}
		return afterDamage()
	})},
	{"vital-cspace-delete", "delete the CNodes of the program", func(string) (outcome, error) {
		invoke(own(capability.SlotCSpace), capability.L1CNodeDelete, 1)
		invoke(own(capability.SlotBase), capability.L2CNodeDelete, capability.SlotCSpace)
		return afterDamage()
	}},
	{"vital-cspace-other", "make something else the CSpace", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		for _, r := range []capability.Reference{own(capability.SlotVSpace), own(capability.SlotArchive), w.ram, w.cnode, own(capability.SlotBase), 0} {
			err, _ := invoke(own(capability.SlotDispatcher), capability.DispatcherSetCSpace, uint64(r))
			t.refuse(err, "reference %#x became the CSpace", uint32(r))
		}
		return t.end()
	})},
	{"vital-mappings", "unmap the libos page by page", func(string) (outcome, error) {
		for slot := uint32(capability.SlotSpawned); slot < capability.SlotMemory; slot++ {
			for n := range uint64(8) {
				invoke(own(slot), capability.MappingUnmap, n, 1, abi.LibosBase+n*abi.PageSize)
			}
		}
		return afterDamage()
	}},
	{"vital-protect", "make the libos's memory read-only and its text writable", func(string) (outcome, error) {
		for slot := uint32(capability.SlotSpawned); slot < capability.SlotMemory; slot++ {
			if d, there := identify(own(slot)); !there || d.Type != capability.Mapping {
				continue
			}
			for _, p := range []uint64{abi.ProtRead | abi.ProtWrite | abi.ProtExec, abi.ProtWrite | abi.ProtExec} {
				if err, _ := invoke(own(slot), capability.MappingProtect, 0, 1, p, 0); err == capability.OK {
					breach("a mapping in slot %d became writable and executable", slot)
				}
			}
		}
		if faults(func() { store(abi.LibosBase, load(abi.LibosBase)) }) == nil {
			breach("the libos's text became writable")
		}
		for slot := uint32(capability.SlotSpawned); slot < capability.SlotMemory; slot++ {
			invoke(own(slot), capability.MappingProtect, 0, 1, abi.ProtRead, 0)
		}
		return afterDamage()
	}},
	{"vital-nested", "claim that a nested fault is being handled", func(string) (outcome, error) {
		store(abi.DispatcherBase+unsafe.Offsetof(abi.Dispatcher{}.Nested), 1)
		return afterDamage()
	}},
	{"vital-nested-heap", "fault in the libos's heap, with upcalls disabled and without", func(string) (outcome, error) {
		at := uintptr(abi.LibosHeap + 0x77_7777_7000)
		if faults(func() { load(at) }) == nil {
			return "the libos's heap can be read: it is the program's own", nil
		}
		store(abi.DispatcherBase+unsafe.Offsetof(abi.Dispatcher{}.Disabled), 1)
		for i := range uintptr(64) {
			store(at+i*0x4000_1000, 0x4141_4141)
		}
		return afterDamage()
	}},
	{"vital-nested-state", "change what a nested fault is to return to", func(string) (outcome, error) {
		registers := unsafe.Offsetof(abi.Dispatcher{}.NestedState)
		for offset := uintptr(0); offset < unsafe.Sizeof(abi.Registers{}); offset += 8 {
			store(abi.DispatcherBase+registers+offset, abi.KernelBase+abi.KernelOffset)
		}
		return afterDamage()
	}},
	{"vital-nested-elsewhere", "fault outside the libos's heap with upcalls disabled, and die of it", func(string) (outcome, error) {
		store(abi.DispatcherBase+unsafe.Offsetof(abi.Dispatcher{}.Disabled), 1)
		load(0x6666_dead_b000)
		breach("the fault came back")
		return "", nil
	}},
	{"vital-supply", "lie to the spawner about memory", func(string) (outcome, error) {
		lies := 0
		for _, p := range []supply.Piece{
			{Number: 0, Size: supply.Least}, {Number: 1, Size: 0}, {Number: 2, Size: 3}, {Number: 3, Size: 1 << 63}, {Number: 4, Size: ^uint64(0)},
			{Number: capability.MemorySlots, Size: supply.Least}, {Number: 1 << 20, Size: supply.Least}, {Number: ^uint32(0), Size: supply.Least}, {Number: 5, Size: 1 << 30},
		} {
			if !say(supply.Want, &p) {
				break
			}
			lies++
		}
		for _, number := range []uint32{7, capability.MemorySlots - 1, capability.MemorySlots, 1 << 30, ^uint32(0)} {
			if say(supply.Back, &supply.Piece{Number: number}) {
				lies++
			}
		}
		if say(99, &supply.Piece{}) {
			lies++
		}
		spinWithGS(abi.DispatcherBase, 100_000_000)
		return outcome(fmt.Sprintf("%d lies were told", lies)), nil
	}},
	{"vital-supply-back", "give the spawner back the memory that the program consists of", func(string) (outcome, error) {
		for n := range uint32(capability.MemorySlots) {
			say(supply.Back, &supply.Piece{Number: n})
		}
		return afterDamage()
	}},
	{"vital-supply-garbage", "fill the channel to the spawner with garbage", func(string) (outcome, error) {
		for offset := uintptr(0); offset < abi.SupplySize; offset += 8 {
			store(abi.SupplyBase+offset, 0x0010_0101_0010_0101*uint64(offset+1))
		}
		invoke(own(capability.SlotSupervisor), capability.DoorbellRing)
		return afterDamage()
	}},
}

// say sends the spawner a message over the libos's own channel, behind its
// back, and rings. It reports whether there was room: in the first turn of the
// ring alone.
func say(kind uint8, p *supply.Piece) bool {
	const headerAt, first = urpc.PayloadSize, urpc.Rings
	slots := urpc.Slots(abi.SupplySize)
	theirs, ours := uintptr(abi.SupplyBase+first), abi.SupplyBase+first+uintptr(slots)*urpc.Pitch
	header := func(ring uintptr, n int) *uint64 {
		at := ring + urpc.Place(n, slots) + headerAt
		return (*uint64)(unsafe.Pointer(at))
	}
	received, sent := 0, 0
	for received < slots && atomic.LoadUint64(header(theirs, received))&1 != 0 {
		received++
	}
	for sent < slots && atomic.LoadUint64(header(ours, sent))&1 != 0 {
		sent++
	}
	if sent == slots {
		return false
	}
	var payload [supply.PieceSize]byte
	p.Put(&payload)
	at := ours + urpc.Place(sent, slots)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(at)), len(payload)), payload[:])
	atomic.StoreUint64(header(ours, sent), 1|uint64(kind)<<8|supply.PieceSize<<16|uint64(received)<<32)
	invoke(own(capability.SlotSupervisor), capability.DoorbellRing)
	return true
}
