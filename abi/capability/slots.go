package capability

// A new domain's CSpace, by convention of spawners and liboses: slot 1 of its
// L1 CNode holds its first L2 CNode, and in that are, by slot:
const (
	// SlotCSpace and SlotBase are the L1 CNode and this L2 CNode themselves.
	SlotCSpace = 1 + iota
	SlotBase
	// SlotVSpace is the top table of its address space, SlotDispatcher its
	// dispatcher, SlotDomain its number, SlotEndpoint an endpoint of its
	// dispatcher.
	SlotVSpace
	SlotDispatcher
	SlotDomain
	SlotEndpoint
	// SlotSupervisor is a doorbell of the domain that spawned it; empty in a
	// core's monitor.
	SlotSupervisor
	// SlotArchive is the boot archive: a frame with rights Read, Execute and
	// Grant.
	SlotArchive
	// SlotLog is the Kernel with right Write alone; it may be empty.
	SlotLog
	// SlotChannels is the frame at abi.StdioBase; empty in a core's monitor.
	SlotChannels

	// What only monitors, and whom they give it, have. Programs have SlotKernel
	// with right Read alone; SlotIRQSource to SlotCounters they have if they are
	// given devices.

	// SlotKernel is the Kernel with all rights.
	SlotKernel
	// SlotDomains is all domain numbers.
	SlotDomains
	// SlotIRQSource, SlotIRQDestination, SlotIOPorts and SlotCounters are what
	// the core has to give of their kind, the largest range if these are
	// several; empty where it has none.
	SlotIRQSource
	SlotIRQDestination
	SlotIOPorts
	SlotCounters
	// SlotDoorbells is the doorbells of all dispatchers of all cores; monitors
	// have it.
	SlotDoorbells

	// SlotSession and the two after it are the frames at abi.SessionBase, for a
	// program on several cores: it maps them where all of its dispatchers have them.
	SlotSession

	// SlotSpawned is the first of those in which the spawner left the tables
	// and mappings of what it mapped.
	SlotSpawned = 32
	// SlotMemory is the first of MemorySlots for pieces of RAM, by number: the
	// first has been filled by the spawner, others are asked for.
	SlotMemory  = 96
	MemorySlots = 128
	// SlotFree is the first of the rest of this CNode, all empty.
	SlotFree = SlotMemory + MemorySlots
)

// Base returns the reference to a slot of a domain's first L2 CNode.
func Base(slot uint32) Reference { return MakeReference(1, slot) }

// In a core's monitor slot 2 of the L1 CNode holds another L2 CNode, with what
// the machine is made of. A domain that is given devices has one there too, with
// copies of what its monitor has from MachineDevices on, as SlotIRQSource to
// SlotCounters hold copies of what its monitor has there: all without right
// Revoke.
const (
	// MachineRAM is the first of up to MachineRAMSlots slots with the RAM that
	// the core was given at boot and that neither its kernel nor the monitor
	// itself began with: of that in these slots nothing has been made.
	MachineRAM      = 1
	MachineRAMSlots = 31
	// MachineDevices is the first of up to MachineDevicesSlots slots with
	// physical ranges that are not RAM, and with what there is of I/O ports and
	// interrupt sources beside the largest ranges of them; on core 0 alone.
	MachineDevices      = 32
	MachineDevicesSlots = 32
)

// Machine returns the reference to a slot of that CNode.
func Machine(slot uint32) Reference { return MakeReference(2, slot) }

// In a domain with several dispatchers slot 3 of each one's L1 CNode holds an L2
// CNode that makes them known to each other: in slot PeerDoorbells+k a doorbell
// of dispatcher k, none of its own. At home there are besides, in slot
// PeerFrame the frame at abi.SpanBase, and from PeerTables on the abi.SpanTables
// tables of level 3 that its top table begins with.
//
// A replicated domain has no such tables. Its program's memory is pieces of RAM that
// are one Frame each, in slot SlotMemory + number at home; all others have them,
// imported, in slot PeerFrames + number.
const (
	PeerDoorbells = 1
	PeerFrame     = 127
	PeerTables    = 128
	PeerFrames    = 128

	// All pieces have a slot.
	_ = uint(L2Slots - PeerFrames - MemorySlots)
)

// Peer returns the reference to a slot of that CNode.
func Peer(slot uint32) Reference { return MakeReference(3, slot) }

// CensusMax is how many Descriptions one invocation Next of a Kernel writes at
// most. A census is a Description to start after, over which the first is
// written.
const CensusMax = 16

// In a domain that is given messages slot 4 of the L1 CNode holds an L2 CNode, the
// exchange, which its monitor reaches too. The domain puts what it gives to others
// into slots from 1 on; what others give it the monitor puts into slots from
// ExchangeIn on, in the order of their numbers as far as they are empty, and the
// domain is to empty them.
const ExchangeIn = 64

// Exchange returns the reference to a slot of that CNode.
func Exchange(slot uint32) Reference { return MakeReference(4, slot) }
