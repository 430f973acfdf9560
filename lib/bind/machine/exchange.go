package machine

import (
	"context"
	"errors"
	"fmt"

	"skerry/abi/capability"
)

// exchange is the part of the exchange into which the program puts what it gives.
type exchange struct {
	system system
	free   chan uint8 // slots that are the program's to fill
}

func newExchange(s system) exchange {
	x := exchange{s, make(chan uint8, capability.ExchangeIn)}
	for slot := uint8(1); slot < capability.ExchangeIn; slot++ {
		x.free <- slot
	}
	return x
}

// put puts a copy of a capability, with at most some rights, into a slot. If there is none it
// waits, as long as the context lasts. The slot is the caller's, who empties it or has the
// monitor do so, and then gives it back.
func (x *exchange) put(ctx context.Context, c capability.Reference, rights capability.Rights) (uint8, error) {
	for range capability.ExchangeIn {
		slot, err := x.slot(ctx)
		if err != nil {
			return 0, err
		}
		err = x.system.put(slot, c, rights)
		if err == nil {
			return slot, nil
		}
		x.free <- slot
		// The monitor has not come yet to take what was in it.
		if !errors.Is(err, capability.ErrOccupied) {
			return 0, err
		}
	}
	return 0, capability.ErrOccupied
}

// reply puts a copy of a capability, with at most some rights, into a slot that the monitor
// has filled and the program has emptied, and that is the program's until it has answered.
func (x *exchange) reply(slot uint8, c capability.Reference, rights capability.Rights) error {
	return x.system.put(slot, c, rights)
}

// slot takes a slot that the program may fill.
func (x *exchange) slot(ctx context.Context) (uint8, error) {
	select {
	case slot := <-x.free:
		return slot, nil
	default:
	}
	select {
	case slot := <-x.free:
		return slot, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// took gives a slot back that the monitor empties; 0 is none.
func (x *exchange) took(slot uint8) {
	if slot != 0 {
		x.free <- slot
	}
}

// empty empties a slot, if the monitor has not, and gives it back.
func (x *exchange) empty(slot uint8) {
	// If it cannot be emptied it is passed over from now on, as one that the monitor has
	// not come to empty.
	_ = x.system.empty(slot)
	x.free <- slot
}

// take moves what the monitor has put into a slot into one of the program's own. If
// that fails it is lost: the slot is empty in any case.
func (x *exchange) take(slot int) (capability.Reference, error) {
	if slot < capability.ExchangeIn || slot >= capability.L2Slots {
		return 0, errSlot(slot)
	}
	c, err := x.system.take(uint8(slot))
	if err != nil {
		return 0, errors.Join(err, x.system.empty(uint8(slot)))
	}
	return c, nil
}

// takeAll takes what is in some slots, one after another. If one fails the others are
// taken all the same, and returned.
func (x *exchange) takeAll(slot, n int) (all []capability.Reference, failed error) {
	for i := range n {
		c, err := x.take(slot + i)
		if err == nil {
			all = append(all, c)
		}
		failed = errors.Join(failed, err)
	}
	return all, failed
}

// base returns where in physical memory the frame is that the monitor has put into a slot.
func (x *exchange) base(slot int) (uint64, error) {
	if slot < capability.ExchangeIn || slot >= capability.L2Slots {
		return 0, errSlot(slot)
	}
	return x.system.base(uint8(slot))
}

func errSlot(slot int) error {
	return fmt.Errorf("the monitor says that it has filled slot %d of the exchange, and fills only %d to %d: the session cannot be relied on", slot, capability.ExchangeIn, capability.L2Slots-1)
}

// discard deletes what the monitor has put into a slot.
func (x *exchange) discard(slot int) {
	if slot >= capability.ExchangeIn && slot < capability.L2Slots {
		// If it cannot be emptied the monitor passes it over.
		_ = x.system.empty(uint8(slot))
	}
}
