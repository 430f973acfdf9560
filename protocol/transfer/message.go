package transfer

import (
	"skerry/abi/capability"
	"skerry/lib/session"
)

// Object is what is given: a frame, by the core that owns it and where it is.
type Object struct {
	Owner      uint32
	Base, Size uint64 // bytes
}

// within reports whether a part of the object is in a range of the same core.
func (o Object) within(base, size uint64) bool {
	return o.Base < base+size && base < o.Base+o.Size
}

// Kind is what a message says.
type Kind uint8

// The kinds.
const (
	// Ask asks the owner to give what the asker has an import of: Object, Rights,
	// Core, To, Ticket, and Request, the asker's. Given answers it.
	Ask Kind = 1 + iota
	// Import has a core import an object of the sender's: Object, Rights, To,
	// Ticket, and Request, the owner's. Imported answers it.
	Import
	// Imported answers Import and Bell: Request, Error.
	Imported
	// Given answers Ask: Request, Error.
	Given
	// Dropped says that so many imports that were sent to the sender are gone, and all
	// copies of them: Object, Count.
	Dropped
	// Remove has a core remove all imports of an object: Object. Removed answers it.
	Remove
	// Removed says that the sender has no import of it: Object.
	Removed
	// Bell has a core make a doorbell: its number as Base, Rights, To, Ticket, and
	// Request, the sender's. Imported answers it.
	Bell
	// NumKinds is behind the last.
	NumKinds
)

// Message is any message of the protocol. Fields that its kind does not name are
// 0. The object of Ask, Dropped and Removed is the receiver's, that of Import and
// Remove the sender's.
type Message struct {
	Kind       Kind
	Error      session.Error
	Rights     capability.Rights
	Base, Size uint64
	Request    uint32
	Core       uint32
	To, Ticket uint32
	Count      uint32
}

var kindNames = [NumKinds]string{"none", "Ask", "Import", "Imported", "Given", "Dropped", "Remove", "Removed", "Bell"}

// String returns the name of the kind.
func (k Kind) String() string { return kindNames[min(k, NumKinds-1)] }
