package main

import (
	"fmt"
	"syscall"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
)

// invoke asks something of a capability and returns the error and the value.
func invoke(r capability.Reference, i capability.Invocation, a ...uint64) (capability.Error, uint64) {
	all := [6]uintptr{uintptr(capability.Word(r, i))}
	for n, word := range a {
		all[1+n] = uintptr(word)
	}
	errno, value := native(abi.CallInvoke, all[:]...)
	if !onSkerry() {
		return capability.ErrCall, 0
	}
	return capability.Error(errno), uint64(value)
}

// cnodeOf returns the reference to the CNode that a slot lies in.
func cnodeOf(slot capability.Reference) capability.Reference {
	return capability.LevelOneReference(slot.L1())
}

// own returns the reference to one of the slots that the spawner filled.
func own(slot uint32) capability.Reference { return capability.Base(slot) }

// described is where Identify writes: a global, so that it is present.
var described [2]capability.Description

// identify describes what a slot holds.
func identify(r capability.Reference) (capability.Description, bool) {
	err, _ := invoke(r, capability.InvokeIdentify, addressOf(&described[0]))
	return described[0], err == capability.OK
}

func addressOf[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// libos makes a call that the libos serves.
func libos(number uintptr, a ...uintptr) (uintptr, error) {
	var all [6]uintptr
	copy(all[:], a)
	value, _, errno := syscall.RawSyscall6(number, all[0], all[1], all[2], all[3], all[4], all[5])
	if errno != 0 {
		return 0, errno
	}
	return value, nil
}

// workshop is memory and slots of the program's own to make things of and in.
type workshop struct {
	ram   capability.Reference
	cnode capability.Reference // of level one
	used  uint64               // bytes of the RAM
	next  uint32               // slot of the CNode
}

const workshopSize = 1 << 20

// openWorkshop takes memory and slots from the libos.
func openWorkshop() (*workshop, error) {
	cnode, err := libos(abi.LibosCNode)
	if err != nil {
		return nil, err
	}
	slot, err := libos(abi.LibosSlot)
	if err != nil {
		return nil, err
	}
	if _, err := libos(abi.LibosRAM, workshopSize, slot); err != nil {
		return nil, err
	}
	return &workshop{ram: capability.Reference(slot), cnode: capability.Reference(cnode), next: 1}, nil
}

// inWorkshop makes a case of what needs a workshop.
func inWorkshop(run func(w *workshop) (outcome, error)) func(string) (outcome, error) {
	return func(string) (outcome, error) {
		w, err := openWorkshop()
		if err != nil {
			return "", err
		}
		return run(w)
	}
}

// slot returns the next empty slot.
func (w *workshop) slot() capability.Reference {
	r := capability.MakeReference(w.cnode.L1(), w.next)
	w.next++
	return r
}

// retype makes an object at an offset of something, in a slot.
func (w *workshop) retype(to, source capability.Reference, t capability.Type, offset, size uint64) capability.Error {
	err, _ := invoke(cnodeOf(to), capability.L2CNodeRetype, uint64(to.Slot())|1<<32, uint64(source), uint64(t), offset, size)
	return err
}

// patience is how often something is asked for again that is still in the way.
const patience = 10_000

// make makes an object of the workshop's RAM and waits until it is ready.
func (w *workshop) make(t capability.Type, size uint64) capability.Reference {
	rule := capability.Of(t)
	w.used = (w.used + rule.Align - 1) &^ (rule.Align - 1)
	slot := w.slot()
	err := w.retype(slot, w.ram, t, w.used, size)
	for range patience {
		if err != capability.ErrInUse {
			break
		}
		err = w.retype(slot, w.ram, t, w.used, size) // what was there is still going
	}
	w.used += size
	for err == capability.ErrPending || err == capability.ErrNotReady {
		err, _ = invoke(slot, capability.InvokeNop)
	}
	if err != capability.OK {
		panic(fmt.Sprintf("%v of %d bytes: %v", t, size, err))
	}
	return slot
}

// mapAt maps pages of something into a table and returns the mapping's slot.
func (w *workshop) mapAt(table capability.Reference, entry, count uint64, source capability.Reference, offset, protection uint64) (capability.Reference, capability.Error) {
	slot := w.slot()
	err, _ := invoke(table, capability.PageTable1Map, entry|count<<32, uint64(source), uint64(slot), offset, protection)
	return slot, err
}

// attackEntry is an entry of the top table that no libos and no program uses, and
// attackAddress where what is mapped there lies.
const (
	attackEntry   = abi.ProgramTop >> 39
	attackAddress = attackEntry << 39
)

// tables makes a table of each level in the program's own address space and
// returns that of level 1, whose first page is at attackAddress.
func (w *workshop) tables() capability.Reference {
	above, entry := own(capability.SlotVSpace), uint64(attackEntry)
	for t := capability.PageTable3; ; t-- {
		table := w.make(t, abi.PageSize)
		if _, err := w.mapAt(above, entry, 1, table, 0, 0); err != capability.OK {
			panic(fmt.Sprintf("map %v: %v", t, err))
		}
		if t == capability.PageTable1 {
			return table
		}
		above, entry = table, 0
	}
}

// tries counts what was refused, and ends the program for what was not.
type tries struct {
	n    int
	last capability.Error
}

// refuse takes the answer to something that must be refused.
func (t *tries) refuse(err capability.Error, format string, arguments ...any) {
	if err == capability.OK || err == capability.ErrPending {
		breach(format, arguments...)
	}
	t.n++
	t.last = err
}

// end returns what came of all.
func (t *tries) end() (outcome, error) {
	return "", fmt.Errorf("%d of %d, the last: %w", t.n, t.n, t.last)
}
