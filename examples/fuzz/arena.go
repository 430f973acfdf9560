package main

import (
	"fmt"
	"slices"
	"unsafe"

	"skerry/abi/capability"
	"skerry/lib/native"
)

const (
	arenaCNodes  = 4
	materialSize = 2 << 20
)

// arena is the part of the CSpace in which a polite fuzzer does as it likes, and
// the memory from which it makes what lies there.
type arena struct {
	cnodes   [arenaCNodes]capability.Reference // of level one
	kept     [arenaCNodes]capability.Reference // the same, in slots that a polite fuzzer does not name
	bases    [arenaCNodes]uint64               // where they are
	held     [arenaCNodes][capability.L2Slots]belief
	byKind   [capability.NumTypes][]place // that were believed to hold a kind, and perhaps still are
	material capability.Reference
}

// belief is what a slot is thought to hold. Much happens to slots that nobody
// tells, so beliefs may be wrong.
type belief struct {
	kind capability.Type
	size uint64
}

// place is a slot of the arena.
type place struct{ cnode, slot int }

// take takes what the arena consists of. Slots of the CNode keeper from first on
// are for what must not be lost.
func (a *arena) take(keeper capability.Reference, first uint32) (err error) {
	for i := range a.cnodes {
		if err := a.takeCNode(i, keeper, first+uint32(i)); err != nil {
			return err
		}
	}
	a.material, err = takeRAM(materialSize)
	return err
}

// takeCNode takes one of the arena's CNodes from the libos, and moves the
// capability to where it is kept.
func (a *arena) takeCNode(i int, keeper capability.Reference, slot uint32) error {
	r, err := native.CNode()
	if err != nil {
		return err
	}
	d, err := native.Identify(r)
	if err != nil {
		return err
	}
	a.cnodes[i], a.bases[i] = r, d.Base
	a.kept[i] = capability.MakeReference(keeper.L1(), slot)
	_, e := native.Invoke(capability.Word(keeper, capability.L2CNodeMove), &capability.Arguments{uint64(slot), uint64(r)})
	if e != capability.OK {
		return fmt.Errorf("keep a CNode: %w", e)
	}
	return nil
}

// mend puts the arena's CNodes back into the CSpace from which calls may have
// moved them. They come without right Revoke, which would take what is kept.
func (f *fuzzer) mend() {
	const workable = capability.RightRead | capability.RightWrite | capability.RightGrant
	for i, r := range f.cnodes {
		if f.invoke(r, capability.InvokeNop) != capability.OK {
			f.invoke(capability.Base(capability.SlotCSpace), capability.L1CNodeMint, uint64(r.L1()), uint64(f.kept[i]), uint64(workable))
		}
	}
}

// takeRAM takes RAM into a slot of its own.
func takeRAM(size uint64) (capability.Reference, error) {
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	return slot, native.RAM(size, slot)
}

func (a *arena) reference(p place) capability.Reference {
	return capability.MakeReference(a.cnodes[p.cnode].L1(), uint32(p.slot))
}

func (a *arena) at(p place) belief { return a.held[p.cnode][p.slot] }

// believe takes note of what a slot holds.
func (a *arena) believe(p place, b belief) {
	if b.kind == capability.Null || b.kind >= capability.NumTypes {
		b = belief{}
	}
	if b.kind != a.at(p).kind && b.kind != capability.Null {
		a.byKind[b.kind] = append(a.byKind[b.kind], p)
	}
	a.held[p.cnode][p.slot] = b
}

// gifts are copied into the arena: capabilities that every domain has, and with
// which a polite fuzzer can do itself no harm if it has these rights only.
var gifts = []struct {
	slot   uint32
	rights capability.Rights
}{
	{capability.SlotDispatcher, capability.RightRead | capability.RightGrant},
	{capability.SlotDomain, capability.RightControl | capability.RightRetype | capability.RightGrant},
	{capability.SlotEndpoint, capability.RightSend | capability.RightControl | capability.RightRetype | capability.RightGrant},
	{capability.SlotArchive, capability.RightRead | capability.RightExecute | capability.RightGrant | capability.RightRetype | capability.RightRevoke},
	{capability.SlotLog, 0},
}

// begin fills the empty arena: with copies of the material, which must not be
// revoked through them, and of the gifts.
func (f *fuzzer) begin() {
	f.last = "filling the arena"
	f.mend()
	const workable = capability.RightGrant | capability.RightRetype
	for i := range f.cnodes {
		f.mint(place{i, 1}, f.material, workable)
		g := gifts[(i+f.r.IntN(2))%len(gifts)]
		f.mint(place{i, 2}, capability.Base(g.slot), g.rights)
	}
	f.mint(place{0, 3}, capability.Base(capability.SlotLog), 0)
}

func (f *fuzzer) mint(p place, source capability.Reference, rights capability.Rights) {
	f.invoke(f.cnodes[p.cnode], capability.L2CNodeMint, uint64(p.slot), uint64(source), uint64(rights))
	f.look(p)
}

// end empties the arena. After that nothing is made of the material any more.
func (f *fuzzer) end() {
	f.last = "emptying the arena"
	cnode, slot := capability.LevelOneReference(f.material.L1()), uint64(f.material.Slot())
	f.patiently(func() capability.Error { return f.invoke(cnode, capability.L2CNodeRevoke, slot) })
	for _, c := range f.cnodes {
		for slot := uint64(1); slot < capability.L2Slots; slot++ {
			f.patiently(func() capability.Error { return f.invoke(c, capability.L2CNodeDelete, slot) })
		}
	}
	f.held = [arenaCNodes][capability.L2Slots]belief{}
	f.byKind = [capability.NumTypes][]place{}
}

// look asks what a slot holds, and whether that is the fuzzer's to hold.
func (f *fuzzer) look(p place) {
	if f.invoke(f.reference(p), capability.InvokeIdentify, f.valid) != capability.OK {
		f.believe(p, belief{})
		return
	}
	d := *(*capability.Description)(unsafe.Pointer(uintptr(f.valid)))
	f.believe(p, belief{d.Type, d.Size})
	if what := f.foreign(&d); what != "" {
		f.breach("after %s slot %#x holds %+v, which is %s", f.last, f.reference(p), d, what)
	}
}

// lookAgain does so for all slots of a CNode.
func (f *fuzzer) lookAgain(cnode int) {
	for slot := 1; slot < capability.L2Slots; slot++ {
		f.look(place{cnode, slot})
	}
}

// foreign says in words why a fuzzer should not have a capability.
func (f *fuzzer) foreign(d *capability.Description) string {
	switch d.Type {
	case capability.Doorbell, capability.Mapping, capability.Domain, capability.Dispatcher, capability.Endpoint:
		return "" // of the spawner; of the archive, or what the fuzzer could map; its own
	case capability.Kernel:
		if d.Rights&^(capability.RightWrite|capability.RightGrant) != 0 {
			return "the kernel with rights that no program has"
		}
		return ""
	case capability.PhysicalRange, capability.DeviceFrame, capability.IRQSource, capability.IRQDestination,
		capability.IOPorts, capability.PerformanceCounter:
		return "of a type that no program has"
	}
	if f.wild || f.within(d, f.material) || d.Type == capability.L2CNode && slices.Contains(f.bases[:], d.Base) {
		return ""
	}
	if d.Type == capability.Frame && d.Rights&capability.RightWrite == 0 && f.within(d, capability.Base(capability.SlotArchive)) {
		return ""
	}
	return "not made of this domain's memory"
}

// within says whether an object lies in another's range.
func (f *fuzzer) within(d *capability.Description, r capability.Reference) bool {
	whole, err := native.Identify(r)
	if err != nil {
		f.breach("%#x is gone: %v", r, err)
	}
	return d.Base >= whole.Base && d.Base+d.Size <= whole.Base+whole.Size
}

// find returns a slot that is thought to hold one of some types; any slot if
// there is none of the one that it looks for.
func (f *fuzzer) find(kinds ...capability.Type) place {
	k := kinds[f.r.IntN(len(kinds))]
	for list := f.byKind[k]; len(list) > 0; list = f.byKind[k] {
		i := f.r.IntN(len(list))
		if f.at(list[i]).kind == k {
			return list[i]
		}
		list[i] = list[len(list)-1]
		f.byKind[k] = list[:len(list)-1]
	}
	return f.some()
}

// some returns any slot of the arena.
func (f *fuzzer) some() place {
	// Most of what happens is to few slots, so that they are full.
	if f.r.IntN(4) > 0 {
		return place{f.r.IntN(arenaCNodes), 1 + f.r.IntN(40)}
	}
	return place{f.r.IntN(arenaCNodes), 1 + f.r.IntN(capability.L2Slots-1)}
}

// empty returns a slot that is thought to be empty, if it soon comes upon one.
func (f *fuzzer) empty() place { return f.soon(true) }

// full returns a slot that is thought to hold something, if it soon comes upon
// one.
func (f *fuzzer) full() place { return f.soon(false) }

func (f *fuzzer) soon(empty bool) (p place) {
	for range 10 {
		if p = f.some(); (f.at(p).kind == capability.Null) == empty {
			break
		}
	}
	return p
}

// failed looks at a slot again if a call told that nothing is there.
func (f *fuzzer) failed(p place, err capability.Error) {
	if err == capability.ErrEmpty {
		f.look(p)
	}
}
