package kcb

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/memory"
)

// Endpoint is what a CPU driver keeps of an object of type Endpoint. It lies at
// the object's start, in the memory of the dispatcher that owns it and out of any
// user's reach; Messages follow it. An all-zero Endpoint is a new one.
type Endpoint struct {
	// Watch is its place among those that watch the same endpoint, Watchers the
	// list of those that watch this one, Senders the list of the Wants of those
	// who wait until it takes a message or a capability.
	Watch, Watchers, Senders Link

	// Label comes with each message out of it.
	Label uint64
	// EndedAt is when, in its dispatcher's count of arrivals, what it watched
	// ended; 0 if its owner knows all about that.
	EndedAt uint64
	// Accept is the slot for the next capability, in the CSpace of its
	// dispatcher, or 0.
	Accept capability.Reference
	// First is the place of the oldest of Count messages, which lie in a ring of
	// Room; that is 0 until there has been one.
	First, Count, Room uint16
}

// Message is one in the buffer of an endpoint.
type Message struct {
	Words [abi.MessageWords]uint64
	// Arrived is its number in its dispatcher's count of arrivals.
	Arrived uint64
	// Header is the number of words, and abi.MessageCapability if a capability
	// came with it.
	Header uint64
}

const (
	headerSize  = 128
	messageSize = 96
	// endpointsAt is where in a dispatcher object endpoints lie, a multiple of
	// endpointAlign from there.
	endpointsAt   = abi.DispatcherEndpoints
	endpointAlign = abi.EndpointAlign
)

var _ [headerSize - unsafe.Sizeof(Endpoint{})]byte
var _ [messageSize - unsafe.Sizeof(Message{})]byte
var _ [endpointsAt - SharedAt - abi.DispatcherSize]byte
var _ [64 - (ObjectSize-endpointsAt)/endpointAlign]byte // Place fits a Places

// Room returns how many messages an endpoint of size bytes can keep.
func Room(size uint64) uint64 { return (size - headerSize) / messageSize }

// Put returns the memory for one more message; there must be room.
func (e *Endpoint) Put(room uint16) *Message {
	e.Room = room
	n := e.First + e.Count
	if n >= room {
		n -= room
	}
	e.Count++
	return e.message(uint64(n))
}

// Oldest returns the oldest message; there must be one.
func (e *Endpoint) Oldest() *Message { return e.message(uint64(e.First)) }

// Drop takes the oldest message out.
func (e *Endpoint) Drop() {
	e.Count--
	if e.First++; e.First == e.Room {
		e.First = 0
	}
}

// Next returns when what can be received first came, in its dispatcher's count of
// arrivals, and whether it is the end of what it watched; 0 if there is nothing.
func (e *Endpoint) Next() (arrived uint64, ended bool) {
	if e.Count != 0 {
		arrived = e.Oldest().Arrived
	}
	if e.EndedAt != 0 && (arrived == 0 || e.EndedAt < arrived) {
		return e.EndedAt, true
	}
	return arrived, false
}

// message returns the message in place n of the ring.
func (e *Endpoint) message(n uint64) *Message {
	return (*Message)(unsafe.Pointer(uintptr(unsafe.Pointer(e)) + headerSize + uintptr(n)*messageSize))
}

// Places is a set of endpoints of one dispatcher, by Place.
type Places uint64

// Place returns the number of the endpoint at a physical address among the
// places where its dispatcher can have one.
func Place(at memory.Phys) uint { return abi.EndpointPlace(uint64(at)) }

// Fill notes that something can be received from the endpoint in a place of d's object,
// Empty that nothing can; the user sees it too.
func (d *DCB) Fill(place uint) {
	d.Messages.Filled |= 1 << place
	d.Page().Filled = uint64(d.Messages.Filled)
}

// Empty is the inverse of Fill.
func (d *DCB) Empty(place uint) {
	d.Messages.Filled &^= 1 << place
	d.Page().Filled = uint64(d.Messages.Filled)
}

// EndpointAt returns the endpoint in a place of d's object.
func (d *DCB) EndpointAt(place uint) *Endpoint {
	return (*Endpoint)(unsafe.Pointer(d.address() + endpointsAt + uintptr(place)*endpointAlign))
}

// Messages is what a DCB has of messages, beside Awaits.
type Messages struct {
	// Arrivals counts messages that came for it into buffers, and ends of what
	// its endpoints watch.
	Arrivals uint64
	// Filled is the set of its endpoints out of which something can be
	// received, Met of those whose Watchers or Senders may not be empty.
	Filled, Met Places
	// Way is what the endpoints of its last call that sent are, Receipt of the last that
	// did not: programs that do one after the other find both.
	Way, Receipt Way

	// Wants are the endpoints, of others, at which it waits until they take a
	// message; NextWant is which it gives up for one more.
	Wants    [8]Want
	NextWant uint32
}

// Way is what the endpoints that a CallMessage names were found to be. It holds while
// no slot has been emptied since.
type Way struct {
	Endpoints uint64 // the references, as in the call
	Emptied   uint64 // what capability.State.Emptied was
	// Endpoint is where a message goes, at To, which has room for Room of them, and
	// Target whose it is; To is 0 if nothing is sent.
	Target   *DCB
	Endpoint *Endpoint
	To       memory.Phys
	Room     uint16
	// From is where one is to come from, as DCB.Awaits; 0 if none is. Both says that
	// it sends and receives.
	From memory.Phys
	Both bool
}

// Want says that a dispatcher wants to be notified when an endpoint takes
// messages or capabilities again.
type Want struct {
	// Link is its place in Endpoint.Senders or Tidings.Senders.
	Link   Link
	Sender *DCB
	// At is the endpoint, if Link is in a list; it may have ended since.
	At *Endpoint
}

// Tidings lists who is still to be told of something: the endpoints whose watched ones
// have ended, by Watch, and Wants of senders. Left says whether there may be any.
type Tidings struct {
	Orphans, Senders Link
	Left             bool
}

// Watcher returns the Endpoint whose Watch l is, and Wanted the Want whose Link l
// is: both are first in theirs.
func (l *Link) Watcher() *Endpoint { return (*Endpoint)(unsafe.Pointer(l)) }

// Wanted is described at Watcher.
func (l *Link) Wanted() *Want { return (*Want)(unsafe.Pointer(l)) }

var _ [0]byte = [unsafe.Offsetof(Endpoint{}.Watch) + unsafe.Offsetof(Want{}.Link)]byte{}

// Link is a place in a list, or a list: a ring of Links of which one is the
// list itself. The zero value is in no list, or an empty list. One that is in a
// list must not move.
type Link struct{ next, prev *Link }

// Empty reports whether the list has nothing in it.
func (l *Link) Empty() bool { return l.next == nil || l.next == l }

// First returns what is first in the list; it must not be empty.
func (l *Link) First() *Link { return l.next }

// Append puts e, which is in no list, at the end of the list l.
func (l *Link) Append(e *Link) {
	l.begin()
	e.next, e.prev = l, l.prev
	l.prev.next, l.prev = e, e
}

// Remove takes l out of the list it is in, if it is in any.
func (l *Link) Remove() {
	if l.next == nil {
		return
	}
	l.next.prev, l.prev.next = l.prev, l.next
	*l = Link{}
}

// Take moves all that is in the list from to the end of the list l.
func (l *Link) Take(from *Link) {
	if from.Empty() {
		return
	}
	l.begin()
	first, last := from.next, from.prev
	l.prev.next, first.prev = first, l.prev
	last.next, l.prev = l, last
	*from = Link{}
}

// begin makes the zero value a list.
func (l *Link) begin() {
	if l.next == nil {
		l.next, l.prev = l, l
	}
}
