// Package session is the protocol by which a program finds and binds to others,
// over a urpc channel in the frame at abi.SessionBase that it shares with its core's
// monitor. Programs have one that are given manifest.Messages.
//
// The program exports an interface under a name, looks names up, and binds to
// them; the monitor makes what the two need to talk, tells both, and tells each
// when the other is gone. Capabilities pass through the exchange, a CNode that both
// reach (capability.Exchange): the program puts those that it gives into slots below
// capability.ExchangeIn, from where the monitor takes them, and the monitor puts
// others into empty slots from there on, which the program is to empty.
//
// A slot can be empty before, where what was in it has been withdrawn. So the program takes
// what a message names before it receives the next one, and the monitor uses a slot again
// only when the program has received a later message than the last that named it. The program
// uses a slot again when the monitor has answered what named it. An Answer has no answer: what goes
// with it is in the slot of what it answers, which the monitor uses for nothing else before.
//
// Either side rings the other when Channel.NeedsDoorbell says so. The program's
// board (package urpc) lies in the same frame: its sleep word in a page that peers
// can only read, its hints in one that they can write.
//
// Of a program with several dispatchers the one at home has the session: only threads that run
// there reach its frame, its exchange and the monitor's doorbell.
//
// Package bind and monitors import it. It must never do more than say what goes over
// the channel. A monitor trusts nothing that comes.
package session

import (
	"fmt"
	"strings"

	"skerry/abi"
	"skerry/lib/packed"
	"skerry/lib/urpc"
)

// SlotsMax is the most slots of a ring that Bind can ask for.
const SlotsMax = 4096

// NameMax is how long a name may be, in bytes.
const NameMax = 31

// Name is the name of an exported interface, padded with NUL.
type Name [NameMax]byte

// MakeName returns a name. It must have 1 to NameMax bytes, all of them printable
// ASCII but for the space.
func MakeName(s string) (n Name, err error) {
	if len(s) == 0 || len(s) > NameMax {
		return n, fmt.Errorf("name %q has %d bytes, not 1 to %d", s, len(s), NameMax)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return n, fmt.Errorf("name %q: byte %d is no printable ASCII", s, i)
		}
	}
	copy(n[:], s)
	return n, nil
}

// String returns the name as text.
func (n Name) String() string { return strings.TrimRight(string(n[:]), "\x00") }

// Valid reports whether n is what MakeName returns.
func (n Name) Valid() bool {
	m, err := MakeName(n.String())
	return err == nil && m == n
}

// Kinds of messages from the program to its monitor.
const (
	KindExport = 1 + iota
	KindUnexport
	KindLookup
	KindWatch
	KindCancel
	KindBind
	KindAnswer
	KindClose
	KindGive
	KindWithdraw
)

// From the program. Numbers of requests, exports and tickets are the program's own,
// those of bindings its monitor's; 0 is none.
type (
	// Export offers an interface under a name. Exported answers it.
	Export struct {
		ID, Version uint32
		Fingerprint uint64
		Name        Name
	}
	// Unexport takes an offer back. What is bound stays so.
	Unexport struct{ ID uint32 }
	// Lookup asks who has a name; with Wait 1 the answer comes when somebody has.
	// Found answers it.
	Lookup struct {
		Request uint32
		Wait    uint8
		Name    Name
	}
	// Watch asks to be told when a name is gone: by NameGone, once, at once if
	// nobody has it.
	Watch struct {
		Request uint32
		Name    Name
	}
	// Cancel ends a Lookup, Watch or Bind. If that has not been answered it is, by
	// ErrCancelled.
	Cancel struct{ Request uint32 }
	// Bind asks to be bound to a name. Transport is a channel.Transport, LMP,
	// Polled or Doorbell; or Any, which is Doorbell if the exporter is on another core,
	// and else refused with ErrNear, which leaves it to the program to choose and to ask
	// again. Depth is how many slots each ring is to have at least.
	// Hint is by which number the peer is to hint on the program's board. Endpoint
	// is, for LMP, the slot of the exchange with an endpoint of the program's.
	// Bound answers it.
	Bind struct {
		Request, Version uint32
		Fingerprint      uint64
		Depth, Hint      uint16
		Transport        uint8
		Endpoint         uint8
		Name             Name
	}
	// Answer says whether the program takes an Incoming binding; Error.Refusal is what
	// whoever binds is told of its error. Hint is as in Bind. For LMP
	// an endpoint of the program's is then in the slot that Incoming named; where that is empty the
	// program has closed its end since, and whoever binds is told ErrDied.
	Answer struct {
		Binding uint32
		Error   Error
		Hint    uint16
	}
	// Close ends the program's part in a binding; it has unmapped and deleted all
	// that it had of it.
	Close struct{ Binding uint32 }
	// Give gives the capability in a slot of the exchange to the peer of a binding,
	// with at most some rights. It needs right Grant. The slot is empty afterwards. To
	// another core only frames and doorbells go: else ErrTravel; a doorbell becomes a
	// RemoteDoorbell of the same dispatcher, on that's own core a Doorbell. Given answers it; if by ErrEarly, or by
	// ErrFull because the peer has not emptied its exchange, nobody has got anything, and it
	// is to be given again.
	Give struct {
		Binding, Ticket uint32
		Slot, Rights    uint8
	}
	// Withdraw asks that no other core have a copy any more of the capability in a
	// slot of the exchange, or of anything made of it, so that its object can be
	// revoked. It must be of the program's core: else ErrOwner. A doorbell cannot be
	// withdrawn: ErrDoorbell. Withdrawn answers it; the slot is as it was.
	Withdraw struct {
		Request uint32
		Slot    uint8
	}
)

// Kinds of messages from the monitor.
const (
	KindExported = 1 + iota
	KindFound
	KindNameGone
	KindIncoming
	KindBound
	KindGone
	KindArrived
	KindGiven
	KindWithdrawn
)

// From the monitor.
type (
	// Exported answers Export.
	Exported struct {
		ID    uint32
		Error Error
	}
	// Found answers Lookup: what is exported under the name, and by whom.
	Found struct {
		Request, Version uint32
		Fingerprint      uint64
		Facts            Facts
		Error            Error
	}
	// NameGone answers Watch.
	NameGone struct {
		Request uint32
		Error   Error // ErrNone: its exporter took it back or ended
	}
	// Incoming says that somebody wants to be bound to an export. Answer must
	// follow. Slot is the first of those of the exchange with what belongs to the
	// binding: for LMP the peer's endpoint; for others a frame of Size bytes, in
	// which the program is side B of a urpc channel, then the pages with the sleep
	// word and with the hints of the peer's board, and a doorbell of the peer's.
	// Hint is by which number the peer wants hints. For LMP the slot is the program's until
	// it answers.
	Incoming struct {
		Export, Binding uint32
		Size            uint32
		Hint            uint16
		Transport, Slot uint8
		Facts           Facts
	}
	// Bound answers Bind: as Incoming, but that the program is side A. Facts are also there if
	// Error is ErrNear or ErrTransport.
	Bound struct {
		Request, Binding uint32
		Size             uint32
		Hint             uint16
		Transport, Slot  uint8
		Facts            Facts
		// Version is that of the exporter, if that is why Error is ErrVersion.
		Version uint32
		Error   Error
	}
	// Gone says that the peer of a binding has closed its end or has died.
	// Close must follow.
	Gone struct {
		Binding uint32
		Error   Error // ErrNone: it has closed it
	}
	// Arrived says that the peer of a binding has given a capability, and in which
	// slot of the exchange it is. Ticket is the giver's.
	Arrived struct {
		Binding, Ticket uint32
		Slot            uint8
	}
	// Given answers Give: the peer's monitor has put it there.
	Given struct {
		Binding, Ticket uint32
		Error           Error
	}
	// Withdrawn answers Withdraw.
	Withdrawn struct {
		Request uint32
		Error   Error
	}
)

// Facts are channel.Facts on the wire.
type Facts struct {
	SameDomain, SameCore, SharedCache uint8
	Distance                          uint8
	Core                              uint16
	Load                              uint16
}

// Put writes a message, to which it is given a pointer, as a payload and returns its
// length in bytes.
func Put(b *[urpc.PayloadSize]byte, message any) int { return packed.Put(b[:], message) }

// Get reads a payload, of which n bytes came, into a pointer to a message, and
// reports whether it is one. What it says may still be anything.
func Get(b []byte, n int, message any) bool {
	return len(b) >= n && n >= 0 && packed.Get(b[:n], message)
}

// AttachProgram makes c the program's side of its session's channel, the frame of which
// is mapped at an address: abi.SessionBase, or where a program on several cores has it.
func AttachProgram(c *urpc.Channel, at uintptr) { c.Attach(at, abi.SessionRing, urpc.B) }

// AttachMonitor makes c the monitor's side of the session's channel in the
// abi.SessionRing bytes at an address, all of which it clears.
func AttachMonitor(c *urpc.Channel, at uintptr) {
	urpc.Format(at, abi.SessionRing)
	c.Attach(at, abi.SessionRing, urpc.A)
}

// Error is why a session does not do what it was asked for.
type Error uint8

// Errors of sessions.
const (
	ErrNone Error = iota
	ErrNotFound
	ErrTaken
	ErrVersion
	ErrRefused
	ErrDied
	ErrCancelled
	ErrMemory
	ErrLimit
	ErrTransport
	ErrCapability
	ErrTravel
	ErrArgument
	ErrCore
	ErrWithdrawn
	ErrEarly
	ErrOwner
	ErrOverlap
	ErrFull
	ErrDoorbell
	ErrNear
	ErrRefusedMemory
	ErrRefusedLimit
)

var errorTexts = [...]string{
	ErrNone:       "no error",
	ErrNotFound:   "nobody exports that name now",
	ErrTaken:      "the name is taken: another program exports it (names, at the prompt, says which)",
	ErrVersion:    "the exporter speaks another version of the interface",
	ErrRefused:    "the exporter refused to be bound: as many wait for it to accept them as it has room for; try again later",
	ErrDied:       "the peer has died",
	ErrCancelled:  "cancelled",
	ErrMemory:     "there is no memory left on the core, or the program's quota is used up: give it more, or close what it does not need",
	ErrLimit:      "the program has as much of that as one program may have: close some of it first",
	ErrTransport:  "the two cannot be bound by that transport: ask for another, or for none",
	ErrCapability: "there is no capability in that slot, or it lacks right Grant",
	ErrTravel:     "only doorbells, and frames of at most 256 MiB, go to other cores",
	ErrArgument:   "an argument is out of its range, or its number is in use",
	ErrCore:       "a core is lost or does not answer",
	ErrWithdrawn:  "the capability is being withdrawn from other cores, or has been",
	ErrEarly:      "the peer has not been told yet that it is bound",
	ErrOwner:      "the memory is another core's: it can be withdrawn only there",
	ErrOverlap:    "the other core has part of that memory already, as another frame: withdraw that one first",
	ErrFull:       "the peer's exchange is full: give it again when the peer has received what came",
	ErrDoorbell:   "a doorbell cannot be withdrawn: it rings as long as its dispatcher is there",
	ErrNear:       "the exporter is on the program's own core, for which no transport was chosen",

	ErrRefusedMemory: "the exporter lacks memory for one more connection: give that program more, or have it close what it does not need",
	ErrRefusedLimit:  "the exporter has as many connections as one program may have: have it close some first",
}

// Refusal is an exporter's error as who binds to it is told it: what the exporter lacks is not
// what the other lacks. All but ErrTransport, for which there may be another, and what says that
// the exporter is not there is ErrRefused, by errors.Is.
func (e Error) Refusal() Error {
	switch e {
	case ErrNone, ErrTransport, ErrNotFound, ErrDied:
		return e
	case ErrMemory:
		return ErrRefusedMemory
	case ErrLimit:
		return ErrRefusedLimit
	}
	return ErrRefused
}

// Is reports whether target is ErrRefused, and e says why that is.
func (e Error) Is(target error) bool {
	return target == ErrRefused && (e == ErrRefusedMemory || e == ErrRefusedLimit)
}

// Error implements error.
func (e Error) Error() string {
	if int(e) < len(errorTexts) {
		return errorTexts[e]
	}
	return fmt.Sprintf("session error %d", uint8(e))
}
