package main

import (
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
	"skerry/service/memory"
	"skerry/service/monitor/agent"
	"skerry/service/monitor/cpu"
)

// kernel is what the agent needs of the CPU driver and the libos.
type kernel struct {
	slots
	core      uint32
	system    *system
	domains   uint64                          // the first domain number
	doorbells uint64                          // the first number of a RemoteDoorbell
	doorbell  capability.Reference            // of this monitor
	remote    map[uint32]capability.Reference // to RemoteDoorbells, by number
	lent      map[uint64]agent.Piece          // by address
	cache     uint32                          // the last before memory; see wire.State
}

// driver is the Kernel of the core.
var driver = typed.Kernel(capability.Base(capability.SlotKernel))

// newKernel returns the kernel of a core, and the pool of its RAM.
func newKernel(info *abi.CoreInfo) (*kernel, *memory.Pool, error) {
	k := &kernel{core: info.Core, remote: make(map[uint32]capability.Reference), lent: make(map[uint64]agent.Piece), cache: cpu.Cache()}
	numbers, err := native.Identify(capability.Base(capability.SlotDomains))
	if err != nil {
		return nil, nil, err
	}
	k.domains = numbers.Base
	// A kernel alone has none.
	if numbers, err = native.Identify(capability.Base(capability.SlotDoorbells)); err == nil {
		k.doorbells = numbers.Base
	}
	k.doorbell, err = k.fill(func(slot capability.Reference) error {
		return retype(slot, capability.Base(capability.SlotEndpoint), capability.Doorbell, 0, capability.Of(capability.Doorbell).Least)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("make a doorbell: %w", err)
	}
	if k.system, err = findSystem(); err != nil {
		return nil, nil, err
	}
	pool, err := machine(info)
	return k, pool, err
}

// machine returns a pool of the RAM that the core was given at boot; what this
// monitor was built of is not among it.
func machine(info *abi.CoreInfo) (*memory.Pool, error) {
	pool := memory.New(info.Node)
	for slot := range uint32(capability.MachineRAMSlots) {
		r := capability.Machine(capability.MachineRAM + slot)
		if d, err := native.Identify(r); err == nil && d.Type == capability.RAM {
			pool.Add(memory.Root{Reference: r, Base: d.Base, Size: d.Size, Node: info.Node})
		}
	}
	if pool.Free() == 0 {
		return nil, errors.New("the core has no RAM")
	}
	return pool, nil
}

// Make implements agent.Kernel.
func (k *kernel) Make(b memory.Block) (agent.Piece, error) {
	if b.Whole() {
		return agent.Piece{Block: b, Reference: b.Root.Reference}, nil
	}
	for range attempts {
		r, err := k.fill(func(slot capability.Reference) error { return carve(slot, b) })
		switch {
		case !errors.Is(err, capability.ErrInUse):
			return agent.Piece{Block: b, Reference: r}, err
		case !settled():
			return agent.Piece{}, capability.ErrAgain
		}
	}
	return agent.Piece{}, capability.ErrInUse
}

// carve makes the capability of a block in a slot.
func carve(slot capability.Reference, b memory.Block) error {
	return retype(slot, b.Root.Reference, capability.RAM, b.Offset(), b.Size)
}

// Destroy implements agent.Kernel.
func (k *kernel) Destroy(p agent.Piece) error {
	if err := cnode(p.Reference).Revoke(p.Reference.Slot()); err != nil {
		return err
	}
	if p.Whole() {
		return nil
	}
	return k.empty(p.Reference)
}

// Sustain implements agent.Kernel.
func (k *kernel) Sustain(b memory.Block) error {
	if b.Whole() {
		return capability.ErrRange
	}
	slot, err := native.Slot()
	if err != nil {
		return err
	}
	if err := carve(slot, b); err != nil {
		native.FreeSlot(slot)
		return err
	}
	if err := native.GiveRAM(slot); err != nil {
		remove(slot)
		native.FreeSlot(slot)
		return err
	}
	return nil
}

// Reclaim implements agent.Kernel.
func (k *kernel) Reclaim() (r memory.Root, ok bool) {
	slot, err := k.fill(driver.Reclaim)
	if err != nil {
		return memory.Root{}, false
	}
	d, err := native.Identify(slot)
	if err != nil || d.Type != capability.RAM {
		// The slot stays taken: what it holds belongs to no pool.
		return memory.Root{}, false
	}
	return memory.Root{Reference: slot, Base: d.Base, Size: d.Size}, true
}

// Own implements agent.Kernel.
func (*kernel) Own() (abi.Memory, error) { return native.Memory() }

// Lend implements loan.Kernel.
func (k *kernel) Lend(b memory.Block, core uint32) error {
	p, err := k.Make(b)
	if err != nil {
		return err
	}
	if err := driver.Lend(p.Reference, uint64(core)); err != nil {
		return errors.Join(err, k.Destroy(p))
	}
	k.lent[b.Base] = p
	return nil
}

// Regain implements loan.Kernel.
func (k *kernel) Regain(b memory.Block) error {
	p := k.lent[b.Base]
	// ErrState: it has been regained before, and was not destroyed then.
	if err := driver.Regain(p.Reference); err != nil && !errors.Is(err, capability.ErrState) {
		return err
	}
	if err := k.Destroy(p); err != nil {
		return err
	}
	delete(k.lent, b.Base)
	return nil
}

// Adopt implements loan.Kernel.
func (k *kernel) Adopt(base, size uint64) (capability.Reference, error) {
	return k.fill(func(slot capability.Reference) error {
		return driver.Adopt(slot, base, size)
	})
}

// Release implements loan.Kernel.
func (k *kernel) Release(ram capability.Reference) error {
	if err := driver.Release(ram); err != nil {
		return err
	}
	k.give(ram)
	return nil
}

// CoreInfo implements agent.Kernel.
func (*kernel) CoreInfo() (abi.CoreInfo, error) { return native.CoreInfo() }

// Dispatcher implements agent.Kernel.
func (*kernel) Dispatcher(from uint32) (abi.DomainInfo, bool, error) {
	return native.Dispatcher(uint64(from))
}

// Census implements agent.Kernel.
func (*kernel) Census(each func(*capability.Description)) error { return native.Census(each) }
