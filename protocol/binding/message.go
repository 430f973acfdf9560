package binding

import "skerry/lib/session"

// ID names a binding: its client's core, and that core's number for it.
type ID struct{ Core, Number uint32 }

// Side is one of the two of a binding.
type Side uint8

// The sides.
const (
	Client Side = iota
	Exporter
)

// End is one end of a binding. Both may be on one core.
type End struct {
	ID
	Side Side
}

// Export names what a client binds to: a program of the exporter's core, and its
// number for what it exports.
type Export struct{ Program, Export uint32 }

// Kind is what a message says.
type Kind uint8

// The kinds.
const (
	// Offer asks for a binding to Export, and brings the client's Details.
	Offer Kind = 1 + iota
	// Accepted says that the exporter takes it, and brings its Details.
	Accepted
	// Closed says that the sender's end is closed, and if by something else than its
	// program, by what: Error.
	Closed
	// NumKinds is behind the last.
	NumKinds
)

// Message is any message of the protocol. Fields that its kind does not name are
// 0. To is the side to which it goes. D is what the two sides give each other, a type
// of the monitors'.
type Message[D any] struct {
	Kind    Kind
	To      Side
	Error   session.Error
	ID      ID
	Export  Export
	Details D
}

var kindNames = [NumKinds]string{"none", "Offer", "Accepted", "Closed"}

// String returns the name of the kind.
func (k Kind) String() string { return kindNames[min(k, NumKinds-1)] }
