// Package table declares the capability types: the one place that says which
// there are, what each names, from what it is made, and what may be done with
// it. Everything else is written from it: package abi/capability's constants
// and rules, and docs/capabilities.md.
//
// The generator (abi/capability/generate) and tests import it. The kernel and
// domains never do: what they need is generated.
package table

// Space is a set of numbers of which capabilities name ranges. Ranges of
// different spaces never overlap.
type Space struct{ Name, Doc string }

// Right is a right that a capability can carry, in the order of its bit.
type Right struct{ Name, Doc string }

// Field is what a capability of a type says of its object.
type Field struct{ Name, Doc string }

// Kind is what an argument of an invocation may hold; see Kinds.
type Kind string

// Argument is one word given with an invocation.
type Argument struct {
	Name string
	Kind Kind
}

// Invocation is something that can be asked of a capability's object.
type Invocation struct {
	Name      string
	Arguments []Argument // at most MaxArguments
	Right     string     // the right it needs, "" for none
	Doc       string
	Returns   string // what its value says, "" for none
}

// MaxArguments is how many words an invocation has beside the word that names
// capability and invocation.
const MaxArguments = 5

// Type is a capability type.
type Type struct {
	Name  string
	Doc   string
	Space string
	// Parents names the types from which it is retyped. A type may be its own
	// parent: then a smaller range of the same kind can be made.
	Parents []string
	// Align is what the range's start and size are multiples of. Size is its
	// size if there is only one, else 0; Least and Most bound it otherwise.
	Align, Size, Least, Most uint64
	// Zeroed says that the memory is cleared when the object is made of RAM.
	Zeroed bool
	// SlotsAt and Slots say where in the object capability slots lie, for
	// the types that hold capabilities; Slots 0 with Holds true: all of it.
	Holds          bool
	SlotsAt, Slots uint64
	// Offers is the offset from which on other objects can be made of it: what
	// lies before is the kernel's.
	Offers uint64
	// Dependent says that it cannot outlive the object it was made of.
	Dependent bool
	// Made says how it comes to be if not by retype.
	Made string
	// Rights maps each right that exists for the type to what it allows,
	// beyond what every right of that name allows.
	Rights      map[string]string
	Fields      []Field
	Invocations []Invocation
}
