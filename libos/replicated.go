package main

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/pause"
	"skerry/libos/span"
	"skerry/libos/vspace"
)

// Where the address space is replicated, each dispatcher has page tables of its own.
// A satellite keeps in its what home's answers to its faults have told it, until
// home asks it to forget that. So no kernel has a part in it but each its own.

// patience is how often home looks whether all have forgotten before it gives its
// core up.
const patience = 256

// forgetElsewhere has other dispatchers forget what was taken away here, and waits
// until they have. They answer from their liboses, for which they are interrupted
// if need be, and wait there for no libos, least for this one: so it can wait without
// doing what it is asked itself. A dispatcher that does not get its core keeps it
// waiting; one that is lost, or has ended, ends the domain.
func forgetElsewhere() {
	f := &spanned.frame
	start, end, set := vspace.Taken(f.Count())
	f.Forget(start, end, set)
	ringOthers()
	for i := 0; i < patience && !f.Forgotten(); i++ {
		pause.Times(1) // it is sooner done than two cores are interrupted
	}
	waited := false
	for !f.Forgotten() {
		dispatcher().HasWork = 0
		f.Listen()
		if _, _, _, ended := f.Ended(); !ended && !f.Forgotten() {
			native(abi.CallWait, 0, 0)
			waited = true
		}
		f.Enter()
		endIfTold()
	}
	if waited {
		// Whatever else came meanwhile is poll's; the wait replaced the wake-up.
		dispatcher().HasWork, clocks.armed = 1, 0
	}
}

// forgetRequest is what home asks a satellite to forget.
type forgetRequest struct {
	is                     bool
	generation, start, end uint64
}

// take takes a request, before the mail that must be done first.
func (r *forgetRequest) take() {
	r.generation, r.start, r.end, r.is = spanned.frame.ToForget()
}

// serve forgets, and tells home so. What this core's kernel has unmapped its
// processor knows no more.
func (r *forgetRequest) serve() {
	vspace.Replenish()
	if err := vspace.Discard(r.start, r.end); err != capability.OK {
		outOfMemory(err)
	}
	spanned.frame.Forgot(r.generation)
	ringOthers()
}

// skipPresent makes what is missing begin where it really does: an answer brings
// one stretch of memory.
func skipPresent() {
	m := &missing
	for n := abi.PageSize - m.address&pageMask; n < m.length && vspace.Present(m.address, m.want); n = abi.PageSize {
		m.address += n
		m.length -= n
	}
}

// mapTold maps what home has answered, and says in Back whether it was there
// already.
func mapTold(m *span.Message) {
	if m.Back = 0; vspace.Present(m.Address, m.Want) {
		m.Back = 1
	}
	if m.Map.Count == 0 {
		return // it is gone again: who needs it asks again
	}
	err := vspace.Install(vspace.Extent(m.Map), m.Address)
	if err == capability.ErrMemory || err == capability.ErrQuota {
		// What is mapped can be had again, and takes slots and tables.
		if err = vspace.Discard(0, abi.SpanTop); err == capability.OK {
			err = vspace.Install(vspace.Extent(m.Map), m.Address)
		}
	}
	if err != capability.OK {
		outOfMemory(err)
	}
}
