package main

import (
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/carrier/domain"
	typed "skerry/lib/capability"
	"skerry/lib/native"
	"skerry/service/memory"
	"skerry/service/monitor/agent"
)

// planSession adds what a domain's session needs to its plan.
func planSession(p *domain.Plan, s *agent.Session) {
	p.Exchange = s.Mount
	at := uint64(abi.SessionBase)
	for i, f := range []*agent.Frame{&s.Ring, &s.Sleep, &s.Hints} {
		p.Gifts = append(p.Gifts, domain.Gift{Slot: capability.SlotSession + uint32(i), Source: f.Reference, Rights: capability.RightRead | capability.RightWrite})
		p.Frames = append(p.Frames, domain.Frame{Address: at, Source: f.Reference, Size: f.Size, Prot: abi.ProtRead | abi.ProtWrite})
		at += f.Size
	}
}

// Frame implements agent.Kernel.
func (k *kernel) Frame(b memory.Block, base, size uint64) (capability.Reference, error) {
	return k.fill(func(slot capability.Reference) error {
		return settling(func() error {
			return retype(slot, b.Root.Reference, capability.Frame, base-b.Root.Base, size)
		})
	})
}

// DropFrame implements agent.Kernel.
func (k *kernel) DropFrame(r capability.Reference) error {
	if err := cnode(r).Revoke(r.Slot()); err != nil {
		return err
	}
	return k.empty(r)
}

// View implements agent.Kernel.
func (*kernel) View(f *agent.Frame) (uintptr, error) {
	return native.Map(f.Reference, 0, f.Size, abi.ProtRead|abi.ProtWrite)
}

// Unview implements agent.Kernel.
func (*kernel) Unview(at uintptr, size uint64) {
	if err := native.Unmap(at, size); err != nil {
		native.Log(fmt.Sprintf("monitor: a session stays mapped at %#x: %v", at, err))
	}
}

// Look implements agent.Kernel.
func (*kernel) Look(mount, slot uint32) (capability.Description, error) {
	d, err := native.Identify(capability.MakeReference(mount, slot))
	if errors.Is(err, capability.ErrEmpty) {
		return capability.Description{}, nil
	}
	return d, err
}

// Place implements agent.Kernel.
func (*kernel) Place(mount, slot uint32, source capability.Reference, rights capability.Rights) error {
	return mint(capability.MakeReference(mount, slot), source, rights)
}

// ImportTo implements agent.Kernel.
func (*kernel) ImportTo(mount, slot uint32, t capability.Type, base, size uint64, core uint32, rights capability.Rights) error {
	return driver.Import(capability.MakeReference(mount, slot), t, base, size, capability.ImportFrom(core, rights))
}

// Clear implements agent.Kernel.
func (*kernel) Clear(mount, slot uint32) { remove(capability.MakeReference(mount, slot)) }

// TakeFrom implements agent.Kernel.
func (k *kernel) TakeFrom(mount, slot uint32) (capability.Reference, error) {
	return k.fill(func(to capability.Reference) error {
		return cnode(to).Move(to.Slot(), capability.MakeReference(mount, slot))
	})
}

// Describe implements agent.Kernel.
func (*kernel) Describe(r capability.Reference) (capability.Description, error) {
	return native.Identify(r)
}

// Discard implements agent.Kernel.
func (k *kernel) Discard(r capability.Reference) {
	if err := k.empty(r); err != nil {
		native.Log(fmt.Sprintf("monitor: a capability stays in slot %#x: %v", r, err))
	}
}

// Relate implements agent.Kernel.
func (k *kernel) Relate(r capability.Reference, copies bool) error {
	relations := capability.Relations(0)
	if copies {
		relations = capability.RemoteCopies
	}
	d, err := native.Identify(r)
	if err != nil {
		return err
	}
	return driver.Relations(r, uint64(k.core), uint64(d.Relations&^capability.RemoteCopies|relations))
}

// Expel implements agent.Kernel.
func (*kernel) Expel(base, size uint64) error { return driver.Expel(base, size) }

// Gone implements agent.Kernel. What is in no slot nobody can copy.
func (*kernel) Gone(base, size uint64) error {
	var list [capability.CensusMax]capability.Description
	n, err := driver.Next(capability.Description{Type: capability.Frame, Base: base, Size: size + 1}, &list)
	if err != nil {
		return err
	}
	for _, d := range list[:min(n, capability.CensusMax)] {
		if d.Type == capability.Frame && d.Base == base && d.Size == size {
			return capability.ErrOccupied
		}
	}
	return driver.Expel(base, size)
}

// Number implements agent.Kernel.
func (k *kernel) Number(d *agent.Domain) (uint32, error) {
	number, err := typed.Dispatcher(d.Dispatcher).Number()
	return k.core*abi.CoreDispatchers + uint32(number), err
}

// Bell implements agent.Kernel. The capability is made once and kept: those who had
// a dispatcher's number before may be on their way out still.
func (k *kernel) Bell(number uint32) (capability.Reference, error) {
	r, ok := k.remote[number]
	if ok {
		return r, nil
	}
	r, err := k.fill(func(slot capability.Reference) error {
		return retype(slot, capability.Base(capability.SlotDoorbells), capability.RemoteDoorbell, uint64(number)-k.doorbells, 1)
	})
	if err != nil {
		return 0, fmt.Errorf("doorbell %d: %w", number, err)
	}
	k.remote[number] = r
	return r, nil
}

// Others implements agent.Kernel.
func (*kernel) Others() uint32 { return native.OwnPage().Others() }

// Cache implements agent.Kernel.
func (k *kernel) Cache() uint32 { return k.cache }
