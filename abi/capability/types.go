// Code generated from package table by "go generate ./abi/capability". DO NOT EDIT.

package capability

// Type is a capability type. A type made of another has the higher number.
type Type uint8

// The types.
const (
	// Null is the type of an empty slot.
	Null Type = iota
	// PhysicalRange: physical addresses that are not RAM: device registers, or nothing.
	PhysicalRange
	// RAM: memory not yet used for anything; it can be neither read nor mapped, only made into something.
	RAM
	// Frame: memory that can be mapped into address spaces.
	Frame
	// DeviceFrame: device registers that can be mapped, uncached; never executable.
	DeviceFrame
	// L1CNode: the first level of a CSpace: slots that hold L2 CNodes; slot 0 is the kernel's.
	L1CNode
	// L2CNode: 256 slots that hold capabilities of any type; slot 0 is the kernel's.
	L2CNode
	// PageTable1: a page table whose entries are 4 KiB pages.
	PageTable1
	// PageTable2: a page directory: its entries are tables of level 1 or 2 MiB pages.
	PageTable2
	// PageTable3: its entries are tables of level 2 or 1 GiB pages.
	PageTable3
	// PageTable4: its entries are tables of level 3; the top of an address space with 4 levels.
	PageTable4
	// PageTable5: its entries are tables of level 4; the top of an address space with 5 levels; declared, not yet mapped by any kernel.
	PageTable5
	// Dispatcher: a schedulable thread of kernel-to-user upcalls on this core: control block, save areas, the pages shared with its user half, and room for endpoints.
	Dispatcher
	// Endpoint: where a dispatcher gets messages: the native call Message sends to it and receives from it; a buffer for as many messages of 96 bytes as there is room for behind the first 128; it goes with its dispatcher.
	Endpoint
	// Doorbell: the right to wake an endpoint's dispatcher, from this core or another; an empty message.
	Doorbell
	// KCB: a kernel control block: everything a CPU driver keeps for its users.
	KCB
	// Mapping: one mapped region: deleting it unmaps; it goes with the frame or table that is mapped.
	Mapping
	// IRQSource: interrupt sources: lines of the interrupt controllers.
	IRQSource
	// IRQDestination: interrupt vectors of this core.
	IRQDestination
	// IOPorts: a range of I/O ports.
	IOPorts
	// Kernel: the CPU driver of this core: what only monitors may ask.
	Kernel
	// Domain: domain numbers: who a dispatcher runs for.
	Domain
	// PerformanceCounter: hardware performance counters of this core.
	PerformanceCounter
	// RemoteDoorbell: the right to wake dispatchers of other cores, by an interrupt: numbers core*abi.CoreDispatchers + the number that Number of a Dispatcher says there.
	RemoteDoorbell
	// NumTypes is the number of types, Null among them.
	NumTypes
)

// Space is a set of numbers of which capabilities name ranges.
type Space uint8

// The spaces.
const (
	// Memory: physical addresses, in bytes.
	SpaceMemory Space = iota
	// Interrupts: interrupt sources (global system interrupts).
	SpaceInterrupts
	// Vectors: interrupt vectors of this core.
	SpaceVectors
	// Ports: I/O ports.
	SpacePorts
	// Cores: cores, by number.
	SpaceCores
	// Domains: domain numbers.
	SpaceDomains
	// Counters: hardware performance counters of this core.
	SpaceCounters
	// Doorbells: dispatchers of all cores.
	SpaceDoorbells
)

// Rights is a set of rights.
type Rights uint8

// The rights.
const (
	// RightRead allows to read the object, or look capabilities up through it.
	RightRead Rights = 1 << iota
	// RightWrite allows to write the object, or place capabilities in it.
	RightWrite
	// RightExecute allows to execute from the object.
	RightExecute
	// RightGrant allows to copy, mint or send the capability.
	RightGrant
	// RightRetype allows to make other objects of it.
	RightRetype
	// RightRevoke allows to delete all other copies and everything made of the object.
	RightRevoke
	// RightControl allows to change what the object does.
	RightControl
	// RightSend allows to send to the object, or ring it.
	RightSend
	// NumRights is the number of rights, AllRights the set of all.
	NumRights        = 8
	AllRights Rights = 1<<NumRights - 1
)

const rightLetters = "rwegrrcs"

var rules = [NumTypes]Rule{
	Null: {Name: "Null", Align: 1},
	PhysicalRange: {
		Name: "PhysicalRange", Space: SpaceMemory,
		Rights:  RightGrant | RightRetype | RightRevoke,
		Parents: 1 << PhysicalRange,
		Align:   0x1000, Least: 0x1000, Most: 0x10000000000000,
	},
	RAM: {
		Name: "RAM", Space: SpaceMemory,
		Rights:  RightGrant | RightRetype | RightRevoke,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x1000, Most: 0x10000000000000,
	},
	Frame: {
		Name: "Frame", Space: SpaceMemory,
		Rights:  RightRead | RightWrite | RightExecute | RightGrant | RightRetype | RightRevoke,
		Parents: 1<<RAM | 1<<Frame,
		Align:   0x1000, Least: 0x1000, Most: 0x10000000000000,
		Zeroed: true, Holds: false, Dependent: false,
	},
	DeviceFrame: {
		Name: "DeviceFrame", Space: SpaceMemory,
		Rights:  RightRead | RightWrite | RightGrant | RightRetype | RightRevoke,
		Parents: 1<<PhysicalRange | 1<<DeviceFrame,
		Align:   0x1000, Least: 0x1000, Most: 0x10000000000000,
	},
	L1CNode: {
		Name: "L1CNode", Space: SpaceMemory,
		Rights:  RightRead | RightWrite | RightGrant | RightRevoke,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x1000, Most: 0x20000000,
		Zeroed: true, Holds: true, Dependent: false,
	},
	L2CNode: {
		Name: "L2CNode", Space: SpaceMemory,
		Rights:  RightRead | RightWrite | RightGrant | RightRevoke,
		Parents: 1 << RAM,
		Align:   0x4000, Least: 0x4000, Most: 0x4000,
		Zeroed: true, Holds: true, Dependent: false,
	},
	PageTable1: {
		Name: "PageTable1", Space: SpaceMemory,
		Rights:  RightGrant | RightRevoke | RightControl,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x1000, Most: 0x1000,
		Zeroed: true, Holds: false, Dependent: false,
	},
	PageTable2: {
		Name: "PageTable2", Space: SpaceMemory,
		Rights:  RightGrant | RightRevoke | RightControl,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x1000, Most: 0x1000,
		Zeroed: true, Holds: false, Dependent: false,
	},
	PageTable3: {
		Name: "PageTable3", Space: SpaceMemory,
		Rights:  RightGrant | RightRevoke | RightControl,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x1000, Most: 0x1000,
		Zeroed: true, Holds: false, Dependent: false,
	},
	PageTable4: {
		Name: "PageTable4", Space: SpaceMemory,
		Rights:  RightGrant | RightRevoke | RightControl,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x1000, Most: 0x1000,
		Zeroed: true, Holds: false, Dependent: false,
	},
	PageTable5: {
		Name: "PageTable5", Space: SpaceMemory,
		Rights:  RightGrant | RightRevoke | RightControl,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x1000, Most: 0x1000,
		Zeroed: true, Holds: false, Dependent: false,
	},
	Dispatcher: {
		Name: "Dispatcher", Space: SpaceMemory,
		Rights:  RightRead | RightGrant | RightRetype | RightRevoke | RightControl,
		Parents: 1 << RAM,
		Align:   0x8000, Least: 0x8000, Most: 0x8000,
		Zeroed: true, Holds: true, Dependent: false,
		SlotsAt: 0xc00, Slots: 16,
		Offers: 0x5000,
	},
	Endpoint: {
		Name: "Endpoint", Space: SpaceMemory,
		Rights:  RightGrant | RightRetype | RightRevoke | RightControl | RightSend,
		Parents: 1 << Dispatcher,
		Align:   0x100, Least: 0x100, Most: 0x2000,
		Zeroed: false, Holds: false, Dependent: true,
	},
	Doorbell: {
		Name: "Doorbell", Space: SpaceMemory,
		Rights:  RightGrant | RightRevoke | RightSend,
		Parents: 1 << Endpoint,
		Align:   0x100, Least: 0x100, Most: 0x2000,
		Zeroed: false, Holds: false, Dependent: true,
	},
	KCB: {
		Name: "KCB", Space: SpaceMemory,
		Rights:  RightRead | RightGrant | RightRevoke | RightControl,
		Parents: 1 << RAM,
		Align:   0x1000, Least: 0x20000, Most: 0x20000,
		Zeroed: true, Holds: false, Dependent: false,
	},
	Mapping: {
		Name: "Mapping", Space: SpaceMemory,
		Rights:  RightRead | RightWrite | RightExecute | RightControl,
		Parents: 0,
		Align:   0x1000, Least: 0x1000, Most: 0x10000000000000,
		Zeroed: false, Holds: false, Dependent: true,
	},
	IRQSource: {
		Name: "IRQSource", Space: SpaceInterrupts,
		Rights:  RightGrant | RightRetype | RightRevoke | RightControl,
		Parents: 1 << IRQSource,
		Align:   0x1, Least: 0x1, Most: 0x1000000,
	},
	IRQDestination: {
		Name: "IRQDestination", Space: SpaceVectors,
		Rights:  RightGrant | RightRetype | RightRevoke | RightControl,
		Parents: 1 << IRQDestination,
		Align:   0x1, Least: 0x1, Most: 0x100,
	},
	IOPorts: {
		Name: "IOPorts", Space: SpacePorts,
		Rights:  RightRead | RightWrite | RightGrant | RightRetype | RightRevoke,
		Parents: 1 << IOPorts,
		Align:   0x1, Least: 0x1, Most: 0x10000,
	},
	Kernel: {
		Name: "Kernel", Space: SpaceCores,
		Rights:  RightRead | RightWrite | RightGrant | RightControl | RightSend,
		Parents: 0,
		Align:   0x1, Least: 0x1, Most: 0x1,
	},
	Domain: {
		Name: "Domain", Space: SpaceDomains,
		Rights:  RightGrant | RightRetype | RightRevoke | RightControl,
		Parents: 1 << Domain,
		Align:   0x1, Least: 0x1, Most: 0x100000000,
	},
	PerformanceCounter: {
		Name: "PerformanceCounter", Space: SpaceCounters,
		Rights:  RightRead | RightGrant | RightRetype | RightRevoke | RightControl,
		Parents: 1 << PerformanceCounter,
		Align:   0x1, Least: 0x1, Most: 0x40,
	},
	RemoteDoorbell: {
		Name: "RemoteDoorbell", Space: SpaceDoorbells,
		Rights:  RightGrant | RightRetype | RightRevoke | RightSend,
		Parents: 1 << RemoteDoorbell,
		Align:   0x1, Least: 0x1, Most: 0x100000,
	},
}

// Numbers of the invocations that every type has.
const (
	// InvokeNop () does nothing but find the capability; for measurement.
	InvokeNop Invocation = iota
	// InvokeIdentify (buffer) writes a Description of the capability to the buffer.
	InvokeIdentify
	// NumCommon is how many these are; a type's own follow.
	NumCommon = 2
)

// Numbers of the invocations of type L1CNode.
const (
	// L1CNodeCopy (slot, source) puts a copy of the source, which needs right Grant, into an empty slot.
	L1CNodeCopy Invocation = iota + NumCommon
	// L1CNodeMint (slot, source, rights) puts a copy with only those of the source's rights that are given into an empty slot; the source needs right Grant.
	L1CNodeMint
	// L1CNodeMove (slot, source) moves the source into an empty slot.
	L1CNodeMove
	// L1CNodeRetype (slots, source, type, offset, size) makes at most 8 objects of the given type and size, one after the other from an offset into the source, which needs right Retype, and puts them into empty slots; ErrPending: they are made, and get ready when their memory has been cleared; ErrInUse: something is made of that part already, or, of RAM, other cores may still reach what was unmapped (abi.CallSettle).
	L1CNodeRetype
	// L1CNodeDelete (slot) empties a slot; the last capability to an object ends the object.
	L1CNodeDelete
	// L1CNodeRevoke (slot) deletes all other copies of the slot's capability, which needs right Revoke, and everything made of its object.
	L1CNodeRevoke
)

// Numbers of the invocations of type L2CNode.
const (
	// L2CNodeCopy (slot, source) puts a copy of the source, which needs right Grant, into an empty slot.
	L2CNodeCopy Invocation = iota + NumCommon
	// L2CNodeMint (slot, source, rights) puts a copy with only those of the source's rights that are given into an empty slot; the source needs right Grant.
	L2CNodeMint
	// L2CNodeMove (slot, source) moves the source into an empty slot.
	L2CNodeMove
	// L2CNodeRetype (slots, source, type, offset, size) makes at most 8 objects of the given type and size, one after the other from an offset into the source, which needs right Retype, and puts them into empty slots; ErrPending: they are made, and get ready when their memory has been cleared; ErrInUse: something is made of that part already, or, of RAM, other cores may still reach what was unmapped (abi.CallSettle).
	L2CNodeRetype
	// L2CNodeDelete (slot) empties a slot; the last capability to an object ends the object.
	L2CNodeDelete
	// L2CNodeRevoke (slot) deletes all other copies of the slot's capability, which needs right Revoke, and everything made of its object.
	L2CNodeRevoke
)

// Numbers of the invocations of type PageTable1.
const (
	// PageTable1Map (entries, source, mapping, offset, protection) maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused.
	PageTable1Map Invocation = iota + NumCommon
)

// Numbers of the invocations of type PageTable2.
const (
	// PageTable2Map (entries, source, mapping, offset, protection) maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused.
	PageTable2Map Invocation = iota + NumCommon
)

// Numbers of the invocations of type PageTable3.
const (
	// PageTable3Map (entries, source, mapping, offset, protection) maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused.
	PageTable3Map Invocation = iota + NumCommon
)

// Numbers of the invocations of type PageTable4.
const (
	// PageTable4Map (entries, source, mapping, offset, protection) maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused.
	PageTable4Map Invocation = iota + NumCommon
)

// Numbers of the invocations of type PageTable5.
const (
	// PageTable5Map (entries, source, mapping, offset, protection) maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused.
	PageTable5Map Invocation = iota + NumCommon
)

// Numbers of the invocations of type Dispatcher.
const (
	// DispatcherSetup (cspace, vspace, domain, supervisor, entry) gives it a CSpace (an L1 CNode), an address space (its top table), a domain (one number, with right Control), a doorbell that is rung when it ends (0 for none), and the address at which it starts; the dispatcher is to be mapped at abi.DispatcherBase there.
	DispatcherSetup Invocation = iota + NumCommon
	// DispatcherSetCSpace (cspace) replaces its first-level CNode; its user copies the second level into a larger one first, so a CSpace grows in one bounded step.
	DispatcherSetCSpace
	// DispatcherSetName (name0, name1, name2, name3) gives it a name for people: 32 bytes in four little-endian words, padded with zeros.
	DispatcherSetName
	// DispatcherRun () makes it ready to run.
	DispatcherRun
	// DispatcherStop () takes it off the core until it is run again.
	DispatcherStop
	// DispatcherState () says how it is; returns abi.DomainNew and so on.
	DispatcherState
	// DispatcherStatus (buffer) writes how it ended, an abi.Status, to the buffer.
	DispatcherStatus
	// DispatcherNumber () says by which number remote doorbells know it, once it has been set up; returns the number, below abi.CoreDispatchers.
	DispatcherNumber
)

// Numbers of the invocations of type Endpoint.
const (
	// EndpointLabel (label) sets the word that comes with every message out of it, 0 until then.
	EndpointLabel Invocation = iota + NumCommon
	// EndpointAccept (slot) names the empty slot, in the CSpace of its dispatcher, that the next capability sent to it goes to; 0: it takes none, as at first and after each one that came.
	EndpointAccept
	// EndpointWatch (peer) has its dispatcher told, by ErrPeer from it, when the dispatcher of another endpoint, with right Send, has ended, or that endpoint; of one at a time; 0: of none.
	EndpointWatch
)

// Numbers of the invocations of type Doorbell.
const (
	// DoorbellRing () notifies the dispatcher.
	DoorbellRing Invocation = iota + NumCommon
)

// Numbers of the invocations of type Mapping.
const (
	// MappingProtect (first, entries, protection, address) changes the protection of those of its entries that are mapped, at most to what the frame's rights allowed; write and execute together are refused; where the caller has its first entry mapped at the given address, only that part of the address space is flushed.
	MappingProtect Invocation = iota + NumCommon
	// MappingUnmap (first, entries, address) clears some of its entries; if those are all that it was made with, it deletes the capability; the address as for Protect.
	MappingUnmap
)

// Numbers of the invocations of type IRQSource.
const (
	// IRQSourceConnect (destination) routes the source, one alone, to an IRQ destination, one alone.
	IRQSourceConnect Invocation = iota + NumCommon
	// IRQSourceAcknowledge () lets the source, one alone, interrupt again: after each interrupt it is masked.
	IRQSourceAcknowledge
)

// Numbers of the invocations of type IRQDestination.
const (
	// IRQDestinationBind (endpoint) notifies an endpoint of the interrupts of the vector, one alone.
	IRQDestinationBind Invocation = iota + NumCommon
)

// Numbers of the invocations of type IOPorts.
const (
	// IOPortsIn (port, width) reads 1, 2 or 4 bytes from the port at an offset in the range; returns these.
	IOPortsIn Invocation = iota + NumCommon
	// IOPortsOut (port, width, value) writes 1, 2 or 4 bytes to the port at an offset in the range.
	IOPortsOut
)

// Numbers of the invocations of type Kernel.
const (
	// KernelInformation (buffer) writes an abi.CoreInfo to the buffer.
	KernelInformation Invocation = iota + NumCommon
	// KernelDispatcher (from, buffer) writes an abi.DomainInfo to the buffer: of the first dispatcher on the core, in the order of domains and of the numbers that Number of a Dispatcher says, that is not before domain | number<<32; ErrNotFound if there is none.
	KernelDispatcher
	// KernelNext (buffer) reads a Description from the buffer and writes, over it and behind it, those of the first CensusMax objects that follow it in the order of the database, mappings left out; all zero stands before the first; returns how many.
	KernelNext
	// KernelState (core) says how a core's kernel is; returns abi.CoreAbsent and so on.
	KernelState
	// KernelDistance (core) says how far the memory of another core's node is, as the firmware has it (SLIT); returns the distance; 10 is that of the own node.
	KernelDistance
	// KernelCommandLine (buffer, bytes) writes the machine's boot command line to the buffer; returns its length.
	KernelCommandLine
	// KernelLog (buffer, bytes) appends a line of at most 256 bytes to the kernel's log, which adds the line's end and who said it.
	KernelLog
	// KernelNotify (core) notifies another core's monitor.
	KernelNotify
	// KernelPortWrite (port, buffer, bytes) queues bytes to a serial port (abi.PortConsole, abi.PortLink); the console takes all, at most 2048, or none with ErrAgain; the caller is notified when there is room again; returns how many it took.
	KernelPortWrite
	// KernelPortRead (port, buffer, bytes) takes bytes that came in at a serial port; the caller is notified when some come; returns how many.
	KernelPortRead
	// KernelPower (action, code) ends the machine: abi.PowerOff or abi.PowerReset.
	KernelPower
	// KernelReclaim (slot) moves the next capability of the reclaim queue into an empty slot.
	KernelReclaim
	// KernelRelations (capability, owner, relations) sets a capability's owner core and what other cores hold of it.
	KernelRelations
	// KernelLend (ram, core) gives RAM in multiples of 2 MiB, of which nothing is made and no copy exists, to another core: its owner changes, and this kernel no longer sees it; ErrInUse also while other cores may still reach what was unmapped.
	KernelLend
	// KernelAdopt (slot, base, size) makes a capability to RAM that another core has lent to this one.
	KernelAdopt
	// KernelRelease (ram) undoes Adopt for RAM of which nothing is made and no copy exists: the capability is deleted; ErrInUse also as for Lend.
	KernelRelease
	// KernelRegain (ram) undoes Lend when the other core has released the memory; ErrInUse: part of it is imported.
	KernelRegain
	// KernelWeight (dispatcher, weight) sets a dispatcher's share of the time that nobody has reserved: 1 to 10000, 100 at first.
	KernelWeight
	// KernelReserve (dispatcher, period, budget, deadline) reserves processor time for a dispatcher: budget ns in every period, by deadline ns after its start, 50 us <= budget <= deadline <= period <= 1 s; ErrOverload if the core has not so much left; all 0: ends the reservation; returns how much of the core can be reserved for it, as budget per deadline in millionths, also with ErrOverload.
	KernelReserve
	// KernelImport (slot, type, base, size, from) makes a capability to a Frame or a PageTable3 of another core, whose monitor keeps it in being until this capability and its copies are deleted: it can be mapped, a table only in top tables and once in each, and a frame copied, and nothing else; from is the core, and from bit 32 on the rights (capability.ImportFrom); a frame can be imported again.
	KernelImport
	// KernelShare (core, tables) says how many top tables of another core lead to page tables of this one: while it is not 0, that core is told to forget what is taken away here before anybody relies on it.
	KernelShare
	// KernelExpel (base, size) deletes what is imported within a range of memory, wherever it has been moved; ErrPending if it goes on: ask again; ErrRange: something else is in the range; ErrInUse: other cores may still reach what was unmapped.
	KernelExpel
)

// Numbers of the invocations of type PerformanceCounter.
const (
	// PerformanceCounterSelect (counter, event) chooses what the counter at an offset in the range counts and starts it.
	PerformanceCounterSelect Invocation = iota + NumCommon
	// PerformanceCounterRead (counter) reads the counter at an offset in the range; returns the count.
	PerformanceCounterRead
)

// Numbers of the invocations of type RemoteDoorbell.
const (
	// RemoteDoorbellRing () notifies the dispatcher, one alone; nothing happens if there is none, or not on another core.
	RemoteDoorbellRing Invocation = iota + NumCommon
)

// The greatest word that an argument of each kind can be.
const (
	mostReference   = 0xffffffff           // a reference to a slot of the caller's CSpace
	mostIndex       = 0x7fffff             // a slot of a CNode, or an entry of a table
	mostSlots       = 0x200007fffff        // slots of a CNode or entries of a table: the first in the low half, how many in the high half
	mostType        = uint64(NumTypes) - 1 // a capability type
	mostRights      = 0xff                 // a set of rights
	mostRange       = 0xfffffffffffff      // an offset or a size in the units of the object's space
	mostAddress     = 0x7fffffffffff       // an address in the caller's half of its address space
	mostDescription = 0x7fffffffffff       // the address of a Description, which is written
	mostStatus      = 0x7fffffffffff       // the address of an abi.Status, which is written
	mostCoreInfo    = 0x7fffffffffff       // the address of an abi.CoreInfo, which is written
	mostDomainInfo  = 0x7fffffffffff       // the address of an abi.DomainInfo, which is written
	mostCensus      = 0x7fffffffffff       // the address of CensusMax Descriptions: the first is read, and all are written
	mostInput       = 0x7fffffffffff       // the address of bytes that are read; how many is the next argument
	mostOutput      = 0x7fffffffffff       // the address of bytes that are written; how many at most is the next argument
	mostProtection  = 0x7                  // protection bits as in package abi
	mostNumber      = 0xffffffffffffffff   // any number
)

// signatures are the invocations: the common ones, then each type's.
var signatures = [...]signature{
	{name: "Nop"},
	{name: "Identify", most: Arguments{mostDescription}},
	{name: "Copy", right: RightWrite, most: Arguments{mostIndex, mostReference}},
	{name: "Mint", right: RightWrite, most: Arguments{mostIndex, mostReference, mostRights}},
	{name: "Move", right: RightWrite, most: Arguments{mostIndex, mostReference}},
	{name: "Retype", right: RightWrite, most: Arguments{mostSlots, mostReference, mostType, mostRange, mostRange}},
	{name: "Delete", right: RightWrite, most: Arguments{mostIndex}},
	{name: "Revoke", right: RightWrite, most: Arguments{mostIndex}},
	{name: "Copy", right: RightWrite, most: Arguments{mostIndex, mostReference}},
	{name: "Mint", right: RightWrite, most: Arguments{mostIndex, mostReference, mostRights}},
	{name: "Move", right: RightWrite, most: Arguments{mostIndex, mostReference}},
	{name: "Retype", right: RightWrite, most: Arguments{mostSlots, mostReference, mostType, mostRange, mostRange}},
	{name: "Delete", right: RightWrite, most: Arguments{mostIndex}},
	{name: "Revoke", right: RightWrite, most: Arguments{mostIndex}},
	{name: "Map", right: RightControl, most: Arguments{mostSlots, mostReference, mostReference, mostRange, mostProtection}},
	{name: "Map", right: RightControl, most: Arguments{mostSlots, mostReference, mostReference, mostRange, mostProtection}},
	{name: "Map", right: RightControl, most: Arguments{mostSlots, mostReference, mostReference, mostRange, mostProtection}},
	{name: "Map", right: RightControl, most: Arguments{mostSlots, mostReference, mostReference, mostRange, mostProtection}},
	{name: "Map", right: RightControl, most: Arguments{mostSlots, mostReference, mostReference, mostRange, mostProtection}},
	{name: "Setup", right: RightControl, most: Arguments{mostReference, mostReference, mostReference, mostReference, mostAddress}},
	{name: "SetCSpace", right: RightControl, most: Arguments{mostReference}},
	{name: "SetName", right: RightControl, most: Arguments{mostNumber, mostNumber, mostNumber, mostNumber}},
	{name: "Run", right: RightControl},
	{name: "Stop", right: RightControl},
	{name: "State", right: RightRead},
	{name: "Status", right: RightRead, most: Arguments{mostStatus}},
	{name: "Number", right: RightRead},
	{name: "Label", right: RightControl, most: Arguments{mostNumber}},
	{name: "Accept", right: RightControl, most: Arguments{mostReference}},
	{name: "Watch", right: RightControl, most: Arguments{mostReference}},
	{name: "Ring", right: RightSend},
	{name: "Protect", right: RightControl, most: Arguments{mostRange, mostRange, mostProtection, mostAddress}},
	{name: "Unmap", most: Arguments{mostRange, mostRange, mostAddress}},
	{name: "Connect", right: RightControl, most: Arguments{mostReference}},
	{name: "Acknowledge", right: RightControl},
	{name: "Bind", right: RightControl, most: Arguments{mostReference}},
	{name: "In", right: RightRead, most: Arguments{mostRange, mostRange}},
	{name: "Out", right: RightWrite, most: Arguments{mostRange, mostRange, mostNumber}},
	{name: "Information", right: RightRead, most: Arguments{mostCoreInfo}},
	{name: "Dispatcher", right: RightRead, most: Arguments{mostNumber, mostDomainInfo}},
	{name: "Next", right: RightRead, most: Arguments{mostCensus}},
	{name: "State", right: RightRead, most: Arguments{mostNumber}},
	{name: "Distance", right: RightRead, most: Arguments{mostNumber}},
	{name: "CommandLine", right: RightRead, most: Arguments{mostOutput, mostNumber}},
	{name: "Log", right: RightWrite, most: Arguments{mostInput, mostNumber}},
	{name: "Notify", right: RightSend, most: Arguments{mostNumber}},
	{name: "PortWrite", right: RightControl, most: Arguments{mostNumber, mostInput, mostNumber}},
	{name: "PortRead", right: RightControl, most: Arguments{mostNumber, mostOutput, mostNumber}},
	{name: "Power", right: RightControl, most: Arguments{mostNumber, mostNumber}},
	{name: "Reclaim", right: RightControl, most: Arguments{mostReference}},
	{name: "Relations", right: RightControl, most: Arguments{mostReference, mostNumber, mostNumber}},
	{name: "Lend", right: RightControl, most: Arguments{mostReference, mostNumber}},
	{name: "Adopt", right: RightControl, most: Arguments{mostReference, mostRange, mostRange}},
	{name: "Release", right: RightControl, most: Arguments{mostReference}},
	{name: "Regain", right: RightControl, most: Arguments{mostReference}},
	{name: "Weight", right: RightControl, most: Arguments{mostReference, mostNumber}},
	{name: "Reserve", right: RightControl, most: Arguments{mostReference, mostNumber, mostNumber, mostNumber}},
	{name: "Import", right: RightControl, most: Arguments{mostReference, mostType, mostRange, mostRange, mostNumber}},
	{name: "Share", right: RightControl, most: Arguments{mostNumber, mostNumber}},
	{name: "Expel", right: RightControl, most: Arguments{mostRange, mostRange}},
	{name: "Select", right: RightControl, most: Arguments{mostRange, mostNumber}},
	{name: "Read", right: RightRead, most: Arguments{mostRange}},
	{name: "Ring", right: RightSend},
}

// invocationsOf is where in signatures those of each type begin.
var invocationsOf = [NumTypes + 1]uint8{0, 2, 2, 2, 2, 2, 8, 14, 15, 16, 17, 18, 19, 27, 30, 31, 31, 33, 35, 36, 38, 60, 60, 62, 63}
