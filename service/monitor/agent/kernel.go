package agent

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/service/memory"
	"skerry/service/memory/loan"
	"skerry/service/monitor/wire"
)

// Kernel is what an agent needs of the CPU driver and of the libos below it.
type Kernel interface {
	loan.Kernel

	// Make makes the capability of a block, for Build and Hand. ErrAgain: it
	// cannot yet, and is to be asked again after a notification.
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
	// Run and Stop let the domain run, and no more. Ring rings it, and Yield lets it run for
	// what is left of the monitor's turn, until it waits or the monitor's doorbell is rung.
	Run(*Domain) error
	Stop(*Domain) error
	Ring(*Domain) error
	Yield(*Domain)
	// State tells how the domain is (abi.DomainNew…), and Status how it ended
	// if that is abi.DomainEnded.
	State(*Domain) (uint64, error)
	Status(*Domain) (abi.Status, error)
	// Hand puts a copy of a piece into slot capability.SlotMemory + number of
	// the domain's.
	Hand(d *Domain, number uint32, p Piece) error
	// HandFrame makes a piece one Frame, in that slot of a domain that is home,
	// cleared. Import gives a dispatcher elsewhere a capability to a frame of
	// home's, in slot capability.PeerFrames + number; it goes with the domain's
	// memory.
	HandFrame(d *Domain, number uint32, p Piece) error
	Import(d *Domain, number uint32, base, size uint64) error
	// Connect lets a domain's dispatcher ring the others of its program, whose
	// doorbells are given by index, its own among them.
	Connect(d *Domain, doorbells []uint32) error
	// Share says how many domains here have a dispatcher on another core, for
	// which they have memory in common.
	Share(core, domains uint32) error
	// Weigh and Reserve say how a domain is scheduled; see the Kernel's
	// invocations Weight and Reserve.
	Weigh(d *Domain, weight uint64) error
	Reserve(d *Domain, period, budget, deadline uint64) (left uint64, err error)

	Sharer

	CoreInfo() (abi.CoreInfo, error)
	// Dispatcher describes the first dispatcher whose domain has at least a
	// number.
	Dispatcher(from uint32) (info abi.DomainInfo, ok bool, err error)
	// Census calls each with every object on the core; see native.Census.
	Census(each func(*capability.Description)) error
}

// Sharer is what an agent needs for programs that speak to others.
type Sharer interface {
	// Frame makes a frame of size bytes, whole pages, at a physical address in a
	// block that nobody else has.
	Frame(b memory.Block, base, size uint64) (capability.Reference, error)
	// DropFrame deletes a frame and all copies of it. Until it returns nil that goes
	// on, and it is to be asked again after a notification.
	DropFrame(capability.Reference) error
	// View maps a frame into the monitor, Unview ends that.
	View(*Frame) (uintptr, error)
	Unview(at uintptr, size uint64)

	// Look describes what is in a slot of an exchange, by the exchange's slot in the
	// monitor's L1 CNode: type Null, if it is empty.
	Look(mount, slot uint32) (capability.Description, error)
	// Place puts a copy of what the monitor has, with at most some rights, into an
	// empty slot of an exchange, ImportTo a capability to a frame of another core, Clear
	// deletes what is there, and TakeFrom moves it into a slot of the monitor's.
	// ErrOccupied: the slot is not empty.
	Place(mount, slot uint32, source capability.Reference, rights capability.Rights) error
	ImportTo(mount, slot uint32, t capability.Type, base, size uint64, core uint32, rights capability.Rights) error
	Clear(mount, slot uint32)
	TakeFrom(mount, slot uint32) (capability.Reference, error)
	// Describe describes what the monitor has in a slot, Discard deletes it, and
	// Relate says whether other cores have got copies.
	Describe(capability.Reference) (capability.Description, error)
	Discard(capability.Reference)
	Relate(r capability.Reference, copies bool) error
	// Expel deletes all capabilities here to a range of another core's memory. Until
	// it returns nil that goes on, and it is to be asked again after a notification.
	Expel(base, size uint64) error

	// Gone returns nil if nothing is left here of an import, and no processor can reach
	// what was mapped of it. ErrOccupied: something is left. Else it is to be asked again
	// after a notification.
	Gone(base, size uint64) error

	// Number returns the number of the RemoteDoorbell that rings a domain, Bell the
	// capability to such a one.
	Number(*Domain) (uint32, error)
	Bell(number uint32) (capability.Reference, error)
	// Others returns how many of the core's dispatchers can run beside the monitor's.
	Others() uint32
	// Cache returns the number of the core's last cache before memory, or
	// wire.NoCache; see wire.State.
	Cache() uint32
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
	Share    wire.Share
	Memory   Piece // of which it is made
	Channels Channels
	// Span is nil but for one of several dispatchers of a program.
	Span *Span
	// Session is nil but for a program that is given messages.
	Session *Session

	// Build makes capabilities to its number and its dispatcher, and a doorbell;
	// Forget deletes them.
	Identity, Dispatcher, Doorbell capability.Reference
}

// Span is what a domain has that is one of several dispatchers of a program.
type Span struct {
	Mount              uint32 // slot of the monitor's L1 CNode for the CNode with its peers
	Home, Domain       uint32 // the program's first core, and its domain there
	Index, Dispatchers uint32 // which it is, 0 at home, and how many
	// Replicated says that each has page tables of its own for the program's
	// memory, which comes as frames that all can map.
	Replicated bool
	// Common is the memory that they have in common: at home Build makes it, and
	// says where it is.
	Common wire.Common
	// Build says which RemoteDoorbell is the dispatcher's.
	Doorbell uint32
	// Elsewhere, Build makes capabilities to Common; Forget deletes them.
	Imports []capability.Reference
}
