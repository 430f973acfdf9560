package domain

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
)

// Sizes of the objects, as the type table has them.
const (
	l1Size         = 4 * abi.PageSize
	l2Size         = capability.L2Slots * capability.SlotSize
	dispatcherSize = 8 * abi.PageSize
	endpointsAt    = abi.DispatcherEndpoints
	endpointSize   = 256
	sharedAt       = 2 * abi.PageSize // what a dispatcher shares with its user
)

// builder is a Build under way.
type builder struct {
	Invoker
	*Plan
	used   uint64 // bytes of RAM, from its start
	slot   uint32 // the next of those for tables and mappings
	tables []table
	// frame and shared are what the dispatchers of a domain with several share.
	frame  capability.Reference
	shared [abi.SpanTables]capability.Reference
}

// Build makes what a Plan describes. When it fails, what it has made is gone as
// soon as the Plan's RAM has been revoked.
func Build(inv Invoker, p *Plan) error {
	b := &builder{Invoker: inv, Plan: p, slot: capability.SlotSpawned}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"the plan", p.check},
		{"its CSpace", b.makeCSpace},
		{"its dispatcher", b.makeDispatcher},
		{"what its dispatchers share", b.makeSpan},
		{"its exchange", b.makeExchange},
		{"its capabilities", b.giveAll},
		{"its address space", b.mapAll},
		{"the common part of its address space", b.mapSpan},
		{"its memory", b.giveRest},
		{"its start", b.setup},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("cannot make domain %s: %s: %w", p.Name, step.what, err)
		}
	}
	return nil
}

// own is the reference of a slot of the new domain's first L2 CNode.
func (b *builder) own(slot uint32) capability.Reference {
	return capability.MakeReference(b.Mount, slot)
}

// base is the reference of that CNode.
func (b *builder) base() capability.Reference { return capability.LevelOneReference(b.Mount) }

// invoke asks something of a capability.
func (b *builder) invoke(r capability.Reference, i capability.Invocation, a ...uint64) error {
	var args capability.Arguments
	copy(args[:], a)
	if _, err := b.Invoke(capability.Word(r, i), &args); err != capability.OK {
		return err
	}
	return nil
}

// patience bounds how often what is being cleared is asked whether it is ready:
// every time at least a page is.
const patience = 1 << 16

// retype makes an object of the Plan's RAM, aligned to align, and puts it into a
// slot of a CNode, where it is the capability made.
func (b *builder) retype(cnode capability.Reference, slot uint32, made capability.Reference, t capability.Type, size, align uint64) error {
	at := (b.Base+b.used+align-1)&^(align-1) - b.Base
	if at > b.Size || size > b.Size-at {
		return capability.ErrMemory
	}
	b.used = at + size
	err := b.from(cnode, slot, b.RAM, t, at, size)
	if err != capability.ErrPending {
		return err
	}
	for range patience {
		if err = b.invoke(made, capability.InvokeNop); err != capability.ErrNotReady {
			return err
		}
	}
	return err
}

// from makes one object of another.
func (b *builder) from(cnode capability.Reference, slot uint32, source capability.Reference, t capability.Type, offset, size uint64) error {
	return b.invoke(cnode, capability.L2CNodeRetype, uint64(slot)|1<<32, uint64(source), uint64(t), offset, size)
}

// make makes an object of the Plan's RAM in a slot of the domain's.
func (b *builder) make(slot uint32, t capability.Type, size, align uint64) error {
	return b.retype(b.base(), slot, b.own(slot), t, size, align)
}

func (b *builder) makeCSpace() error {
	if b.InPlace {
		return nil
	}
	if err := b.retype(b.CSpace, b.Mount, b.base(), capability.L2CNode, l2Size, l2Size); err != nil {
		return err
	}
	if err := b.make(capability.SlotCSpace, capability.L1CNode, l1Size, l1Size); err != nil {
		return err
	}
	if err := b.invoke(b.own(capability.SlotCSpace), capability.L1CNodeCopy, 1, uint64(b.base())); err != nil {
		return err
	}
	return b.invoke(b.base(), capability.L2CNodeCopy, capability.SlotBase, uint64(b.base()))
}

func (b *builder) makeDispatcher() error {
	if err := b.make(capability.SlotDispatcher, capability.Dispatcher, dispatcherSize, dispatcherSize); err != nil {
		return err
	}
	return b.from(b.base(), capability.SlotEndpoint, b.own(capability.SlotDispatcher), capability.Endpoint, endpointsAt, endpointSize)
}

// makeExchange makes the CNode through which capabilities come and go.
func (b *builder) makeExchange() error {
	if b.Exchange == 0 {
		return nil
	}
	return b.second(b.Exchange, capability.Exchange(0).L1())
}

// second makes an L2 CNode in a slot of the builder's L1 CNode, which stays, and
// puts a copy into a slot of the domain's.
func (b *builder) second(mount, to uint32) error {
	made := capability.LevelOneReference(mount)
	if err := b.retype(b.CSpace, mount, made, capability.L2CNode, l2Size, l2Size); err != nil {
		return err
	}
	return b.invoke(b.own(capability.SlotCSpace), capability.L1CNodeCopy, uint64(to), uint64(made))
}

func (b *builder) giveAll() error {
	if err := b.give(b.base(), b.Gifts); err != nil || len(b.Devices) == 0 {
		return err
	}
	slot, err := b.next()
	if err != nil {
		return err
	}
	// The builder reaches the CNode for devices only while it lies in the first
	// one, on its way to its place.
	if err := b.make(slot, capability.L2CNode, l2Size, l2Size); err != nil {
		return err
	}
	if err := b.give(b.own(slot), b.Devices); err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	to := capability.Machine(capability.MachineDevices).L1()
	return b.invoke(b.own(capability.SlotCSpace), capability.L1CNodeMove, uint64(to), uint64(b.own(slot)))
}

// give copies capabilities into a CNode.
func (b *builder) give(cnode capability.Reference, gifts []Gift) error {
	for _, g := range gifts {
		if err := b.invoke(cnode, capability.L2CNodeMint, uint64(g.Slot), uint64(g.Source), uint64(g.Rights)); err != nil {
			return fmt.Errorf("slot %d: %w", g.Slot, err)
		}
	}
	return nil
}

// giveRest leaves the domain what is left of the RAM as its first memory.
func (b *builder) giveRest() error {
	at := pageUp(b.used)
	if at == b.Size {
		return nil
	}
	return b.from(b.base(), capability.SlotMemory, b.RAM, capability.RAM, at, b.Size-at)
}

// setup completes the dispatcher. It takes copies, for which the domain's own
// capabilities may lack the right.
func (b *builder) setup() error {
	domain, supervisor := uint64(b.own(capability.SlotDomain)), uint64(0)
	for _, g := range b.Gifts {
		switch g.Slot {
		case capability.SlotDomain:
			domain = uint64(g.Source)
		case capability.SlotSupervisor:
			supervisor = uint64(g.Source)
		}
	}
	d := b.own(capability.SlotDispatcher)
	err := b.invoke(d, capability.DispatcherSetup, uint64(b.own(capability.SlotCSpace)), uint64(b.own(capability.SlotVSpace)), domain, supervisor, b.Image.Entry)
	if err != nil {
		return err
	}
	name := Name(b.Name)
	return b.invoke(d, capability.DispatcherSetName, name[:]...)
}

// Name packs a name as the invocation SetName of a dispatcher takes it. Of a long
// one the first 31 bytes count.
func Name(s string) (words [4]uint64) {
	for i := range min(len(s), 31) {
		words[i/8] |= uint64(s[i]) << (i % 8 * 8)
	}
	return words
}
