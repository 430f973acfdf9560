package main

import (
	"skerry/abi"
	"skerry/abi/capability"
)

// operations are the calls that make sense, each as often as it stands here.
var operations = []func(*fuzzer){
	(*fuzzer).retype, (*fuzzer).retype, (*fuzzer).retype, (*fuzzer).retype, (*fuzzer).retype, (*fuzzer).retype,
	(*fuzzer).copy, (*fuzzer).copy, (*fuzzer).copy, (*fuzzer).move,
	(*fuzzer).delete, (*fuzzer).delete, (*fuzzer).revoke,
	(*fuzzer).mapFrame, (*fuzzer).mapFrame, (*fuzzer).mapFrame, (*fuzzer).mapTable, (*fuzzer).protect, (*fuzzer).unmap,
	(*fuzzer).setup, (*fuzzer).dispatcher, (*fuzzer).dispatcher,
	(*fuzzer).ring, (*fuzzer).identify, (*fuzzer).identify,
}

// sensible makes a call that makes sense, or nearly: now and then one of its
// words is spoiled.
func (f *fuzzer) sensible() { operations[f.r.IntN(len(operations))](f) }

// spoiled is invoke, but that one of the arguments may be replaced.
func (f *fuzzer) spoiled(r capability.Reference, i capability.Invocation, a ...uint64) capability.Error {
	switch f.r.IntN(12) {
	case 0:
		if len(a) > 0 {
			a[f.r.IntN(len(a))] = f.word()
		}
	case 1:
		r = f.anyReference()
	}
	return f.invoke(r, i, a...)
}

// made are the types that are made by retype, by what they are made of.
var made = func() (list [capability.NumTypes][]capability.Type) {
	for p := range capability.NumTypes {
		for t := range capability.NumTypes {
			if t.MadeOf(p) {
				list[p] = append(list[p], t)
			}
		}
	}
	return list
}()

func (f *fuzzer) retype() {
	from := f.find(capability.RAM, capability.RAM, capability.RAM, capability.Frame, capability.Dispatcher, capability.Endpoint)
	source := f.at(from)
	types := made[source.kind]
	if len(types) == 0 {
		return
	}
	t := types[f.r.IntN(len(types))]
	rule := capability.Of(t)
	size := rule.Least
	if rule.Most > rule.Least {
		size = min(rule.Align<<f.r.IntN(8), rule.Most)
	}
	count := 1
	if f.r.IntN(4) == 0 {
		count = 1 + f.r.IntN(capability.MaxRetype)
	}
	// Mostly within the source, where nothing is made yet if it is so lucky.
	offset := capability.Of(source.kind).Offers
	if most := source.size - min(source.size, offset+uint64(count)*size); most > 0 {
		offset += f.r.Uint64N(most+1) &^ (rule.Align - 1)
	} else if f.r.IntN(8) > 0 {
		return
	}
	to := f.empty()
	f.last = "a retype"
	err := f.spoiled(f.cnodes[to.cnode], capability.L2CNodeRetype, uint64(to.slot)|uint64(count)<<32, uint64(f.reference(from)), uint64(t), offset, size)
	if err == capability.OK || err == capability.ErrPending {
		for i := range count {
			if to.slot+i < capability.L2Slots {
				f.look(place{to.cnode, to.slot + i})
			}
		}
	}
	f.failed(from, err)
}

func (f *fuzzer) copy() {
	from, to := f.full(), f.empty()
	f.last = "a copy"
	var err capability.Error
	if f.r.IntN(2) == 0 {
		err = f.spoiled(f.cnodes[to.cnode], capability.L2CNodeCopy, uint64(to.slot), uint64(f.reference(from)))
	} else {
		err = f.spoiled(f.cnodes[to.cnode], capability.L2CNodeMint, uint64(to.slot), uint64(f.reference(from)), f.r.Uint64()&uint64(capability.AllRights))
	}
	if err == capability.OK {
		f.believe(to, f.at(from))
	}
	f.failed(from, err)
}

func (f *fuzzer) move() {
	from, to := f.full(), f.empty()
	f.last = "a move"
	err := f.spoiled(f.cnodes[to.cnode], capability.L2CNodeMove, uint64(to.slot), uint64(f.reference(from)))
	if err == capability.OK {
		f.look(to)
		f.look(from)
	}
	f.failed(from, err)
}

func (f *fuzzer) delete() {
	p := f.full()
	f.last = "a deletion"
	if f.spoiled(f.cnodes[p.cnode], capability.L2CNodeDelete, uint64(p.slot)) != capability.ErrPending {
		f.look(p)
	}
}

func (f *fuzzer) revoke() {
	p := f.full()
	f.last = "a revocation"
	f.spoiled(f.cnodes[p.cnode], capability.L2CNodeRevoke, uint64(p.slot))
}

// mapFrame maps part of a frame into a table that is in no address space, or in
// one that a dispatcher of the fuzzer's has.
func (f *fuzzer) mapFrame() {
	table, frame, mapping := f.find(capability.PageTable1, capability.PageTable1, capability.PageTable2, capability.PageTable3), f.find(capability.Frame), f.empty()
	pages := max(f.at(frame).size/abi.PageSize, 1)
	count := 1 + f.r.Uint64N(min(pages, 16))
	first := f.r.Uint64N(512)
	offset := f.r.Uint64N(pages) * abi.PageSize
	f.last = "mapping pages"
	err := f.spoiled(f.reference(table), capability.PageTable1Map, first|count<<32, uint64(f.reference(frame)), uint64(f.reference(mapping)), offset, f.r.Uint64N(8))
	if err == capability.OK {
		f.look(mapping)
	}
	f.failed(table, err)
	f.failed(frame, err)
}

func (f *fuzzer) mapTable() {
	level := f.r.IntN(4)
	table := f.find(capability.PageTable2 + capability.Type(level))
	below, mapping := f.find(capability.PageTable1+capability.Type(level)), f.empty()
	f.last = "mapping a table"
	err := f.spoiled(f.reference(table), capability.PageTable2Map, f.r.Uint64N(512)|1<<32, uint64(f.reference(below)), uint64(f.reference(mapping)), 0, f.r.Uint64N(8))
	if err == capability.OK {
		f.look(mapping)
	}
	f.failed(table, err)
	f.failed(below, err)
}

func (f *fuzzer) protect() {
	p := f.find(capability.Mapping)
	f.last = "changing a mapping's protection"
	f.failed(p, f.spoiled(f.reference(p), capability.MappingProtect, f.r.Uint64N(4), f.r.Uint64N(8), f.r.Uint64N(8), f.address()))
}

func (f *fuzzer) unmap() {
	p := f.find(capability.Mapping)
	f.last = "unmapping"
	if f.spoiled(f.reference(p), capability.MappingUnmap, f.r.Uint64N(3)/2, f.r.Uint64N(4), f.address()) == capability.OK {
		f.look(p)
	}
}

// setup makes a dispatcher of its parts, whatever these hold; if it runs, it
// faults.
func (f *fuzzer) setup() {
	p := f.find(capability.Dispatcher)
	cspace, vspace := f.find(capability.L1CNode), f.find(capability.PageTable4)
	domain, doorbell := f.find(capability.Domain), f.find(capability.Doorbell)
	f.last = "setting a dispatcher up"
	supervisor := uint64(f.reference(doorbell))
	if f.r.IntN(2) == 0 {
		supervisor = 0
	}
	f.failed(p, f.spoiled(f.reference(p), capability.DispatcherSetup, uint64(f.reference(cspace)), uint64(f.reference(vspace)), uint64(f.reference(domain)), supervisor, f.address()))
}

func (f *fuzzer) dispatcher() {
	p := f.find(capability.Dispatcher)
	f.last = "asking something of a dispatcher"
	var err capability.Error
	switch f.r.IntN(6) {
	case 0, 1:
		if err = f.spoiled(f.reference(p), capability.DispatcherRun); err == capability.OK {
			f.ran++
		}
	case 2:
		err = f.spoiled(f.reference(p), capability.DispatcherStop)
	case 3:
		err = f.spoiled(f.reference(p), capability.DispatcherState)
	case 4:
		err = f.spoiled(f.reference(p), capability.DispatcherStatus, f.address())
	default:
		err = f.spoiled(f.reference(p), capability.DispatcherSetCSpace, uint64(f.reference(f.find(capability.L1CNode))))
	}
	f.failed(p, err)
}

func (f *fuzzer) ring() {
	p := f.find(capability.Doorbell)
	f.last = "ringing"
	f.failed(p, f.spoiled(f.reference(p), capability.DoorbellRing))
}

func (f *fuzzer) identify() {
	p := f.full()
	f.last = "identifying"
	r, at := f.reference(p), f.address()
	if f.r.IntN(12) == 0 {
		r = f.anyReference()
	}
	if f.invoke(r, capability.InvokeIdentify, at) == capability.OK {
		f.followed(at)
	}
}
