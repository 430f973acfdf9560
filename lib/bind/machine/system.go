package machine

import (
	"skerry/abi/capability"
	"skerry/lib/channel/lmp"
	"skerry/lib/native/endpoint"
)

// system is what the program's kernel and libos do for it here.
type system interface {
	// put puts a copy of a capability, with at most some rights, into an empty slot of
	// the exchange. It fails with capability.ErrOccupied if that is not empty.
	put(slot uint8, c capability.Reference, rights capability.Rights) error
	// take moves what is in a slot of the exchange into one of the program's own.
	take(slot uint8) (capability.Reference, error)
	// base returns the physical address of the frame in a slot of the exchange.
	base(slot uint8) (uint64, error)
	// empty deletes what is in a slot of the exchange.
	empty(slot uint8) error
	// slot takes an empty slot of the program's own.
	slot() (capability.Reference, error)
	// typeOf returns the type of a capability, Null if that is not known.
	typeOf(c capability.Reference) capability.Type
	// drop deletes what is in a slot of the program's own, and frees that.
	drop(c capability.Reference) error
	// mapped maps the first bytes of a frame, and unmap ends that.
	mapped(frame capability.Reference, bytes uint64, writable bool) (uintptr, error)
	unmap(at uintptr, bytes uint64) error
	// doorbell returns what a doorbell of a peer's is good for; ringMonitor rings the
	// monitor's.
	doorbell(c capability.Reference) (peerDoorbell, error)
	ringMonitor() error
	// yieldToMonitor gives the monitor what is left of the program's turn, if it can run, and
	// returns when the program has it again.
	yieldToMonitor()
	// several reports whether the program has several dispatchers.
	several() bool
	// endpoint makes an endpoint with room for so many messages, revoke ends it.
	endpoint(depth int) (endpoint.Endpoint, error)
	revoke(endpoint.Endpoint) error
	// connect makes a connection over two endpoints.
	connect(lmp.Config) (conn, error)
}

// peerDoorbell is what the doorbell of a peer is good for.
type peerDoorbell struct {
	ring func() error // does not block
	// give gives the peer what is left of the program's turn; nil if they do not share a
	// core, or the program has others besides.
	give func()
}
