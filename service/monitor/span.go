package main

import (
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/carrier/domain"
	typed "skerry/lib/capability"
	"skerry/lib/native"
	"skerry/service/monitor/agent"
)

// planSpan returns the part of a domain's plan that says what it shares with the
// other dispatchers of its program.
func planSpan(s *agent.Span) *domain.Span {
	p := &domain.Span{Home: s.Index == 0, Replicated: s.Replicated, Mount: s.Mount, Size: abi.SpanSize(uint64(s.Dispatchers))}
	if len(s.Imports) > 0 {
		p.Frame = s.Imports[0]
		copy(p.Tables[:], s.Imports[1:])
	}
	return p
}

// toMap are the rights to what home shares: it can be given to nobody.
const toMap = capability.AllRights &^ capability.RightGrant

// imports makes capabilities to what home shares.
func (k *kernel) imports(s *agent.Span) error {
	add := func(t capability.Type, base, size uint64) error {
		r, err := k.fill(func(slot capability.Reference) error {
			return driver.Import(slot, t, base, size, capability.ImportFrom(s.Home, toMap))
		})
		if err != nil {
			return fmt.Errorf("import %s at %#x: %w", t, base, err)
		}
		s.Imports = append(s.Imports, r)
		return nil
	}
	err := add(capability.Frame, s.Common.Frame, s.Common.Size)
	if s.Replicated {
		return err
	}
	for _, base := range s.Common.Tables {
		if err == nil {
			err = add(capability.PageTable3, base, abi.PageSize)
		}
	}
	return err
}

// dropImports deletes them.
func (k *kernel) dropImports(s *agent.Span) (err error) {
	for _, r := range s.Imports {
		err = errors.Join(err, k.empty(r))
	}
	s.Imports = nil
	return err
}

// findSpan says where what home shares is, and by which number its dispatcher is
// known to other cores.
func (k *kernel) findSpan(d *agent.Domain) error {
	s := d.Span
	number, err := typed.Dispatcher(d.Dispatcher).Number()
	if err != nil {
		return err
	}
	s.Doorbell = k.core*abi.CoreDispatchers + uint32(number)
	if s.Index != 0 {
		return nil
	}
	find := func(slot uint32) capability.Description {
		d, e := native.Identify(capability.MakeReference(s.Mount, slot))
		err = errors.Join(err, e)
		return d
	}
	frame := find(capability.PeerFrame)
	s.Common.Frame, s.Common.Size = frame.Base, frame.Size
	if s.Replicated {
		return err
	}
	for i := range s.Common.Tables {
		s.Common.Tables[i] = find(capability.PeerTables + uint32(i)).Base
	}
	return err
}

// HandFrame implements agent.Kernel. The program does not get the RAM, of which it
// could make page tables, while other cores let it write the frame.
func (k *kernel) HandFrame(d *agent.Domain, number uint32, p agent.Piece) error {
	slot := capability.MakeReference(d.Mount, capability.SlotMemory+number)
	return settling(func() error { return retype(slot, p.Reference, capability.Frame, 0, p.Size) })
}

// Import implements agent.Kernel. What it makes goes with the CNode that it is in,
// which is of the domain's memory.
func (*kernel) Import(d *agent.Domain, number uint32, base, size uint64) error {
	slot := capability.MakeReference(d.Span.Mount, capability.PeerFrames+number)
	if err := driver.Import(slot, capability.Frame, base, size, capability.ImportFrom(d.Span.Home, toMap)); err != nil {
		return fmt.Errorf("import frame at %#x: %w", base, err)
	}
	return nil
}

// Connect implements agent.Kernel.
func (k *kernel) Connect(d *agent.Domain, doorbells []uint32) error {
	for i, number := range doorbells {
		if uint32(i) == d.Span.Index {
			continue
		}
		r, err := k.Bell(number)
		if err != nil {
			return err
		}
		slot := capability.MakeReference(d.Span.Mount, capability.PeerDoorbells+uint32(i))
		if err := mint(slot, r, capability.RightSend); err != nil {
			return fmt.Errorf("doorbell %d: %w", number, err)
		}
	}
	return nil
}

// Share implements agent.Kernel.
func (*kernel) Share(core, domains uint32) error { return driver.Share(uint64(core), uint64(domains)) }

// Weigh implements agent.Kernel.
func (*kernel) Weigh(d *agent.Domain, weight uint64) error {
	return driver.Weight(d.Dispatcher, weight)
}

// Reserve implements agent.Kernel.
func (*kernel) Reserve(d *agent.Domain, period, budget, deadline uint64) (uint64, error) {
	return driver.Reserve(d.Dispatcher, period, budget, deadline)
}
