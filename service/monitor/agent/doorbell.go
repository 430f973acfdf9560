package agent

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/session"
	"skerry/protocol/transfer"
)

// bellRights are those that a doorbell has on another core. Not Revoke: all who have one
// to the same dispatcher have copies of what the monitor keeps.
const bellRights = capability.RightSend | capability.RightGrant

// doorbell returns the number among RemoteDoorbells of the dispatcher that a doorbell
// rings, and whether it is a doorbell, of one dispatcher that is known.
func (a *Agent) doorbell(d *capability.Description) (number uint64, ok bool) {
	switch d.Type {
	case capability.RemoteDoorbell:
		return d.Base, d.Size == 1
	case capability.Doorbell:
		for _, c := range a.children {
			at, err := a.kernel.Describe(c.domain.Dispatcher)
			if err != nil || d.Base < at.Base || at.Base+at.Size <= d.Base { // it is part of the dispatcher
				continue
			}
			number, err := a.kernel.Number(&c.domain)
			return uint64(number), err == nil
		}
	}
	return 0, false
}

// Bell implements transfer.Kernel: of a dispatcher of this core it is the Doorbell.
func (h *host) Bell(number uint64, to transfer.Arrival) session.Error {
	a := (*Agent)(h)
	r, err := a.bell(number)
	if err != nil {
		return session.ErrCapability
	}
	return a.arrive(a.endOf(to.To), to.Ticket, r, to.Rights&bellRights)
}

// bell returns what rings the dispatcher of a number among RemoteDoorbells.
func (a *Agent) bell(number uint64) (capability.Reference, error) {
	if number/abi.CoreDispatchers != uint64(a.self) {
		return a.kernel.Bell(uint32(number))
	}
	for _, c := range a.children {
		if n, err := a.kernel.Number(&c.domain); err == nil && uint64(n) == number {
			return c.domain.Doorbell, nil
		}
	}
	return 0, capability.ErrNotFound
}
