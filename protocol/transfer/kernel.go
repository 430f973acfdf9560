package transfer

import (
	"skerry/abi/capability"
	"skerry/lib/session"
)

// Arrival says to whom on a core a capability comes.
type Arrival struct {
	// To is who gets it, by a number that the core's Kernel knows: of a program or
	// of a binding.
	To     uint32
	Ticket uint32 // the giver's, to tell it from others
	Rights capability.Rights
}

// Kernel is what a core asks of its CPU driver, through its monitor. Where a
// method fails, nothing has happened. No method may call the Core.
type Kernel interface {
	// Pin keeps an object of this core in being, and unrevoked, until Unpin, and with
	// the rights of the capability of the Give with that request: if that fails for an
	// object that is pinned, it is pinned still.
	Pin(o Object, request uint32) session.Error
	// Unpin undoes Pin: no other core has anything of the object.
	Unpin(o Object)
	// Copy copies a pinned object of this core to somebody here. Rights are at most
	// those of one of the capabilities that it was pinned with.
	Copy(o Object, a Arrival) session.Error
	// Import makes an import of another core's object, for somebody here. Programs may
	// copy it, as far as its rights allow. When nothing of the object is left here,
	// and not because of Remove, Core.Drop must be called.
	Import(o Object, a Arrival) session.Error
	// Bell makes a doorbell of a number for somebody here.
	Bell(number uint64, a Arrival) session.Error
	// Remove removes all imports of an object, and all copies, with all mappings. It
	// returns whether it has; if not, Core.Removed must be called when it has.
	Remove(o Object) (done bool)
}
