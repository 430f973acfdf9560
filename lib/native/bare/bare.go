// Package bare makes dispatchers that have no libos: a page of machine code in an
// address space of its own, with a CSpace of its own, made of the program's memory by
// nothing but invocations. Its code makes native calls, is never given an upcall, and
// ends the dispatcher by its first fault.
//
// Tests and measurements of what the CPU driver does between two address spaces use
// it. The program must have been given manifest.Dispatch, for what it makes runs
// under its own domain number.
package bare

import (
	"errors"
	"fmt"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
)

// codeAt is where the code is mapped and begins to run.
const codeAt = 0x40_0000

// memory is how much RAM a dispatcher and all that is its own take.
const memory = 128 << 10

// Dispatcher is one of them.
type Dispatcher struct {
	ram capability.Reference
	// made is the CNode for what the program has of it, slots the one that is also
	// its own CSpace's first; next is the next empty slot of made.
	made, slots capability.Reference
	next        uint32

	dispatcher, endpoint, memory capability.Reference
	used                         uint64
}

// New makes a dispatcher that is to run code, at most a page, from its start on, with
// all registers zero but RDI, which is abi.DispatcherBase. It does not run yet. Its
// endpoint has a buffer for as many messages as fit into size bytes.
func New(code []byte, size uint64) (*Dispatcher, error) {
	d := &Dispatcher{next: 1}
	if err := d.build(code, size); err != nil {
		return nil, fmt.Errorf("make a dispatcher: %w", err)
	}
	return d, nil
}

func (d *Dispatcher) build(code []byte, size uint64) (err error) {
	if len(code) > abi.PageSize {
		return capability.ErrTooBig
	}
	for _, cnode := range []*capability.Reference{&d.made, &d.slots} {
		if *cnode, err = native.CNode(); err != nil {
			return err
		}
	}
	if d.ram, err = native.Slot(); err != nil {
		return err
	}
	if err := native.RAM(memory, d.ram); err != nil {
		return err
	}
	// The objects that are aligned to more than a page come first.
	if d.dispatcher, err = d.make(capability.Dispatcher, 8*abi.PageSize); err != nil {
		return err
	}
	cspace, err := d.make(capability.L1CNode, 4*abi.PageSize)
	if err != nil {
		return err
	}
	if err := typed.L1CNode(cspace).Copy(1, d.slots); err != nil {
		return err
	}
	if d.endpoint, err = d.retype(d.dispatcher, capability.Endpoint, capability.Of(capability.Dispatcher).Offers, size); err != nil {
		return err
	}
	frame, err := d.make(capability.Frame, abi.PageSize)
	if err != nil {
		return err
	}
	if err := write(frame, code); err != nil {
		return err
	}
	top, err := d.make(capability.PageTable4, abi.PageSize)
	if err != nil {
		return err
	}
	if err := d.mapPages(top, codeAt, frame, 0, 1, abi.ProtRead|abi.ProtExec); err != nil {
		return err
	}
	const shared = 2 * abi.PageSize // in a dispatcher
	if err := d.mapPages(top, abi.DispatcherBase, d.dispatcher, shared, abi.DispatcherSize/abi.PageSize, abi.ProtRead|abi.ProtWrite); err != nil {
		return err
	}
	return typed.Dispatcher(d.dispatcher).Setup(cspace, top, capability.Base(capability.SlotDomain), 0, codeAt)
}

// make makes an object of the dispatcher's RAM.
func (d *Dispatcher) make(t capability.Type, size uint64) (capability.Reference, error) {
	at := (d.used + capability.Of(t).Align - 1) &^ (capability.Of(t).Align - 1)
	d.used = at + size
	return d.retype(d.ram, t, at, size)
}

// slot returns the next empty slot of what is made.
func (d *Dispatcher) slot() capability.Reference {
	d.next++
	return capability.MakeReference(d.made.L1(), d.next-1)
}

// retype makes an object of another and waits until it is ready.
func (d *Dispatcher) retype(source capability.Reference, t capability.Type, offset, size uint64) (capability.Reference, error) {
	to := d.slot()
	err := typed.L2CNode(d.made).Retype(to.Slot(), 1, source, t, offset, size)
	if errors.Is(err, capability.ErrPending) {
		err = patiently(typed.RAM(to).Nop) // any type has Nop
	}
	return to, err
}

// mapPages maps pages of an object at an address where nothing is mapped, all of
// which is in one table.
func (d *Dispatcher) mapPages(top capability.Reference, at uint64, source capability.Reference, offset uint64, pages uint32, protection uint64) error {
	table := top
	for _, level := range []struct {
		below capability.Type
		shift uint
	}{{capability.PageTable3, 39}, {capability.PageTable2, 30}, {capability.PageTable1, 21}} {
		below, err := d.make(level.below, abi.PageSize)
		if err != nil {
			return err
		}
		if err := typed.PageTable1(table).Map(uint32(at>>level.shift%512), 1, below, d.slot(), 0, 0); err != nil {
			return err
		}
		table = below
	}
	return typed.PageTable1(table).Map(uint32(at>>12%512), pages, source, d.slot(), offset, protection)
}

// write writes the start of a frame.
func write(frame capability.Reference, b []byte) error {
	at, err := native.Map(frame, 0, abi.PageSize, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(at)), abi.PageSize), b)
	return native.Unmap(at, abi.PageSize)
}

// Endpoint returns the dispatcher's endpoint, with all rights.
func (d *Dispatcher) Endpoint() capability.Reference { return d.endpoint }

// Slot returns the program's reference to a slot of the dispatcher's CNode.
func (d *Dispatcher) Slot(n uint32) capability.Reference {
	return capability.MakeReference(d.slots.L1(), n)
}

// Own returns the reference by which the dispatcher itself knows that slot.
func (d *Dispatcher) Own(n uint32) capability.Reference { return capability.MakeReference(1, n) }

// Give puts a copy of a capability, with only some of its rights, into a slot of the
// dispatcher's CNode.
func (d *Dispatcher) Give(n uint32, source capability.Reference, rights capability.Rights) error {
	return typed.L2CNode(d.slots).Mint(n, source, rights)
}

// Run makes the dispatcher ready to run, Stop takes it off the core until it is run
// again.
func (d *Dispatcher) Run() error { return typed.Dispatcher(d.dispatcher).Run() }

// Stop is described at Run.
func (d *Dispatcher) Stop() error { return typed.Dispatcher(d.dispatcher).Stop() }

// State says how the dispatcher is: abi.DomainNew and so on.
func (d *Dispatcher) State() (uint64, error) { return typed.Dispatcher(d.dispatcher).State() }

// Close ends the dispatcher and all that was made for it, and returns when that is
// done.
func (d *Dispatcher) Close() error {
	home := typed.L2CNode(capability.LevelOneReference(d.ram.L1()))
	if err := patiently(func() error { return home.Revoke(d.ram.Slot()) }); err != nil {
		return err
	}
	return native.GiveRAM(d.ram)
}

// patiently repeats what the kernel has begun until it is done.
func patiently(do func() error) error {
	for {
		err := do()
		if !errors.Is(err, capability.ErrPending) && !errors.Is(err, capability.ErrRevoking) && !errors.Is(err, capability.ErrNotReady) {
			return err
		}
	}
}
