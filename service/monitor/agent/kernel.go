package agent

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/service/memory"
	"skerry/service/memory/loan"
)

// Kernel is what an agent needs of the CPU driver and of the libos below it.
type Kernel interface {
	loan.Kernel

	// Make makes the capability of a block, for Build and Hand.
	Make(memory.Block) (Piece, error)
	// Destroy deletes a piece, all copies of it and all that was made of it.
	// Until it returns nil that goes on, and it is to be asked again after a
	// notification.
	Destroy(Piece) error
	// Reclaim returns RAM that nobody had a capability to any more, as a root; ok
	// is false when there is none.
	Reclaim() (r memory.Root, ok bool)
	// Sustain gives a block to the monitor's own libos, for good.
	Sustain(memory.Block) error
	// Own says what memory the monitor itself has.
	Own() (abi.Memory, error)

	// Channels returns abi.ChannelsSize bytes that can be shared with a domain.
	Channels() (Channels, error)
	// Least returns how much memory a domain takes to be built.
	Least(*Domain) (bytes uint64)
	// Build makes a domain, which can then be run. When it fails, what it has
	// made goes with the domain's memory.
	Build(*Domain) error
	// Forget gives back what the kernel keeps of a domain whose memory has
	// been destroyed, built or not.
	Forget(*Domain)
	// Run and Stop let the domain run, and no more. Ring rings it.
	Run(*Domain) error
	Stop(*Domain) error
	Ring(*Domain) error
	// State tells how the domain is (abi.DomainNew…), and Status how it ended
	// if that is abi.DomainEnded.
	State(*Domain) (uint64, error)
	Status(*Domain) (abi.Status, error)
	// Hand puts a copy of a piece into slot capability.SlotMemory + number of
	// the domain's.
	Hand(d *Domain, number uint32, p Piece) error

	CoreInfo() (abi.CoreInfo, error)
	// Dispatcher describes the first dispatcher whose domain has at least a
	// number.
	Dispatcher(from uint32) (info abi.DomainInfo, ok bool, err error)
	// Census calls each with every object on the core; see native.Census.
	Census(each func(*capability.Description)) error
}

// Piece is a block with the capability to it.
type Piece struct {
	memory.Block
	Reference capability.Reference
}

// Channels is memory for the channels with a domain.
type Channels struct {
	Address uintptr              // in the monitor
	Frame   capability.Reference // of the frame of abi.ChannelsSize bytes
}

// Domain is a domain to be built, or that was built.
type Domain struct {
	Number   uint32
	Mount    uint32 // slot of the monitor's L1 CNode for its first L2 CNode
	Name     string
	Info     []byte // an abi.Info with its strings
	Grants   uint32 // wire.Grant…
	Memory   Piece  // of which it is made
	Channels Channels

	// Build makes capabilities to its number and its dispatcher, and a doorbell;
	// Forget deletes them.
	Identity, Dispatcher, Doorbell capability.Reference
}
