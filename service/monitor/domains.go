package main

import (
	"errors"
	"fmt"
	"unsafe"

	"skerry/abi"
	"skerry/abi/archive"
	"skerry/abi/capability"
	"skerry/carrier/domain"
	typed "skerry/lib/capability"
	"skerry/lib/native"
	"skerry/service/monitor/agent"
	"skerry/service/monitor/wire"
)

// system is what all domains are made from.
type system struct {
	image       *domain.Image
	libos       []byte // the libos's file, in the boot archive
	offset      uint64 // where it is there
	archiveSize uint64
}

// findSystem finds the libos in the boot archive, which lies in memory.
func findSystem() (*system, error) {
	d, err := native.Identify(capability.Base(capability.SlotArchive))
	if err != nil {
		return nil, err
	}
	a, e := archive.Open(abi.ArchiveBase, d.Size)
	if e != archive.OK {
		return nil, fmt.Errorf("boot archive: %w", e)
	}
	n, e := a.Lookup(archive.Root, abi.ArchiveLibos, true)
	if e != archive.OK {
		return nil, fmt.Errorf("%s: %w", abi.ArchiveLibos, e)
	}
	s := &system{archiveSize: d.Size}
	at, size := a.Address(n)
	s.offset, _ = a.Data(n)
	s.libos = memoryAt(at, size)
	s.image, err = domain.ParseLibos(s.libos)
	return s, err
}

// memoryAt views memory that is mapped.
func memoryAt(at uintptr, size uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), at)), size)
}

// Channels implements agent.Kernel.
func (k *kernel) Channels() (agent.Channels, error) {
	const size = abi.ChannelsSize // a power of two
	slot, err := native.Slot()
	if err != nil {
		return agent.Channels{}, err
	}
	if err := native.RAM(size, slot); err != nil {
		native.FreeSlot(slot)
		return agent.Channels{}, err
	}
	frame, err := k.fill(func(frame capability.Reference) error {
		return settling(func() error { return retype(frame, slot, capability.Frame, 0, abi.ChannelsSize) })
	})
	if err == nil {
		var at uintptr
		if at, err = native.Map(frame, 0, abi.ChannelsSize, abi.ProtRead|abi.ProtWrite); err == nil {
			return agent.Channels{Address: at, Frame: frame}, nil
		}
		k.empty(frame)
	}
	native.GiveRAM(slot)
	return agent.Channels{}, err
}

// plan returns what a domain is to be built from.
func (k *kernel) plan(d *agent.Domain) *domain.Plan {
	p := &domain.Plan{
		Name: d.Name, Info: d.Info,
		Image: k.system.image, Libos: k.system.libos, LibosOffset: k.system.offset, ArchiveSize: k.system.archiveSize,
		RAM: d.Memory.Reference, Base: d.Memory.Base, Size: d.Memory.Size,
		CSpace: capability.Base(capability.SlotCSpace), Mount: d.Mount,
		Gifts: []domain.Gift{
			{Slot: capability.SlotDomain, Source: d.Identity, Rights: identityRights(d)},
			{Slot: capability.SlotArchive, Source: capability.Base(capability.SlotArchive), Rights: capability.RightRead | capability.RightExecute | capability.RightGrant},
			{Slot: capability.SlotSupervisor, Source: k.doorbell, Rights: capability.RightSend},
			// Without Revoke: it would unmap the frame here.
			{Slot: capability.SlotChannels, Source: d.Channels.Frame, Rights: capability.RightRead | capability.RightWrite},
		},
		Frames: []domain.Frame{
			{Address: abi.StdioBase, Source: d.Channels.Frame, Size: abi.ChannelsSize, Prot: abi.ProtRead | abi.ProtWrite},
		},
	}
	if d.Span != nil {
		p.Span = planSpan(d.Span)
	}
	if s := d.Session; s != nil {
		planSession(p, s)
	}
	if d.Grants&wire.GrantLog != 0 {
		p.Gifts = append(p.Gifts, domain.Gift{Slot: capability.SlotLog, Source: capability.Reference(driver), Rights: capability.RightWrite})
	}
	if d.Grants&wire.GrantInspect != 0 {
		p.Gifts = append(p.Gifts, domain.Gift{Slot: capability.SlotKernel, Source: capability.Reference(driver), Rights: capability.RightRead})
	}
	if d.Grants&wire.GrantDevices != 0 {
		for _, slot := range []uint32{capability.SlotIRQSource, capability.SlotIRQDestination, capability.SlotIOPorts, capability.SlotCounters} {
			p.Gifts = appendDevice(p.Gifts, slot, capability.Base(slot))
		}
		for n := range uint32(capability.MachineDevicesSlots) {
			slot := capability.MachineDevices + n
			p.Devices = appendDevice(p.Devices, slot, capability.Machine(slot))
		}
	}
	return p
}

// appendDevice appends what the monitor has in a slot, if anything. Without
// Revoke: it would take from others what was made of it for them.
func appendDevice(gifts []domain.Gift, slot uint32, source capability.Reference) []domain.Gift {
	if _, err := native.Identify(source); err != nil {
		return gifts
	}
	return append(gifts, domain.Gift{Slot: slot, Source: source, Rights: capability.AllRights &^ capability.RightRevoke})
}

// identityRights are those that a domain has to its number.
func identityRights(d *agent.Domain) capability.Rights {
	if d.Grants&wire.GrantDispatch != 0 {
		return capability.RightControl | capability.RightGrant
	}
	return capability.RightControl
}

// Least implements agent.Kernel.
func (k *kernel) Least(d *agent.Domain) uint64 { return k.plan(d).Least() }

// Build implements agent.Kernel. The monitor keeps what it needs of the domain in
// slots of its own: it would only harm itself by what it does to its copies.
func (k *kernel) Build(d *agent.Domain) (err error) {
	d.Identity, err = k.fill(func(slot capability.Reference) error {
		return retype(slot, capability.Base(capability.SlotDomains), capability.Domain, uint64(d.Number)-k.domains, 1)
	})
	if err != nil {
		return fmt.Errorf("domain number %d: %w", d.Number, err)
	}
	if d.Span != nil && d.Span.Index != 0 {
		if err := k.imports(d.Span); err != nil {
			return err
		}
	}
	if err := domain.Build(invoker{}, k.plan(d)); err != nil {
		return err
	}
	d.Dispatcher, err = k.fill(func(slot capability.Reference) error {
		return mint(slot, capability.MakeReference(d.Mount, capability.SlotDispatcher), capability.RightRead|capability.RightControl)
	})
	if err != nil {
		return err
	}
	d.Doorbell, err = k.fill(func(slot capability.Reference) error {
		return retype(slot, capability.MakeReference(d.Mount, capability.SlotEndpoint), capability.Doorbell, 0, capability.Of(capability.Doorbell).Least)
	})
	if err != nil || d.Span == nil {
		return err
	}
	return k.findSpan(d)
}

// Forget implements agent.Kernel. With the domain's memory all is gone but its
// number, and what it had of another core's.
func (k *kernel) Forget(d *agent.Domain) {
	err := errors.Join(k.empty(d.Dispatcher), k.empty(d.Doorbell), k.empty(d.Identity))
	if d.Span != nil {
		err = errors.Join(err, k.dropImports(d.Span))
	}
	if err != nil {
		native.Log(fmt.Sprintf("monitor: domain %d leaves a slot: %v", d.Number, err))
	}
}

// Run implements agent.Kernel.
func (*kernel) Run(d *agent.Domain) error { return typed.Dispatcher(d.Dispatcher).Run() }

// Stop implements agent.Kernel.
func (*kernel) Stop(d *agent.Domain) error { return typed.Dispatcher(d.Dispatcher).Stop() }

// Ring implements agent.Kernel.
func (*kernel) Ring(d *agent.Domain) error { return typed.Doorbell(d.Doorbell).Ring() }

// Yield implements agent.Kernel. It fails if the domain has ended meanwhile.
func (*kernel) Yield(d *agent.Domain) { _ = native.Yield(d.Doorbell) }

// State implements agent.Kernel.
func (*kernel) State(d *agent.Domain) (uint64, error) {
	return typed.Dispatcher(d.Dispatcher).State()
}

// Status implements agent.Kernel.
func (*kernel) Status(d *agent.Domain) (abi.Status, error) {
	return typed.Dispatcher(d.Dispatcher).Status()
}

// Hand implements agent.Kernel. The program gets the piece without Revoke, which
// would let it delete the monitor's capability.
func (*kernel) Hand(d *agent.Domain, number uint32, p agent.Piece) error {
	const rights = capability.RightGrant | capability.RightRetype
	return mint(capability.MakeReference(d.Mount, capability.SlotMemory+number), p.Reference, rights)
}

// invoker lets package domain build in this monitor's CSpace.
type invoker struct{}

// Invoke implements domain.Invoker.
func (invoker) Invoke(word uint64, a *capability.Arguments) (value uint64, err capability.Error) {
	settling(func() error {
		value, err = native.Invoke(word, a)
		return err
	})
	return value, err
}

// Fill implements domain.Invoker.
func (invoker) Fill(frame capability.Reference, size uint64, fill func([]byte)) error {
	at, err := native.Map(frame, 0, size, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	fill(memoryAt(at, size))
	return native.Unmap(at, size)
}
