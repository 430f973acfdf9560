package driver

import (
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/capability"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// What the capability system has left to do is done in pieces of workUnits,
// between which interrupts are let in: while nobody can run, one after the
// other, and else up to workPieces after each event, for which it waits up to
// workEvery ns.
const (
	workUnits  = 2
	workPieces = 4
	workEvery  = 50_000
)

// pending reports whether anything is left to do for work.
func (d *Driver) pending() bool { return d.cap.Pending() || d.k.Tidings.Left || d.ringing }

// work does a piece of what the capability system has left to do, and reports
// whether more can be done at once. When all is done the monitor is told, if it was
// refused something meanwhile or there is something to reclaim, and also when no
// more can be done until the reclaim queue has room.
func (d *Driver) work() bool {
	if d.ringing {
		d.deliver()
	}
	if d.k.Tidings.Left && d.tell() || d.ringing {
		if d.workAt == never {
			d.workAt = carry.Now() + workEvery
		}
		return true
	}
	if !d.cap.Pending() {
		return false
	}
	more := d.cap.Step(workUnits)
	stuck := !more && d.cap.Pending()
	switch {
	case more:
		if d.workAt == never {
			d.workAt = carry.Now() + workEvery
		}
	case !stuck || !d.stuck:
		d.workAt = never
		if d.awaited || stuck || d.cap.Reclaimable > 0 {
			d.awaited = false
			d.notifyMonitor()
		}
	}
	d.stuck = stuck
	return more
}

// Zero clears memory for the capability system.
func (d *Driver) Zero(base memory.Phys, size uint64) {
	clear(unsafe.Slice((*byte)(unsafe.Pointer(d.k.Pages.At(base))), size))
}

// Ended does what the end of an object means to the driver; the capability
// system calls it.
func (d *Driver) Ended(o capability.Object) {
	switch o.Type {
	case abicap.Mapping:
		if o.Table != abicap.Null {
			e := entries{o.Entry, o.Entries, levelOf(o.Table)}
			if changed, _ := d.clear(e, o.Base, o.Size); changed && d.mayKnow(o.Top) {
				d.stale = true
			}
		}
	case abicap.PageTable4:
		d.spaceEnded(memory.Phys(o.Base))
	case abicap.Dispatcher:
		d.dispatcherGone(d.dispatcherAt(memory.Phys(o.Base)))
	case abicap.Endpoint:
		d.endpointEnded(o.Base, o.Size)
	case abicap.IRQSource:
		d.sourceEnded(o.Base, o.Size)
	case abicap.IRQDestination:
		d.destinationEnded(o.Base, o.Size)
	}
}

// mayKnow reports whether the processor may know translations by page tables that
// are in the address space that capability.TopOf says top for: it knows none but of
// the one that is loaded.
func (d *Driver) mayKnow(top uint8) bool {
	return d.cap.Grafted || top == 0 || top == capability.TopOf(d.loaded)
}

// spaceEnded ends all dispatchers that have an address space.
func (d *Driver) spaceEnded(root memory.Phys) {
	for _, b := range d.k.Dispatchers {
		if b != nil && b.Root == root {
			b.Root = 0
			d.end(b, abi.Status{Kind: abi.ExitKilled})
		}
	}
	if d.loaded == root {
		d.load(d.k.Root)
	}
}

// dispatcherGone makes the driver forget a dispatcher.
func (d *Driver) dispatcherGone(b *kcb.DCB) {
	if b == d.monitor {
		monitorEnded(abi.Status{Kind: abi.ExitKilled})
	}
	if b.State != abi.DomainEnded {
		d.stop(b, abi.DomainEnded)
		d.dispatcherEnded(b)
	}
	d.forget(b)
}

// slot returns the address of one of a dispatcher's slots.
func (d *Driver) slot(b *kcb.DCB, n uintptr) memory.Phys { return b.Slot(n, d.k.Pages.Offset) }

// dispatcherAt returns the DCB of the dispatcher that a physical address lies
// in.
func (d *Driver) dispatcherAt(at memory.Phys) *kcb.DCB {
	return (*kcb.DCB)(unsafe.Pointer(d.k.Pages.At(at &^ (kcb.ObjectSize - 1))))
}
