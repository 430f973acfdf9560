package native

import (
	"sync/atomic"
	"unsafe"

	"skerry/abi"
)

// Page is what the kernel of a core tells the dispatcher that runs there without being
// asked. A program with several dispatchers reads that of the core it is on. The zero
// Page tells of nothing.
type Page struct{ dispatcher *abi.Dispatcher }

// OwnPage returns the program's. Off Skerry there is none, and using it is a fault.
func OwnPage() Page {
	return PageOf((*abi.Dispatcher)(unsafe.Add(unsafe.Pointer(nil), uintptr(abi.DispatcherBase))))
}

// PageOf returns what stands in d.
func PageOf(d *abi.Dispatcher) Page { return Page{d} }

// Wanted reports whether other dispatchers of the core can run: whoever polls keeps it
// from them.
func (p Page) Wanted() bool { return p.Others() != 0 }

// Others returns how many other dispatchers of the core can run.
func (p Page) Others() uint32 {
	if p.dispatcher == nil {
		return 0
	}
	return atomic.LoadUint32(&p.dispatcher.Wanted)
}

// Notified returns how many notifications there have been since the start: doorbells,
// messages to endpoints, and whatever else the doorbell's file becomes readable for.
func (p Page) Notified() uint64 {
	if p.dispatcher == nil {
		return 0
	}
	return atomic.LoadUint64(&p.dispatcher.Notified)
}

// Filled reports whether something can be received from the endpoint in a place
// (abi.EndpointPlace).
func (p Page) Filled(place uint) bool {
	return p.dispatcher != nil && atomic.LoadUint64(&p.dispatcher.Filled)>>place&1 != 0
}
