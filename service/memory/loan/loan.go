// Package loan is the protocol by which cores lend each other RAM: when a core
// has none left, another's becomes its own until it needs it no more.
//
// A core (Core) asks the broker (Broker, on core 0), which asks the others in
// turn, the nearest first, of those as near the one with the most free. The
// lender's kernel gives the memory up, the borrower's adopts it. A core gives
// back what it borrowed as soon as all of it is free. All messages go by the
// broker. Each core has one question under way at a time, and gets one answer to
// each, whoever is lost meanwhile. What a lost core had borrowed or lent is
// written off: the lender never sees it again, the borrower keeps it.
//
// Monitors import it. It is two state machines without goroutine, clock or I/O;
// messages between two cores must arrive in order.
package loan

// Least and Most bound a loan, in bytes: in between, all are powers of two,
// aligned to their size.
const (
	Least = 2 << 20
	Most  = 256 << 20
)

// Kind is what a message says.
type Kind uint8

// The kinds. Those marked with a star bring Free along.
const (
	// Borrow*: a core asks the broker for Size bytes, or else for less.
	Borrow Kind = 1 + iota
	// Lend: the broker asks a core to lend Core up to Size bytes, as Loan.
	Lend
	// Lent*: a core has lent Size bytes at Base, on Node, as Loan; the broker
	// hands it on, with the lender as Core, as the answer to Borrow.
	Lent
	// Refused*: a core lends nothing for Loan; the broker answers so to Borrow
	// when all have.
	Refused
	// Returned*: a core has released what it had by Loan; the broker hands it on.
	Returned
	// Kept: the broker says that a loan is the borrower's: its lender is lost.
	Kept
	// Lost: the broker says that a loan is lost with its borrower.
	Lost
	// NumKinds is behind the last.
	NumKinds
)

// Message is any message of the protocol. Fields that its kind does not name
// are 0.
type Message struct {
	Kind       Kind
	Core       uint32
	Loan       uint32 // number that the broker gave
	Node       uint32
	Base, Size uint64 // bytes
	Free       uint64 // bytes that the sender could lend
}
