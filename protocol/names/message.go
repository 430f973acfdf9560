package names

import "skerry/lib/session"

// Entry is what a name stands for: what is exported, and by whom.
type Entry struct {
	Core        uint32 // the exporter's
	Program     uint32 // which, by a number that its core's monitor knows
	Export      uint32 // the program's number for what it exports
	Version     uint32
	Fingerprint uint64
}

// Kind is what a message says.
type Kind uint8

// The kinds. All but the last go to the registry, with the agent's Number for
// the request.
const (
	// Export asks for a Name, for Entry. Answer says whether it is had.
	Export Kind = 1 + iota
	// Unexport gives up what Export asked for. Nothing answers it.
	Unexport
	// Lookup asks who has a Name, Wait too, but has time until somebody has.
	Lookup
	Wait
	// Watch asks for an answer when the Name is gone.
	Watch
	// Cancel asks for an answer to a request now.
	Cancel
	// Answer answers Export, Lookup, Wait or Watch: Number, Error, and Entry if
	// one was asked for.
	Answer
	// NumKinds is behind the last.
	NumKinds
)

// Message is any message of the protocol. Fields that its kind does not name are
// 0.
type Message struct {
	Kind   Kind
	Error  session.Error
	Number uint32
	Name   session.Name
	Entry  Entry
}

var kindNames = [NumKinds]string{"none", "Export", "Unexport", "Lookup", "Wait", "Watch", "Cancel", "Answer"}

// String returns the name of the kind.
func (k Kind) String() string { return kindNames[min(k, NumKinds-1)] }
