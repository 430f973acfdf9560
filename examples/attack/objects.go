package main

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
)

// objectAttacks make objects of the program's own memory, and of what they hold
// try to make more than the program may have.
var objectAttacks = []attack{
	{"retype-outside", "make objects beyond the memory they are made of", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		for _, c := range [][2]uint64{
			{workshopSize, abi.PageSize}, {workshopSize - abi.PageSize, 2 * abi.PageSize}, {0, workshopSize + abi.PageSize}, {0, 2 * workshopSize},
			{1 << 51, abi.PageSize}, {1<<52 - abi.PageSize, abi.PageSize}, {1 << 52, abi.PageSize}, {^uint64(abi.PageSize - 1), abi.PageSize}, {^uint64(abi.PageSize - 1), 2 * abi.PageSize},
			{0, 1 << 51}, {0, 1 << 52}, {abi.PageSize, ^uint64(abi.PageSize - 1)}, {0, 0}, {1, abi.PageSize}, {0, 1}, {abi.PageSize, 100}, {8, 8},
		} {
			for _, k := range []capability.Type{capability.RAM, capability.Frame, capability.L1CNode} {
				t.refuse(w.retype(capability.MakeReference(w.cnode.L1(), 200), w.ram, k, c[0], c[1]), "%v at %#x of %#x bytes was made of %#x bytes", k, c[0], c[1], workshopSize)
			}
		}
		return t.end()
	})},
	{"retype-count", "make more objects than fit", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		to := w.slot()
		for _, count := range []uint64{0, capability.MaxRetype + 1, 256, 257, 1 << 20, 1<<32 - 1} {
			err, _ := invoke(w.cnode, capability.L2CNodeRetype, uint64(to.Slot())|count<<32, uint64(w.ram), uint64(capability.RAM), 0, abi.PageSize)
			t.refuse(err, "%d objects were made at once", count)
		}
		for _, slot := range []uint64{0, 250, 255, 256} { // ten from there on
			err, _ := invoke(w.cnode, capability.L2CNodeRetype, slot|10<<32, uint64(w.ram), uint64(capability.RAM), 0, abi.PageSize)
			t.refuse(err, "ten objects were put into slots from %d on", slot)
		}
		return t.end()
	})},
	{"retype-forbidden", "make of RAM what is not made of RAM", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		for k := range capability.NumTypes + 8 {
			if !k.MadeOf(capability.RAM) {
				t.refuse(w.retype(w.slot(), w.ram, k, 0, max(capability.Of(k).Least, 1)), "%v was made of RAM", k)
			}
		}
		return t.end()
	})},
	{"retype-twice", "make two things of the same memory", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		for _, first := range []capability.Type{capability.PageTable1, capability.PageTable4, capability.L2CNode, capability.L1CNode, capability.Dispatcher, capability.KCB, capability.Frame} {
			w.make(first, capability.Of(first).Least)
			at := w.used - capability.Of(first).Least
			for _, second := range []capability.Type{capability.Frame, capability.RAM, capability.PageTable1, capability.L1CNode} {
				err := w.retype(w.slot(), w.ram, second, at, abi.PageSize)
				t.refuse(err, "%v was made where there is a %v", second, first)
			}
		}
		return t.end()
	})},
	{"retype-own", "make frames of the memory that the libos uses", inWorkshop(func(w *workshop) (outcome, error) {
		made := 0
		for n := range uint32(capability.MemorySlots) {
			piece, there := identify(own(capability.SlotMemory + n))
			for at := uint64(0); there && at < piece.Size && w.next < 250; at += abi.PageSize {
				to := w.slot()
				if w.retype(to, own(capability.SlotMemory+n), capability.Frame, at, abi.PageSize) != capability.OK {
					w.next--
					continue
				}
				made++
			}
		}
		return outcome(fmt.Sprintf("%d frames were made of what is free, none of what is in use", made)), nil
	})},
	{"map-objects", "map page tables, CNodes and dispatchers as if they were frames", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		table := w.tables()
		for _, k := range []capability.Type{capability.RAM, capability.PageTable1, capability.PageTable2, capability.PageTable4, capability.L2CNode, capability.L1CNode, capability.KCB} {
			object := w.make(k, capability.Of(k).Least)
			for _, protection := range []uint64{abi.ProtRead, abi.ProtRead | abi.ProtWrite} {
				_, err := w.mapAt(table, 0, 1, object, 0, protection)
				t.refuse(err, "a %v was mapped", k)
			}
		}
		for _, slot := range []uint32{capability.SlotCSpace, capability.SlotBase, capability.SlotVSpace, capability.SlotDomain, capability.SlotEndpoint, capability.SlotSupervisor, capability.SlotLog} {
			_, err := w.mapAt(table, 0, 1, own(slot), 0, abi.ProtRead)
			t.refuse(err, "slot %d was mapped", slot)
		}
		return t.end()
	})},
	{"map-dispatcher", "map the parts of a dispatcher that are the kernel's", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		table := w.tables()
		for _, d := range []capability.Reference{own(capability.SlotDispatcher), w.make(capability.Dispatcher, capability.Of(capability.Dispatcher).Least)} {
			for _, c := range [][2]uint64{{0, 1}, {1, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {0, 8}, {1, 2}, {4, 2}, {2, 4}, {1 << 39, 1}} {
				_, err := w.mapAt(table, 0, c[1], d, c[0]*abi.PageSize, abi.ProtRead)
				t.refuse(err, "pages %d to %d of a dispatcher were mapped", c[0], c[0]+c[1])
			}
			_, err := w.mapAt(table, 0, 1, d, 2*abi.PageSize, abi.ProtRead|abi.ProtExec)
			t.refuse(err, "a dispatcher was mapped executable")
		}
		return t.end()
	})},
	{"map-write-execute-frame", "map a frame writable and executable", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		table, frame := w.tables(), w.make(capability.Frame, 2*abi.PageSize)
		both := uint64(abi.ProtRead | abi.ProtWrite | abi.ProtExec)
		for _, p := range []uint64{both, abi.ProtWrite | abi.ProtExec, 8, 15, 1 << 32, ^uint64(0)} {
			_, err := w.mapAt(table, 0, 1, frame, 0, p)
			t.refuse(err, "a frame was mapped with protection %#x", p)
		}
		m, err := w.mapAt(table, 0, 2, frame, 0, abi.ProtRead|abi.ProtWrite)
		if err != capability.OK {
			return "", err
		}
		store(attackAddress, ret)
		for _, p := range []uint64{both, abi.ProtWrite | abi.ProtExec} {
			err, _ := invoke(m, capability.MappingProtect, 0, 2, p, attackAddress)
			t.refuse(err, "a mapping got protection %#x", p)
		}
		if faults(func() { call(attackAddress) }) == nil {
			breach("a writable frame was executed")
		}
		return t.end()
	})},
	{"map-beyond-rights", "map a frame with more than its rights", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		table, frame, less := w.tables(), w.make(capability.Frame, abi.PageSize), w.slot()
		invoke(w.cnode, capability.L2CNodeMint, uint64(less.Slot()), uint64(frame), uint64(capability.RightRead))
		for _, source := range []capability.Reference{less, own(capability.SlotArchive)} {
			_, err := w.mapAt(table, 0, 1, source, 0, abi.ProtRead|abi.ProtWrite)
			t.refuse(err, "a frame was mapped writable without right Write")
			m, err := w.mapAt(table, 0, 1, source, 0, abi.ProtRead)
			if err != capability.OK {
				return "", err
			}
			err, _ = invoke(m, capability.MappingProtect, 0, 1, abi.ProtRead|abi.ProtWrite, attackAddress)
			t.refuse(err, "a mapping became writable without right Write")
			if faults(func() { store(attackAddress, 1) }) == nil {
				breach("a frame without right Write was written")
			}
			invoke(m, capability.MappingUnmap, 0, 1, attackAddress)
		}
		return t.end()
	})},
	{"map-kernel-half", "map into the kernel's half of the address space", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		below := w.make(capability.PageTable3, abi.PageSize)
		for _, top := range []capability.Reference{own(capability.SlotVSpace), w.make(capability.PageTable4, abi.PageSize)} {
			for _, entry := range []uint64{256, 257, 384, 510, 511, 512, 1<<23 - 1} {
				_, err := w.mapAt(top, entry, 1, below, 0, 0)
				t.refuse(err, "a table was mapped at entry %d of a top table", entry)
			}
		}
		return t.end()
	})},
	{"map-outside", "map more entries than a table or a frame has", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		table, frame := w.tables(), w.make(capability.Frame, 4*abi.PageSize)
		for _, c := range [][3]uint64{ // entry, count, offset in pages
			{511, 2, 0}, {512, 1, 0}, {500, 13, 0}, {0, 513, 0}, {0, 0, 0}, {0, 5, 0}, {0, 1, 4}, {0, 4, 1}, {0, 1, 1 << 39}, {0, 1<<32 - 1, 0}, {1<<23 - 1, 1, 0}, {1<<32 - 1, 1, 0},
		} {
			_, err := w.mapAt(table, c[0], c[1], frame, c[2]*abi.PageSize, abi.ProtRead)
			t.refuse(err, "entries %d to %d were mapped to page %d of four", c[0], c[0]+c[1], c[2])
		}
		for _, offset := range []uint64{1, 8, 4095, 1 << 52, ^uint64(0)} {
			_, err := w.mapAt(table, 0, 1, frame, offset, abi.ProtRead)
			t.refuse(err, "an offset of %#x was mapped", offset)
		}
		return t.end()
	})},
	{"map-large-unaligned", "map small frames by large pages", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		frame := w.make(capability.Frame, 4*abi.PageSize)
		for _, k := range []capability.Type{capability.PageTable2, capability.PageTable3, capability.PageTable4, capability.PageTable5} {
			table := w.make(k, abi.PageSize)
			_, err := w.mapAt(table, 0, 1, frame, 0, abi.ProtRead)
			t.refuse(err, "a frame of four pages was mapped into a %v", k)
		}
		return t.end()
	})},
	{"map-levels", "map tables at levels where they do not belong", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		levels := []capability.Type{capability.PageTable1, capability.PageTable2, capability.PageTable3, capability.PageTable4}
		for i, above := range levels {
			for j, below := range levels {
				if i == j+1 {
					continue
				}
				table := w.make(above, abi.PageSize)
				_, err := w.mapAt(table, 0, 1, w.make(below, abi.PageSize), 0, 0)
				t.refuse(err, "a %v was mapped into a %v", below, above)
				_, err = w.mapAt(table, 0, 1, table, 0, 0)
				t.refuse(err, "a %v was mapped into itself", above)
			}
		}
		_, err := w.mapAt(w.make(capability.PageTable1, abi.PageSize), 0, 1, own(capability.SlotVSpace), 0, 0)
		t.refuse(err, "the top table was mapped")
		return t.end()
	})},
	{"map-twice", "map a table in two places, and over what is mapped", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		top, other, below := w.make(capability.PageTable4, abi.PageSize), w.make(capability.PageTable4, abi.PageSize), w.make(capability.PageTable3, abi.PageSize)
		if _, err := w.mapAt(top, 0, 1, below, 0, 0); err != capability.OK {
			return "", err
		}
		for _, c := range []struct {
			table capability.Reference
			entry uint64
		}{{top, 1}, {other, 0}, {own(capability.SlotVSpace), attackEntry}} {
			_, err := w.mapAt(c.table, c.entry, 1, below, 0, 0)
			t.refuse(err, "a table was mapped in two places")
		}
		_, err := w.mapAt(top, 0, 1, w.make(capability.PageTable3, abi.PageSize), 0, 0)
		t.refuse(err, "a table was mapped over another")
		return t.end()
	})},
	{"map-into-used-slot", "put a mapping into a slot that is not empty", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		table, frame := w.tables(), w.make(capability.Frame, abi.PageSize)
		for _, slot := range []capability.Reference{frame, table, w.ram, own(capability.SlotDispatcher), w.cnode, capability.MakeReference(w.cnode.L1(), 0), 0, ^capability.Reference(0)} {
			err, _ := invoke(table, capability.PageTable1Map, 0|1<<32, uint64(frame), uint64(slot), 0, abi.ProtRead)
			t.refuse(err, "a mapping was put into %#x", uint32(slot))
		}
		if faults(func() { load(attackAddress) }) == nil {
			breach("a mapping that was refused is there")
		}
		return t.end()
	})},
	{"unmap-lying", "unmap pages with an address that is not theirs", inWorkshop(func(w *workshop) (outcome, error) {
		table, frame := w.tables(), w.make(capability.Frame, 8*abi.PageSize)
		lies := []uint64{0, attackAddress + abi.PageSize, attackAddress + 8*abi.PageSize, attackAddress &^ (1<<39 - 1) >> 1, uint64(codeAddress()) &^ (abi.PageSize - 1), abi.DispatcherBase, abi.LibosBase, 1<<47 - abi.PageSize}
		for _, lie := range lies {
			m, err := w.mapAt(table, 0, 8, frame, 0, abi.ProtRead|abi.ProtWrite)
			if err != capability.OK {
				return "", err
			}
			for i := range uintptr(8) {
				store(attackAddress+i*abi.PageSize, 1)
			}
			invoke(m, capability.MappingProtect, 0, 8, abi.ProtRead, lie)
			if faults(func() { store(attackAddress, 1) }) == nil {
				breach("pages can be written after Protect with the address %#x", lie)
			}
			invoke(m, capability.MappingUnmap, 0, 8, lie)
			for i := range uintptr(8) {
				if faults(func() { load(attackAddress + i*abi.PageSize) }) == nil {
					breach("page %d can be read after Unmap with the address %#x", i, lie)
				}
			}
		}
		return outcome(fmt.Sprintf("%d lies were of no use", len(lies))), nil
	})},
	{"unmap-outside", "change entries that a mapping does not have", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		table, frame := w.tables(), w.make(capability.Frame, 4*abi.PageSize)
		m, err := w.mapAt(table, 100, 4, frame, 0, abi.ProtRead)
		if err != capability.OK {
			return "", err
		}
		for _, c := range [][2]uint64{{0, 5}, {1, 4}, {4, 1}, {3, 2}, {1 << 51, 1}, {0, 1<<52 - 1}, {1<<52 - 1, 2}, {^uint64(0), 2}} {
			err, _ := invoke(m, capability.MappingProtect, c[0], c[1], abi.ProtRead, attackAddress)
			t.refuse(err, "entries %d to %d of four were protected", c[0], c[0]+c[1])
			err, _ = invoke(m, capability.MappingUnmap, c[0], c[1], attackAddress)
			t.refuse(err, "entries %d to %d of four were unmapped", c[0], c[0]+c[1])
		}
		return t.end()
	})},
	{"use-after-delete", "reach memory after its frame is gone", inWorkshop(func(w *workshop) (outcome, error) {
		table := w.tables()
		at := w.used
		for range 16 {
			w.used = at
			frame := w.make(capability.Frame, 4*abi.PageSize)
			if _, err := w.mapAt(table, 0, 4, frame, 0, abi.ProtRead|abi.ProtWrite); err != capability.OK {
				return "", err
			}
			for i := range uintptr(4) {
				if found := load(attackAddress + i*abi.PageSize); found != 0 {
					breach("a new frame holds %#x", found)
				}
				store(attackAddress+i*abi.PageSize, 0x6b72_616d)
			}
			for err := capability.ErrPending; err == capability.ErrPending; {
				err, _ = invoke(cnodeOf(frame), capability.L2CNodeDelete, uint64(frame.Slot()))
			}
			if faults(func() { load(attackAddress) }) == nil {
				breach("a frame that is gone can be read")
			}
		}
		return "new frames are zeroed, and none outlives its capability", nil
	})},
	{"forge-capability", "write a capability where a CNode is to be", inWorkshop(func(w *workshop) (outcome, error) {
		const size = 16 << 10 // of a CNode
		table := w.tables()
		at := (w.used + size - 1) &^ (size - 1)
		w.used = at
		frame := w.make(capability.Frame, size)
		if _, err := w.mapAt(table, 0, 4, frame, 0, abi.ProtRead|abi.ProtWrite); err != capability.OK {
			return "", err
		}
		for offset := uintptr(0); offset < size; offset += 8 {
			store(attackAddress+offset, 0x0101_0101_0101_0101*uint64(offset/8%32))
		}
		var t tries
		t.refuse(w.retype(w.slot(), w.ram, capability.L2CNode, at, size), "a CNode was made of a frame that is mapped")
		for err := capability.ErrPending; err == capability.ErrPending; {
			err, _ = invoke(cnodeOf(frame), capability.L2CNodeDelete, uint64(frame.Slot()))
		}
		w.used = at
		cnode := w.make(capability.L2CNode, size)
		if err, _ := invoke(own(capability.SlotCSpace), capability.L1CNodeCopy, 200, uint64(cnode)); err != capability.OK {
			return "", err
		}
		for slot := range uint32(capability.L2Slots) {
			err, _ := invoke(capability.MakeReference(200, slot), capability.InvokeNop)
			t.refuse(err, "slot %d of a new CNode holds something", slot)
		}
		return t.end()
	})},
	{"cnode-cycle", "hide CNodes within themselves", inWorkshop(func(w *workshop) (outcome, error) {
		hidden := 0
		for range 24 {
			l1, l2 := w.make(capability.L1CNode, abi.PageSize), w.make(capability.L2CNode, 16<<10)
			invoke(l1, capability.L1CNodeCopy, 1, uint64(l2))
			invoke(own(capability.SlotCSpace), capability.L1CNodeCopy, 201, uint64(l2))
			inside := capability.LevelOneReference(201)
			invoke(inside, capability.L2CNodeMove, 1, uint64(l1))
			invoke(inside, capability.L2CNodeMove, 2, uint64(l2))
			if err, _ := invoke(own(capability.SlotCSpace), capability.L1CNodeDelete, 201); err == capability.OK || err == capability.ErrPending {
				hidden++
			}
		}
		return outcome(fmt.Sprintf("%d CNodes can be reached from themselves alone", hidden)), nil
	})},
	{"revoke-much", "have the kernel revoke thousands of capabilities", inWorkshop(func(w *workshop) (outcome, error) {
		made := 0
		for n := range uint64(20) {
			cnode := w.make(capability.L2CNode, 16<<10)
			if err, _ := invoke(own(capability.SlotCSpace), capability.L1CNodeCopy, 202, uint64(cnode)); err != capability.OK {
				return "", err
			}
			for slot := uint64(1); slot < capability.L2Slots; slot++ {
				if err, _ := invoke(capability.LevelOneReference(202), capability.L2CNodeCopy, slot, uint64(w.ram)); err == capability.OK {
					made++
				}
			}
			if err, _ := invoke(own(capability.SlotCSpace), capability.L1CNodeDelete, 202); err != capability.OK {
				return "", fmt.Errorf("after %d CNodes: %w", n, err)
			}
		}
		asked := 0
		for err := capability.ErrPending; err != capability.OK; asked++ {
			if err, _ = invoke(cnodeOf(w.ram), capability.L2CNodeRevoke, uint64(w.ram.Slot())); err != capability.OK && err != capability.ErrPending && err != capability.ErrRevoking {
				return "", err
			}
		}
		return outcome(fmt.Sprintf("%d copies and what was made went in no more than %d events", made, asked)), nil
	})},
	{"revoke-under-way", "use and revoke what is being revoked", inWorkshop(func(w *workshop) (outcome, error) {
		var frames []capability.Reference
		for range 100 {
			frames = append(frames, w.make(capability.Frame, abi.PageSize))
		}
		cnode, slot := cnodeOf(w.ram), uint64(w.ram.Slot())
		invoke(cnode, capability.L2CNodeRevoke, slot)
		for i, f := range frames {
			invoke(f, capability.InvokeNop)
			invoke(w.cnode, capability.L2CNodeDelete, uint64(f.Slot()))
			w.retype(f, w.ram, capability.Frame, uint64(i)*abi.PageSize, abi.PageSize)
			invoke(cnode, capability.L2CNodeRevoke, slot)
			invoke(w.cnode, capability.L2CNodeMove, uint64(200), uint64(f))
		}
		for n := 0; ; n++ {
			if err, _ := invoke(cnode, capability.L2CNodeRevoke, slot); err == capability.OK {
				return outcome(fmt.Sprintf("all is gone after %d events more", n)), nil
			}
		}
	})},
	{"run-wild", "run dispatchers set up with anything", inWorkshop(func(w *workshop) (outcome, error) {
		vspace, cspace := w.make(capability.PageTable4, abi.PageSize), w.make(capability.L1CNode, abi.PageSize)
		ran := 0
		for _, entry := range []uint64{0, 8, uint64(codeAddress()), abi.LibosBase, abi.UserTop - 1, abi.UserTop, abi.KernelBase + abi.KernelOffset, ^uint64(0), 0x1234_5678_9abc_def0} {
			for _, space := range []capability.Reference{vspace, own(capability.SlotVSpace), cspace, 0} {
				d := w.make(capability.Dispatcher, capability.Of(capability.Dispatcher).Least)
				err, _ := invoke(d, capability.DispatcherSetup, uint64(cspace), uint64(space), uint64(own(capability.SlotDomain)), 0, entry)
				if err == capability.OK && entry >= abi.UserTop {
					breach("a dispatcher was set up to start at %#x", entry)
				}
				invoke(d, capability.DispatcherSetName, ^uint64(0), 0x1b5b_324a_0a0d_0700, 1, 2)
				if err, _ := invoke(d, capability.DispatcherRun); err == capability.OK {
					ran++
				}
				for err := capability.ErrPending; err == capability.ErrPending; {
					spinWithGS(abi.DispatcherBase, 1_000_000)
					err, _ = invoke(w.cnode, capability.L2CNodeDelete, uint64(d.Slot()))
				}
				w.used -= capability.Of(capability.Dispatcher).Least
			}
		}
		return outcome(fmt.Sprintf("%d ran, and ended alone", ran)), nil
	})},
	{"run-identity", "set a dispatcher up as another domain's", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		vspace, cspace := w.make(capability.PageTable4, abi.PageSize), w.make(capability.L1CNode, abi.PageSize)
		d := w.make(capability.Dispatcher, capability.Of(capability.Dispatcher).Least)
		for _, domain := range []capability.Reference{own(capability.SlotDomains), own(capability.SlotCSpace), own(capability.SlotArchive), own(capability.SlotDispatcher), 0} {
			err, _ := invoke(d, capability.DispatcherSetup, uint64(cspace), uint64(vspace), uint64(domain), 0, 0x1000)
			t.refuse(err, "a dispatcher was set up for domain %#x", uint32(domain))
		}
		mine, _ := identify(own(capability.SlotDomain))
		for _, offset := range []uint64{1, mine.Size, 1 << 20, 1<<52 - 1} {
			t.refuse(w.retype(w.slot(), own(capability.SlotDomain), capability.Domain, offset, 1), "domain number %d was made of %d", mine.Base+offset, mine.Base)
		}
		return t.end()
	})},
	{"run-setup-self", "set up and run the program's own dispatcher anew", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		vspace, cspace := w.make(capability.PageTable4, abi.PageSize), w.make(capability.L1CNode, abi.PageSize)
		err, _ := invoke(own(capability.SlotDispatcher), capability.DispatcherSetup, uint64(cspace), uint64(vspace), uint64(own(capability.SlotDomain)), 0, 0x1000)
		t.refuse(err, "a dispatcher that runs was set up")
		return t.end()
	})},
	{"run-many", "run as many dispatchers as there is memory for", inWorkshop(func(w *workshop) (outcome, error) {
		vspace, cspace := w.make(capability.PageTable4, abi.PageSize), w.make(capability.L1CNode, abi.PageSize)
		ran := 0
		for range 28 {
			d := w.make(capability.Dispatcher, capability.Of(capability.Dispatcher).Least)
			invoke(d, capability.DispatcherSetup, uint64(cspace), uint64(vspace), uint64(own(capability.SlotDomain)), 0, 0x1000)
			if err, _ := invoke(d, capability.DispatcherRun); err == capability.OK {
				ran++
			}
		}
		spinWithGS(abi.DispatcherBase, 50_000_000)
		return outcome(fmt.Sprintf("%d ran", ran)), nil
	})},
	{"endpoint-forge", "make doorbells of what is no endpoint of the program's", inWorkshop(func(w *workshop) (outcome, error) {
		var t tries
		for _, slot := range []uint32{capability.SlotSupervisor, capability.SlotDispatcher, capability.SlotArchive, capability.SlotMemory, capability.SlotDomain} {
			t.refuse(w.retype(w.slot(), own(slot), capability.Doorbell, 0, 256), "a doorbell was made of slot %d", slot)
			if slot != capability.SlotDispatcher {
				t.refuse(w.retype(w.slot(), own(slot), capability.Endpoint, 5*abi.PageSize, 256), "an endpoint was made of slot %d", slot)
			}
		}
		// The kernel's pages of the dispatcher, and what lies beyond it.
		for _, offset := range []uint64{0, 256, abi.PageSize, 2 * abi.PageSize, 5*abi.PageSize - 256, 8 * abi.PageSize, 1 << 40} {
			t.refuse(w.retype(w.slot(), own(capability.SlotDispatcher), capability.Endpoint, offset, 256), "an endpoint was made at %#x of a dispatcher", offset)
		}
		return t.end()
	})},
}
