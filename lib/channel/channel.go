// Package channel says what travels between two domains that are bound to each
// other, and what a transport must do that carries it. Which transport that is, is
// chosen when they bind (package bind); who sends and receives need not know.
//
// Transports, package bind and generated stubs import it. It runs on Skerry and
// on an ordinary host alike, and must never know any one transport.
package channel

import (
	"context"
	"fmt"
	"strings"

	"skerry/abi/capability"
)

// PayloadSize is the most that one message carries, in bytes.
const PayloadSize = 56

// Message is what a connection carries: one slot of a channel.
type Message struct {
	_       [0]uint64 // so that transports can copy the payload by words
	Payload [PayloadSize]byte
	Kind    uint8 // 1 to 255; what it means is agreed between the two ends
	Length  uint8 // of the payload, at most PayloadSize
	// Capability is sent along, 0 for none: the receiver gets one with at most the
	// same rights, in a slot that is its to free; empty, if it has been revoked or
	// withdrawn meanwhile. It needs right Grant.
	Capability capability.Reference
}

// Check reports what no transport carries: kind 0, or a length beyond the payload.
func (m *Message) Check() error {
	if m.Kind == 0 || m.Length > PayloadSize {
		return m.refused()
	}
	return nil
}

func (m *Message) refused() error {
	return fmt.Errorf("a message of kind %d with %d bytes: kinds are 1 to 255, and it takes %d bytes at most", m.Kind, m.Length, PayloadSize)
}

// Conn is one end of a connection. One goroutine at a time may send and one may
// receive, and these two need not be the same. A Message is the caller's again
// when the call returns.
//
// All methods fail with ErrClosed after Close, with ErrPeer once the peer has
// closed its end or has died and what it sent before has been received, with
// ErrBroken when the peer has broken the rules, and then always. A message that
// Check reports is refused. Where nothing need be waited for, a context that has ended does
// not matter. Whoever sends with a capability may wait for that to be passed
// on, in TrySend too.
type Conn interface {
	// Send sends a message. It waits for room as long as the context lasts,
	// and blocks nothing but its goroutine.
	Send(ctx context.Context, m *Message) error
	// TrySend is Send that fails with ErrFull rather than wait.
	TrySend(m *Message) error
	// Receive waits for the next message as long as the context lasts, and
	// blocks nothing but its goroutine.
	Receive(ctx context.Context, m *Message) error
	// TryReceive is Receive that returns false rather than wait.
	TryReceive(m *Message) (bool, error)
	// Close ends the connection: the peer learns of it. Whoever waits in
	// another method returns. After ErrPeer and ErrBroken nothing is kept of a
	// connection between two programs that would have to be given up by Close.
	Close() error
	// Binding says how the connection was made.
	Binding() Binding
}

// Guarded is a Conn that can be closed while others use it, and guards itself for that
// in each method. Whoever alone uses one, and knows by itself when nobody does, can do
// without.
type Guarded interface {
	Conn
	// Unguarded returns the same connection for an owner, through which alone messages
	// are sent and received from then on. exclusively has f run while no goroutine is in one
	// of the methods for that, and has none enter one before f has returned. Close may call it, and
	// whoever learns that the peer is gone, when those who wait in a method have been told to
	// return. It may leave f to somebody else and return. What a message's
	// payload has beyond its length may travel too.
	Unguarded(exclusively func(f func())) Conn
}

// Binding says how two ends are bound.
type Binding struct {
	Transport Transport
	// Why says in a sentence why that transport was chosen.
	Why   string
	Name  string // what was bound to
	Facts Facts  // of the peer
}

// Transport is a way to carry messages.
type Transport uint8

// The transports. A network may add others, from TransportOther on.
const (
	// TransportAny leaves the choice to package bind.
	TransportAny Transport = iota
	// TransportDirect is for two ends in one program.
	TransportDirect
	// TransportLMP goes through the kernel of the core that both are on.
	TransportLMP
	// TransportPolled is a URPC channel whose receiver never sleeps.
	TransportPolled
	// TransportDoorbell is a URPC channel whose receiver sleeps, and is rung.
	TransportDoorbell
	// TransportHop goes through a third domain, which passes messages on.
	TransportHop
	// TransportTCP goes over a network.
	TransportTCP
	TransportOther
)

var transportNames = [...]string{"any", "direct", "lmp", "polled", "doorbell", "hop", "tcp"}

// String returns the name by which people choose a transport.
func (t Transport) String() string {
	if int(t) < len(transportNames) {
		return transportNames[t]
	}
	return fmt.Sprintf("transport %d", uint8(t))
}

// ParseTransport returns the transport of a name that String returns.
func ParseTransport(s string) (Transport, error) {
	for i, name := range transportNames {
		if s == name {
			return Transport(i), nil
		}
	}
	return 0, fmt.Errorf("there is no transport %q, only %s", s, strings.Join(transportNames[:], ", "))
}

// Facts are what is known of a peer when a transport is chosen.
type Facts struct {
	SameDomain  bool
	SameCore    bool
	SharedCache bool   // the two cores have a cache in common
	Core        uint32 // the peer's
	Distance    uint32 // of the two cores' memory, 10 being the same node's
	Load        uint32 // dispatchers that run or could, on the busier of the two cores
}

// Interface names what two ends speak. They can be bound only if all of it is
// the same.
type Interface struct {
	Name    string
	Version uint32
	// Fingerprint is a digest of all methods, their arguments and results.
	Fingerprint uint64
}

// Error is why a connection carries nothing.
type Error uint8

// Errors of connections.
const (
	ErrClosed Error = 1 + iota
	ErrPeer
	ErrBroken
	ErrFull
	ErrNoCapability
)

var errorTexts = [...]string{
	ErrClosed:       "the connection is closed",
	ErrPeer:         "the peer has closed the connection or has died",
	ErrBroken:       "the peer has broken the rules of the connection",
	ErrFull:         "no room for another message now",
	ErrNoCapability: "this transport carries no capabilities",
}

// Error implements error.
func (e Error) Error() string {
	if int(e) < len(errorTexts) && errorTexts[e] != "" {
		return errorTexts[e]
	}
	return fmt.Sprintf("channel error %d", uint8(e))
}
