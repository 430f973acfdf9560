package main

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
)

// referenceAttacks name capabilities that the program does not have, or ask of
// those it has what its rights do not allow.
var referenceAttacks = []attack{
	{"cap-forged", "name every slot that a reference can name nearby", func(string) (outcome, error) {
		found := 0
		for l1 := range uint32(1 << 10) {
			for slot := range uint32(capability.L2Slots) {
				found += harmless(capability.MakeReference(l1, slot))
			}
			found += harmless(capability.LevelOneReference(l1))
		}
		return outcome(fmt.Sprintf("%d slots hold something, all of it the program's", found)), nil
	}},
	{"cap-forged-far", "name slots far beyond the CSpace", func(string) (outcome, error) {
		var t tries
		for bit := 8; bit < 32; bit++ {
			for _, low := range []uint32{0, 1, 5, 255} {
				r := capability.Reference(1<<bit | low)
				if r.L1() < 1<<10 {
					continue
				}
				err, _ := invoke(r, capability.InvokeNop)
				t.refuse(err, "reference %#x was found", uint32(r))
				err, _ = invoke(r|capability.LevelOne, capability.InvokeNop)
				t.refuse(err, "reference %#x was found", uint32(r|capability.LevelOne))
			}
		}
		return t.end()
	}},
	{"cap-kernel-slots", "name and fill the kernel's slot of a CNode", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		for _, cnode := range []capability.Reference{own(capability.SlotBase), w.cnode} {
			for _, index := range []uint64{0, 256, 257, 1 << 22, 1<<23 - 1, 1 << 23, 1 << 32, ^uint64(0)} {
				err, _ := invoke(cnode, capability.L2CNodeCopy, index, uint64(w.ram))
				t.refuse(err, "a capability was put into slot %#x", index)
				err, _ = invoke(cnode, capability.L2CNodeDelete, index)
				t.refuse(err, "slot %#x was deleted", index)
			}
		}
		err, _ := invoke(capability.MakeReference(1, 0), capability.InvokeNop)
		t.refuse(err, "slot 0 was found")
		return t.end()
	})},
	{"cap-numbers", "make invocations with numbers that do not exist", func(string) (outcome, error) {
		var t tries
		for slot := range uint32(capability.SlotFree) {
			for _, i := range []capability.Invocation{40, 100, 1 << 8, 1 << 16, 1 << 24, 1 << 31, 1<<32 - 1} {
				err, _ := invoke(own(slot), i, 1, 2, 3, 4, 5)
				t.refuse(err, "slot %d served invocation %#x", slot, i)
			}
		}
		return t.end()
	}},
	{"cap-identify-kernel", "have a capability described over the kernel", func(string) (outcome, error) {
		var t tries
		for _, r := range append(append([]region{}, hidden...), shared...) {
			err, _ := invoke(own(capability.SlotCSpace), capability.InvokeIdentify, uint64(r.address))
			t.refuse(err, "Identify wrote to %s (%#x)", r.name, r.address)
			err, _ = invoke(own(capability.SlotDispatcher), capability.DispatcherStatus, uint64(r.address))
			t.refuse(err, "Status wrote to %s (%#x)", r.name, r.address)
		}
		return t.end()
	}},
	{"cap-identify-edge", "have a capability described across the end of memory", func(string) (outcome, error) {
		var t tries
		at, err := mapFixed(0x6000_0000_0000, abi.PageSize)
		if err != nil {
			return "", err
		}
		store(at, 0)
		for _, back := range []uint64{1, 8, 16, 23} {
			err, _ := invoke(own(capability.SlotCSpace), capability.InvokeIdentify, uint64(at)+abi.PageSize-back)
			t.refuse(err, "Identify wrote across the end of memory")
		}
		return t.end()
	}},
	{"cap-kernel", "ask of the kernel what only monitors may", func(string) (outcome, error) {
		var t tries
		buffer := make([]byte, 8<<10)
		at := addressOf(&buffer[0])
		for _, r := range []capability.Reference{own(capability.SlotLog), own(capability.SlotKernel)} {
			for _, c := range []struct {
				i capability.Invocation
				a []uint64
			}{
				{capability.KernelInformation, []uint64{at}}, {capability.KernelDispatcher, []uint64{0, at}},
				{capability.KernelNext, []uint64{at}}, {capability.KernelState, []uint64{0}},
				{capability.KernelDistance, []uint64{0}}, {capability.KernelCommandLine, []uint64{at, 100}},
				{capability.KernelNotify, []uint64{0}}, {capability.KernelPortWrite, []uint64{abi.PortConsole, at, 1}},
				{capability.KernelPortWrite, []uint64{abi.PortLink, at, 1}}, {capability.KernelPortRead, []uint64{abi.PortLink, at, 1}},
				{capability.KernelPower, []uint64{abi.PowerOff, 0}}, {capability.KernelPower, []uint64{abi.PowerReset, 0}},
				{capability.KernelReclaim, []uint64{uint64(own(200))}}, {capability.KernelRelations, []uint64{uint64(own(capability.SlotCSpace)), 1, 7}},
				{capability.KernelLend, []uint64{uint64(own(capability.SlotMemory)), 1}},
				{capability.KernelAdopt, []uint64{uint64(own(200)), 0, 2 << 20}}, {capability.KernelRelease, []uint64{uint64(own(capability.SlotMemory))}},
				{capability.KernelRegain, []uint64{uint64(own(capability.SlotMemory))}},
				{capability.KernelImport, []uint64{uint64(own(200)), uint64(capability.Frame), 32 << 20, abi.PageSize, capability.ImportFrom(1, capability.AllRights)}},
				{capability.KernelExpel, []uint64{32 << 20, abi.PageSize}},
				{capability.KernelShare, []uint64{1, 1}},
			} {
				err, _ := invoke(r, c.i, c.a...)
				t.refuse(err, "the kernel served %s", capability.InvocationName(capability.Kernel, c.i))
			}
		}
		return t.end()
	}},
	{"cap-devices", "use I/O ports, interrupts, counters, and doorbells of other cores", func(string) (outcome, error) {
		var t tries
		for _, slot := range []uint32{capability.SlotIRQSource, capability.SlotIRQDestination, capability.SlotIOPorts, capability.SlotCounters, capability.SlotDomains, capability.SlotDoorbells} {
			for i := range capability.Invocation(6) {
				err, _ := invoke(own(slot), i, 0x64, 1, 0xfe)
				t.refuse(err, "slot %d served invocation %d", slot, i)
			}
		}
		return t.end()
	}},
	{"cap-more-rights", "copy capabilities with more rights than they have", inWorkshop(func(w *workshop) (outcome, error) {
		copied := 0
		for slot := range uint32(capability.SlotSpawned) {
			before, ok := identify(own(slot))
			if !ok {
				continue
			}
			to := w.slot()
			if err, _ := invoke(w.cnode, capability.L2CNodeMint, uint64(to.Slot()), uint64(own(slot)), uint64(capability.AllRights)); err != capability.OK {
				continue
			}
			copied++
			if after, ok := identify(to); !ok || after.Rights&^before.Rights != 0 || after.Base != before.Base || after.Size != before.Size {
				breach("%+v was copied as %+v", before, after)
			}
		}
		return outcome(fmt.Sprintf("%d copies have no more rights", copied)), nil
	})},
	{"cap-without-grant", "copy a capability that may not be copied", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		frame := w.make(capability.Frame, abi.PageSize)
		kept := w.slot()
		invoke(w.cnode, capability.L2CNodeMint, uint64(kept.Slot()), uint64(frame), uint64(capability.RightRead))
		to := w.slot()
		err, _ := invoke(w.cnode, capability.L2CNodeCopy, uint64(to.Slot()), uint64(kept))
		t.refuse(err, "a capability without right Grant was copied")
		err, _ = invoke(w.cnode, capability.L2CNodeMint, uint64(to.Slot()), uint64(kept), 1)
		t.refuse(err, "a capability without right Grant was minted")
		err, _ = invoke(w.cnode, capability.L2CNodeRevoke, uint64(kept.Slot()))
		t.refuse(err, "a capability without right Revoke was revoked")
		t.refuse(w.retype(to, kept, capability.Frame, 0, abi.PageSize), "a capability without right Retype was retyped")
		return t.end()
	})},
	{"cap-revoke-others", "revoke what others have copies of", func(string) (outcome, error) {
		var t tries
		for _, slot := range []uint32{capability.SlotArchive, capability.SlotSupervisor, capability.SlotLog} {
			if _, there := identify(own(slot)); !there {
				continue
			}
			err, _ := invoke(own(capability.SlotBase), capability.L2CNodeRevoke, uint64(slot))
			t.refuse(err, "slot %d was revoked", slot)
		}
		return t.end()
	}},
	{"cap-retype-archive", "make other things of the boot archive", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		for k := range capability.NumTypes {
			if k == capability.Frame {
				continue // a part of it is no more than it
			}
			t.refuse(w.retype(w.slot(), own(capability.SlotArchive), k, 0, max(capability.Of(k).Least, 1)), "%v was made of the archive", k)
		}
		return t.end()
	})},
	{"cap-ring-everything", "ring what is no doorbell", func(string) (outcome, error) {
		var t tries
		for _, slot := range []uint32{capability.SlotDomain, capability.SlotArchive, capability.SlotMemory} {
			err, _ := invoke(own(slot), capability.DoorbellRing)
			t.refuse(err, "slot %d was rung", slot)
		}
		return t.end()
	}},
	{"cap-ring-flood", "ring the spawner without end", func(string) (outcome, error) {
		served := 0
		for range 100_000 {
			if err, _ := invoke(own(capability.SlotSupervisor), capability.DoorbellRing); err == capability.OK {
				served++
			}
		}
		return outcome(fmt.Sprintf("it was rung %d times", served)), nil
	}},
	{"cap-log", "flood the kernel's log", func(string) (outcome, error) {
		line := []byte("a line of an attack\x1b[2J\x00\xff\nskerry: kernel panic (not really)")
		served := 0
		for range 1000 {
			if err, _ := invoke(own(capability.SlotLog), capability.KernelLog, addressOf(&line[0]), uint64(len(line))); err == capability.OK {
				served++
			}
		}
		return outcome(fmt.Sprintf("%d of 1000 lines were taken", served)), nil
	}},
	{"cap-log-wild", "log the kernel's memory", func(string) (outcome, error) {
		var t tries
		for _, r := range hidden {
			err, _ := invoke(own(capability.SlotLog), capability.KernelLog, uint64(r.address), 64)
			t.refuse(err, "%s was logged", r.name)
		}
		for _, n := range []uint64{257, 1 << 12, 1 << 32, 1 << 63, ^uint64(0)} {
			err, _ := invoke(own(capability.SlotLog), capability.KernelLog, abi.ArchiveBase, n)
			t.refuse(err, "a line of %#x bytes was logged", n)
		}
		return t.end()
	}},
	{"libos-wild", "make the libos's own calls with wild arguments", func(string) (outcome, error) {
		refused, served := 0, 0
		for number := uintptr(abi.LibosCall); number < abi.LibosCallEnd+8; number++ {
			for _, p := range wild {
				if _, err := libos(number, p, p, p, p, p, p); err != nil {
					refused++
				} else {
					served++
				}
			}
		}
		return outcome(fmt.Sprintf("%d calls refused, %d served", refused, served)), nil
	}},
	{"libos-slots", "give the libos back slots that it did not give", func(string) (outcome, error) {
		refused := 0
		for slot := range uint32(capability.L2Slots) {
			if _, err := libos(abi.LibosFreeSlot, uintptr(own(slot))); err != nil {
				refused++
			}
			if _, err := libos(abi.LibosGiveRAM, uintptr(own(slot))); err != nil {
				refused++
			}
		}
		return outcome(fmt.Sprintf("%d of %d were refused", refused, 2*capability.L2Slots)), nil
	}},
	{"libos-map-over", "have the libos map frames over itself and the kernel", inWorkshop(func(w *workshop) (outcome, error) {
		frame := w.make(capability.Frame, 4*abi.PageSize)
		refused := 0
		for _, at := range []uintptr{abi.LibosBase, abi.LibosHeap, abi.DispatcherBase, abi.InfoBase, abi.StdioBase, abi.ArchiveBase, abi.ProgramTop, abi.UserTop - abi.PageSize,
			abi.WindowBase, abi.KernelBase, abi.UserTop, ^uintptr(abi.PageSize - 1)} {
			if _, err := libos(abi.LibosMap, at, uintptr(frame), 0, abi.PageSize, abi.ProtRead|abi.ProtWrite); err == nil {
				breach("a frame was mapped at %#x", at)
			}
			refused++
		}
		for _, r := range []capability.Reference{w.ram, own(capability.SlotVSpace), own(capability.SlotCSpace), own(capability.SlotDispatcher), 0, 1, ^capability.Reference(0)} {
			if at, err := libos(abi.LibosMap, 0, uintptr(r), 0, abi.PageSize, abi.ProtRead|abi.ProtWrite); err == nil {
				if faults(func() { store(at, load(at)) }) == nil {
					breach("reference %#x was mapped and can be written", uint32(r))
				}
			}
			refused++
		}
		return outcome(fmt.Sprintf("%d mappings were of no use", refused)), nil
	})},
	{"memory-slots", "take slots and CNodes until there are no more", func(string) (outcome, error) {
		taken := 0
		for range 1 << 20 {
			if _, err := libos(abi.LibosSlot); err != nil {
				return "", fmt.Errorf("after %d slots: %w", taken, err)
			}
			taken++
		}
		return outcome(fmt.Sprintf("%d slots were taken", taken)), nil
	}},
	{"memory-ram", "take RAM until there is no more", func(string) (outcome, error) {
		for taken := 0; ; taken++ {
			slot, err := libos(abi.LibosSlot)
			if err == nil {
				_, err = libos(abi.LibosRAM, 1<<20, slot)
			}
			if err != nil {
				return "", fmt.Errorf("after %d MiB: %w", taken, err)
			}
		}
	}},
}

// harmless counts 1 for a slot that holds something, and ends the program if no
// program may have it.
func harmless(r capability.Reference) int {
	d, there := identify(r)
	if !there {
		return 0
	}
	switch d.Type {
	case capability.PhysicalRange, capability.DeviceFrame, capability.IRQSource, capability.IRQDestination, capability.IOPorts, capability.PerformanceCounter:
		breach("reference %#x names a %v", uint32(r), d.Type)
	case capability.Kernel:
		if d.Rights&^(capability.RightWrite|capability.RightGrant) != 0 {
			breach("reference %#x names the kernel with rights %v", uint32(r), d.Rights)
		}
	}
	return 1
}
