// Package domain builds domains: by invocations alone, out of RAM that the
// builder holds, it makes a CSpace, an address space with the libos and all that
// a libos finds at its start, and a dispatcher that is ready to run.
//
// The CPU driver imports it for the first domain of its core, spawners (the
// monitors) for all others: whoever builds, a domain begins in the same way. It
// is ordinary Go. It knows the conventions of package abi about a new domain and
// nothing of who builds it; it must never run, watch or end what it has built.
package domain

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
)

// Invoker is the builder's way to what it holds.
type Invoker interface {
	// Invoke makes an invocation in the builder's CSpace. Between two of them
	// the CPU driver gets on with what it has pending.
	Invoke(word uint64, a *capability.Arguments) (uint64, capability.Error)
	// Fill lets fill write the memory of a frame of size bytes, which is
	// zeroed. The slice is not valid afterwards.
	Fill(frame capability.Reference, size uint64, fill func(memory []byte)) error
}

// Plan says what a domain is to be.
type Plan struct {
	Name string // for people; the first 31 bytes count
	Info []byte // an abi.Info with its strings

	Image       *Image
	Libos       []byte // the libos's file
	LibosOffset uint64 // where it lies in the archive's frame
	ArchiveSize uint64 // of the frame, a multiple of 2 MiB

	// RAM is what everything is made of: a capability to Size bytes from the
	// physical address Base on, of which nothing is made yet. What is left is
	// the domain's first memory. Base is a multiple of 32 KiB.
	RAM        capability.Reference
	Base, Size uint64

	// CSpace is the builder's own L1 CNode, and Mount an empty slot of it. The
	// first L2 CNode of the domain is made there, and stays: that is how the
	// builder reaches the domain's slots, as MakeReference(Mount, slot).
	CSpace capability.Reference
	Mount  uint32
	// InPlace says that the domain is to have the builder's own CSpace: Mount
	// is 1 and holds the first L2 CNode already, with CSpace and itself in
	// SlotCSpace and SlotBase.
	InPlace bool

	// Gifts are copied into the domain's first L2 CNode: SlotDomain and
	// SlotArchive must be among them, or there already if InPlace; SlotSupervisor
	// and SlotLog may be.
	Gifts []Gift
	// Devices are copied into another L2 CNode, which the domain finds as
	// capability.Machine says; without any it is not made. None if InPlace.
	Devices []Gift
	// Frames are mapped besides.
	Frames []Frame
	// Span is nil but for a domain with several dispatchers. None if InPlace.
	Span *Span
	// Exchange, unless it is 0, is another empty slot of the builder's L1 CNode.
	// The domain's exchange (capability.Exchange) is made there, and stays.
	Exchange uint32
}

// Gift is a capability that the domain gets a copy of.
type Gift struct {
	Slot   uint32
	Source capability.Reference
	Rights capability.Rights
}

// Frame is a part of a frame that the domain finds mapped.
type Frame struct {
	Address      uint64
	Source       capability.Reference
	Offset, Size uint64 // whole pages
	Prot         uint64 // abi.Prot…
}

// MaxTables bounds how many page tables a Plan may take.
const MaxTables = 20

// data returns the size of the frame that holds the libos's writable segments
// and the Info behind them.
func (p *Plan) data() uint64 {
	n := pageUp(uint64(len(p.Info)))
	for i := range p.Image.Segments {
		if s := &p.Image.Segments[i]; s.Prot&abi.ProtWrite != 0 {
			n += s.Size
		}
	}
	return n
}

// Least returns how many bytes of RAM a Plan takes at most, without leaving the
// domain any: CNodes, dispatcher, tables, the libos's data, Info.
func (p *Plan) Least() uint64 {
	n := dispatcherSize + l2Size + l1Size + (1+MaxTables)*abi.PageSize + p.data()
	if len(p.Devices) > 0 {
		n += l2Size
	}
	if p.Span != nil {
		n += p.Span.least()
	}
	if p.Exchange != 0 {
		n += l2Size
	}
	return n
}

// check says what is wrong with a Plan.
func (p *Plan) check() error {
	switch {
	case p.Base%dispatcherSize != 0 || p.Size%abi.PageSize != 0:
		return fmt.Errorf("its memory is not aligned")
	case p.Size < p.Least():
		return fmt.Errorf("%d KiB of memory, needs %d", p.Size>>10, p.Least()>>10)
	case len(p.Info) == 0 || len(p.Info) > abi.InfoMax:
		return fmt.Errorf("its Info has %d bytes of at most %d", len(p.Info), abi.InfoMax)
	case p.InPlace && p.Mount != 1:
		return fmt.Errorf("its CSpace is in place, but not at slot 1")
	case p.InPlace && len(p.Devices) > 0:
		return fmt.Errorf("its CSpace is in place, and there are devices to give")
	case p.InPlace && p.Span != nil:
		return fmt.Errorf("its CSpace is in place, and it has several dispatchers")
	case p.InPlace && p.Exchange != 0:
		return fmt.Errorf("its CSpace is in place, and it has an exchange")
	case p.Span != nil:
		return p.Span.check()
	}
	return nil
}
