package domain

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
)

// Span makes the domain one with several dispatchers, of which the Plan
// describes one: home or a satellite. Its Info says which, too.
type Span struct {
	Home bool
	// Replicated says that each dispatcher has tables of its own for the program's
	// memory: there are no common ones.
	Replicated bool
	// Mount is another empty slot of the builder's L1 CNode. The L2 CNode that
	// makes the dispatchers known to each other (capability.Peer) is made there,
	// and stays: doorbells come into it when all dispatchers have been made.
	Mount uint32
	// Size is that of the frame at abi.SpanBase, in bytes.
	Size uint64
	// Frame is that frame, and Tables are the tables of level 3 that the top
	// table begins with. A satellite gets those of home, imported. At home they
	// are 0, and Build makes them, in capability.PeerFrame and from
	// capability.PeerTables on. Of a domain that is replicated there are no Tables.
	Frame  capability.Reference
	Tables [abi.SpanTables]capability.Reference
}

// check says what is wrong with a Span.
func (s *Span) check() error {
	if s.Size == 0 || s.Size%abi.PageSize != 0 || s.Size > abi.SpanSize(abi.MaxDispatchers) {
		return fmt.Errorf("its dispatchers share a frame of %d bytes", s.Size)
	}
	for i, r := range append([]capability.Reference{s.Frame}, s.Tables[:]...) {
		if (r == 0) != (s.Home || s.Replicated && i > 0) {
			return fmt.Errorf("what its dispatchers share is given at home, or not given to a satellite")
		}
	}
	return nil
}

// least returns how many bytes of RAM a Span takes at most.
func (s *Span) least() uint64 {
	// Tables for the frame, wherever it begins in the first.
	n := l2Size + (2+s.Size/span(2))*abi.PageSize
	if s.Home {
		n += s.Size
	}
	if s.Home && !s.Replicated {
		n += abi.SpanTables * abi.PageSize
	}
	return n
}

// peers is the CNode of a Span.
func (b *builder) peers() capability.Reference { return capability.LevelOneReference(b.Span.Mount) }

// peer is the reference of one of its slots.
func (b *builder) peer(slot uint32) capability.Reference {
	return capability.MakeReference(b.Span.Mount, slot)
}

// makeSpan makes a Span's CNode, and at home what the dispatchers share.
func (b *builder) makeSpan() error {
	s := b.Span
	if s == nil {
		return nil
	}
	if err := b.second(s.Mount, capability.Peer(0).L1()); err != nil {
		return err
	}
	b.frame, b.shared = s.Frame, s.Tables
	if !s.Home {
		return nil
	}
	common := func(slot uint32, t capability.Type, size uint64) (capability.Reference, error) {
		return b.peer(slot), b.retype(b.peers(), slot, b.peer(slot), t, size, abi.PageSize)
	}
	var err error
	if b.frame, err = common(capability.PeerFrame, capability.Frame, s.Size); err != nil {
		return err
	}
	if s.Replicated {
		return nil
	}
	for i := range b.shared {
		if b.shared[i], err = common(capability.PeerTables+uint32(i), capability.PageTable3, abi.PageSize); err != nil {
			return err
		}
	}
	return nil
}

// mapSpan maps what the dispatchers share.
func (b *builder) mapSpan() error {
	if b.Span == nil {
		return nil
	}
	for i, t := range b.shared {
		if t == 0 {
			break // it is replicated
		}
		if err := b.mapIn(b.own(capability.SlotVSpace), 4, uint64(i)*span(4), 1, t, 0, 0); err != nil {
			return fmt.Errorf("common table %d: %w", i, err)
		}
	}
	return b.mapFrame(&Frame{abi.SpanBase, b.frame, 0, b.Span.Size, abi.ProtRead | abi.ProtWrite})
}
