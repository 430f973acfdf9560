package lmp

import (
	"errors"

	"skerry/abi/capability"
	"skerry/lib/native"
	"skerry/lib/native/endpoint"
	"skerry/lib/native/slots"
)

// depthUsual is how many messages an endpoint has room for if nothing else is asked
// for. A dispatcher has room for some twenty such endpoints.
const depthUsual = 4

// depthMost is the most that one endpoint has room for.
const depthMost = 84

// NewEndpoint makes an endpoint for a connection with room for so many messages, 0
// for as many as is usual. It fails with capability.ErrMemory where a program has as
// many as there is room for.
func NewEndpoint(depth int) (endpoint.Endpoint, error) {
	if depth <= 0 {
		depth = depthUsual
	}
	return endpoint.New(min(depth, depthMost))
}

// Revoke deletes an endpoint that others have copies of.
func Revoke(e endpoint.Endpoint) error {
	slot := capability.Reference(e)
	for {
		// Otherwise it would live as long as the last copy.
		switch err := slots.Home(slot).Revoke(slot.Slot()); {
		case err == nil:
			return e.Close()
		case !errors.Is(err, capability.ErrPending) && !errors.Is(err, capability.ErrRevoking) && !errors.Is(err, capability.ErrBusy):
			return err
		}
	}
}

// kernelPort is two endpoints of the kernel's.
type kernelPort struct {
	own  endpoint.Endpoint
	peer capability.Reference
	slot capability.Reference // for the next capability

	place uint // of own
}

// page tells whether something has come.
var page = native.OwnPage()

func (p *kernelPort) send(m *endpoint.Message) error {
	err := endpoint.Send(p.peer, m)
	if err == capability.ErrEmpty {
		// Either the capability that was to go along is not there, or the peer
		// has taken its endpoint back.
		if _, failed := native.Identify(p.peer); failed != nil {
			return capability.ErrPeer
		}
	}
	return err
}

func (p *kernelPort) poll(m *endpoint.Message) error {
	if !page.Filled(p.place) {
		return capability.ErrAgain // without a call
	}
	return p.own.Poll(m)
}

// yield does nothing if the peer is gone.
func (p *kernelPort) yield() { _ = native.Yield(p.peer) }

func (p *kernelPort) accept() (capability.Reference, error) {
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	if err := p.own.Accept(slot); err != nil {
		return 0, errors.Join(err, native.FreeSlot(slot))
	}
	came := p.slot
	p.slot = slot
	return came, nil
}

// refuse takes no more capabilities.
func (p *kernelPort) refuse() error { return slots.Drop(p.slot) }

func (p *kernelPort) close() error { return errors.Join(Revoke(p.own), p.refuse()) }
