// Code generated from package table by "go generate ./abi/capability". DO NOT EDIT.

package capability

import (
	"skerry/abi"
	"skerry/abi/capability"
)

// PhysicalRange refers to a capability of that type: physical addresses that are not RAM: device registers, or nothing.
type PhysicalRange capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c PhysicalRange) Nop() error {
	_, err := invoke(capability.PhysicalRange, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c PhysicalRange) Identify() (capability.Description, error) {
	return read[capability.Description](capability.PhysicalRange, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// RAM refers to a capability of that type: memory not yet used for anything; it can be neither read nor mapped, only made into something.
type RAM capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c RAM) Nop() error {
	_, err := invoke(capability.RAM, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c RAM) Identify() (capability.Description, error) {
	return read[capability.Description](capability.RAM, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Frame refers to a capability of that type: memory that can be mapped into address spaces.
type Frame capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c Frame) Nop() error {
	_, err := invoke(capability.Frame, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c Frame) Identify() (capability.Description, error) {
	return read[capability.Description](capability.Frame, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// DeviceFrame refers to a capability of that type: device registers that can be mapped, uncached; never executable.
type DeviceFrame capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c DeviceFrame) Nop() error {
	_, err := invoke(capability.DeviceFrame, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c DeviceFrame) Identify() (capability.Description, error) {
	return read[capability.Description](capability.DeviceFrame, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// L1CNode refers to a capability of that type: the first level of a CSpace: slots that hold L2 CNodes; slot 0 is the kernel's.
type L1CNode capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c L1CNode) Nop() error {
	_, err := invoke(capability.L1CNode, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c L1CNode) Identify() (capability.Description, error) {
	return read[capability.Description](capability.L1CNode, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Copy puts a copy of the source, which needs right Grant, into an empty slot. It needs right Write.
func (c L1CNode) Copy(slot uint32, source capability.Reference) error {
	_, err := invoke(capability.L1CNode, capability.Reference(c), capability.L1CNodeCopy, uint64(slot), uint64(source))
	return err
}

// Mint puts a copy with only those of the source's rights that are given into an empty slot; the source needs right Grant. It needs right Write.
func (c L1CNode) Mint(slot uint32, source capability.Reference, rights capability.Rights) error {
	_, err := invoke(capability.L1CNode, capability.Reference(c), capability.L1CNodeMint, uint64(slot), uint64(source), uint64(rights))
	return err
}

// Move moves the source into an empty slot. It needs right Write.
func (c L1CNode) Move(slot uint32, source capability.Reference) error {
	_, err := invoke(capability.L1CNode, capability.Reference(c), capability.L1CNodeMove, uint64(slot), uint64(source))
	return err
}

// Retype makes at most 8 objects of the given type and size, one after the other from an offset into the source, which needs right Retype, and puts them into empty slots; ErrPending: they are made, and get ready when their memory has been cleared; ErrInUse: something is made of that part already, or, of RAM, other cores may still reach what was unmapped (abi.CallSettle). It needs right Write.
func (c L1CNode) Retype(first, count uint32, source capability.Reference, kind capability.Type, offset uint64, size uint64) error {
	_, err := invoke(capability.L1CNode, capability.Reference(c), capability.L1CNodeRetype, uint64(first)|uint64(count)<<32, uint64(source), uint64(kind), uint64(offset), uint64(size))
	return err
}

// Delete empties a slot; the last capability to an object ends the object. It needs right Write.
func (c L1CNode) Delete(slot uint32) error {
	_, err := invoke(capability.L1CNode, capability.Reference(c), capability.L1CNodeDelete, uint64(slot))
	return err
}

// Revoke deletes all other copies of the slot's capability, which needs right Revoke, and everything made of its object. It needs right Write.
func (c L1CNode) Revoke(slot uint32) error {
	_, err := invoke(capability.L1CNode, capability.Reference(c), capability.L1CNodeRevoke, uint64(slot))
	return err
}

// L2CNode refers to a capability of that type: 256 slots that hold capabilities of any type; slot 0 is the kernel's.
type L2CNode capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c L2CNode) Nop() error {
	_, err := invoke(capability.L2CNode, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c L2CNode) Identify() (capability.Description, error) {
	return read[capability.Description](capability.L2CNode, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Copy puts a copy of the source, which needs right Grant, into an empty slot. It needs right Write.
func (c L2CNode) Copy(slot uint32, source capability.Reference) error {
	_, err := invoke(capability.L2CNode, capability.Reference(c), capability.L2CNodeCopy, uint64(slot), uint64(source))
	return err
}

// Mint puts a copy with only those of the source's rights that are given into an empty slot; the source needs right Grant. It needs right Write.
func (c L2CNode) Mint(slot uint32, source capability.Reference, rights capability.Rights) error {
	_, err := invoke(capability.L2CNode, capability.Reference(c), capability.L2CNodeMint, uint64(slot), uint64(source), uint64(rights))
	return err
}

// Move moves the source into an empty slot. It needs right Write.
func (c L2CNode) Move(slot uint32, source capability.Reference) error {
	_, err := invoke(capability.L2CNode, capability.Reference(c), capability.L2CNodeMove, uint64(slot), uint64(source))
	return err
}

// Retype makes at most 8 objects of the given type and size, one after the other from an offset into the source, which needs right Retype, and puts them into empty slots; ErrPending: they are made, and get ready when their memory has been cleared; ErrInUse: something is made of that part already, or, of RAM, other cores may still reach what was unmapped (abi.CallSettle). It needs right Write.
func (c L2CNode) Retype(first, count uint32, source capability.Reference, kind capability.Type, offset uint64, size uint64) error {
	_, err := invoke(capability.L2CNode, capability.Reference(c), capability.L2CNodeRetype, uint64(first)|uint64(count)<<32, uint64(source), uint64(kind), uint64(offset), uint64(size))
	return err
}

// Delete empties a slot; the last capability to an object ends the object. It needs right Write.
func (c L2CNode) Delete(slot uint32) error {
	_, err := invoke(capability.L2CNode, capability.Reference(c), capability.L2CNodeDelete, uint64(slot))
	return err
}

// Revoke deletes all other copies of the slot's capability, which needs right Revoke, and everything made of its object. It needs right Write.
func (c L2CNode) Revoke(slot uint32) error {
	_, err := invoke(capability.L2CNode, capability.Reference(c), capability.L2CNodeRevoke, uint64(slot))
	return err
}

// PageTable1 refers to a capability of that type: a page table whose entries are 4 KiB pages.
type PageTable1 capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c PageTable1) Nop() error {
	_, err := invoke(capability.PageTable1, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c PageTable1) Identify() (capability.Description, error) {
	return read[capability.Description](capability.PageTable1, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Map maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused. It needs right Control.
func (c PageTable1) Map(first, count uint32, source capability.Reference, mapping capability.Reference, offset uint64, protection uint64) error {
	_, err := invoke(capability.PageTable1, capability.Reference(c), capability.PageTable1Map, uint64(first)|uint64(count)<<32, uint64(source), uint64(mapping), uint64(offset), uint64(protection))
	return err
}

// PageTable2 refers to a capability of that type: a page directory: its entries are tables of level 1 or 2 MiB pages.
type PageTable2 capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c PageTable2) Nop() error {
	_, err := invoke(capability.PageTable2, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c PageTable2) Identify() (capability.Description, error) {
	return read[capability.Description](capability.PageTable2, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Map maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused. It needs right Control.
func (c PageTable2) Map(first, count uint32, source capability.Reference, mapping capability.Reference, offset uint64, protection uint64) error {
	_, err := invoke(capability.PageTable2, capability.Reference(c), capability.PageTable2Map, uint64(first)|uint64(count)<<32, uint64(source), uint64(mapping), uint64(offset), uint64(protection))
	return err
}

// PageTable3 refers to a capability of that type: its entries are tables of level 2 or 1 GiB pages.
type PageTable3 capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c PageTable3) Nop() error {
	_, err := invoke(capability.PageTable3, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c PageTable3) Identify() (capability.Description, error) {
	return read[capability.Description](capability.PageTable3, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Map maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused. It needs right Control.
func (c PageTable3) Map(first, count uint32, source capability.Reference, mapping capability.Reference, offset uint64, protection uint64) error {
	_, err := invoke(capability.PageTable3, capability.Reference(c), capability.PageTable3Map, uint64(first)|uint64(count)<<32, uint64(source), uint64(mapping), uint64(offset), uint64(protection))
	return err
}

// PageTable4 refers to a capability of that type: its entries are tables of level 3; the top of an address space with 4 levels.
type PageTable4 capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c PageTable4) Nop() error {
	_, err := invoke(capability.PageTable4, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c PageTable4) Identify() (capability.Description, error) {
	return read[capability.Description](capability.PageTable4, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Map maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused. It needs right Control.
func (c PageTable4) Map(first, count uint32, source capability.Reference, mapping capability.Reference, offset uint64, protection uint64) error {
	_, err := invoke(capability.PageTable4, capability.Reference(c), capability.PageTable4Map, uint64(first)|uint64(count)<<32, uint64(source), uint64(mapping), uint64(offset), uint64(protection))
	return err
}

// PageTable5 refers to a capability of that type: its entries are tables of level 4; the top of an address space with 5 levels; declared, not yet mapped by any kernel.
type PageTable5 capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c PageTable5) Nop() error {
	_, err := invoke(capability.PageTable5, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c PageTable5) Identify() (capability.Description, error) {
	return read[capability.Description](capability.PageTable5, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Map maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused. It needs right Control.
func (c PageTable5) Map(first, count uint32, source capability.Reference, mapping capability.Reference, offset uint64, protection uint64) error {
	_, err := invoke(capability.PageTable5, capability.Reference(c), capability.PageTable5Map, uint64(first)|uint64(count)<<32, uint64(source), uint64(mapping), uint64(offset), uint64(protection))
	return err
}

// Dispatcher refers to a capability of that type: a schedulable thread of kernel-to-user upcalls on this core: control block, save areas, the pages shared with its user half, and room for endpoints.
type Dispatcher capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c Dispatcher) Nop() error {
	_, err := invoke(capability.Dispatcher, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c Dispatcher) Identify() (capability.Description, error) {
	return read[capability.Description](capability.Dispatcher, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Setup gives it a CSpace (an L1 CNode), an address space (its top table), a domain (one number, with right Control), a doorbell that is rung when it ends (0 for none), and the address at which it starts; the dispatcher is to be mapped at abi.DispatcherBase there. It needs right Control.
func (c Dispatcher) Setup(cspace capability.Reference, vspace capability.Reference, domain capability.Reference, supervisor capability.Reference, entry uint64) error {
	_, err := invoke(capability.Dispatcher, capability.Reference(c), capability.DispatcherSetup, uint64(cspace), uint64(vspace), uint64(domain), uint64(supervisor), uint64(entry))
	return err
}

// SetCSpace replaces its first-level CNode; its user copies the second level into a larger one first, so a CSpace grows in one bounded step. It needs right Control.
func (c Dispatcher) SetCSpace(cspace capability.Reference) error {
	_, err := invoke(capability.Dispatcher, capability.Reference(c), capability.DispatcherSetCSpace, uint64(cspace))
	return err
}

// SetName gives it a name for people: 32 bytes in four little-endian words, padded with zeros. It needs right Control.
func (c Dispatcher) SetName(name0 uint64, name1 uint64, name2 uint64, name3 uint64) error {
	_, err := invoke(capability.Dispatcher, capability.Reference(c), capability.DispatcherSetName, uint64(name0), uint64(name1), uint64(name2), uint64(name3))
	return err
}

// Run makes it ready to run. It needs right Control.
func (c Dispatcher) Run() error {
	_, err := invoke(capability.Dispatcher, capability.Reference(c), capability.DispatcherRun)
	return err
}

// Stop takes it off the core until it is run again. It needs right Control.
func (c Dispatcher) Stop() error {
	_, err := invoke(capability.Dispatcher, capability.Reference(c), capability.DispatcherStop)
	return err
}

// State says how it is; it returns abi.DomainNew and so on. It needs right Read.
func (c Dispatcher) State() (uint64, error) {
	return invoke(capability.Dispatcher, capability.Reference(c), capability.DispatcherState)
}

// Status writes how it ended, an abi.Status, to the buffer. It needs right Read.
func (c Dispatcher) Status() (abi.Status, error) {
	return read[abi.Status](capability.Dispatcher, capability.Reference(c), capability.DispatcherStatus, 0, 0)
}

// Number says by which number remote doorbells know it, once it has been set up; it returns the number, below abi.CoreDispatchers. It needs right Read.
func (c Dispatcher) Number() (uint64, error) {
	return invoke(capability.Dispatcher, capability.Reference(c), capability.DispatcherNumber)
}

// Endpoint refers to a capability of that type: where a dispatcher gets messages: the native call Message sends to it and receives from it; a buffer for as many messages of 96 bytes as there is room for behind the first 128; it goes with its dispatcher.
type Endpoint capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c Endpoint) Nop() error {
	_, err := invoke(capability.Endpoint, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c Endpoint) Identify() (capability.Description, error) {
	return read[capability.Description](capability.Endpoint, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Label sets the word that comes with every message out of it, 0 until then. It needs right Control.
func (c Endpoint) Label(label uint64) error {
	_, err := invoke(capability.Endpoint, capability.Reference(c), capability.EndpointLabel, uint64(label))
	return err
}

// Accept names the empty slot, in the CSpace of its dispatcher, that the next capability sent to it goes to; 0: it takes none, as at first and after each one that came. It needs right Control.
func (c Endpoint) Accept(slot capability.Reference) error {
	_, err := invoke(capability.Endpoint, capability.Reference(c), capability.EndpointAccept, uint64(slot))
	return err
}

// Watch has its dispatcher told, by ErrPeer from it, when the dispatcher of another endpoint, with right Send, has ended, or that endpoint; of one at a time; 0: of none. It needs right Control.
func (c Endpoint) Watch(peer capability.Reference) error {
	_, err := invoke(capability.Endpoint, capability.Reference(c), capability.EndpointWatch, uint64(peer))
	return err
}

// Doorbell refers to a capability of that type: the right to wake an endpoint's dispatcher, from this core or another; an empty message.
type Doorbell capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c Doorbell) Nop() error {
	_, err := invoke(capability.Doorbell, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c Doorbell) Identify() (capability.Description, error) {
	return read[capability.Description](capability.Doorbell, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Ring notifies the dispatcher. It needs right Send.
func (c Doorbell) Ring() error {
	_, err := invoke(capability.Doorbell, capability.Reference(c), capability.DoorbellRing)
	return err
}

// KCB refers to a capability of that type: a kernel control block: everything a CPU driver keeps for its users.
type KCB capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c KCB) Nop() error {
	_, err := invoke(capability.KCB, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c KCB) Identify() (capability.Description, error) {
	return read[capability.Description](capability.KCB, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Mapping refers to a capability of that type: one mapped region: deleting it unmaps; it goes with the frame or table that is mapped.
type Mapping capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c Mapping) Nop() error {
	_, err := invoke(capability.Mapping, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c Mapping) Identify() (capability.Description, error) {
	return read[capability.Description](capability.Mapping, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Protect changes the protection of those of its entries that are mapped, at most to what the frame's rights allowed; write and execute together are refused; where the caller has its first entry mapped at the given address, only that part of the address space is flushed. It needs right Control.
func (c Mapping) Protect(first uint64, entries uint64, protection uint64, address uint64) error {
	_, err := invoke(capability.Mapping, capability.Reference(c), capability.MappingProtect, uint64(first), uint64(entries), uint64(protection), uint64(address))
	return err
}

// Unmap clears some of its entries; if those are all that it was made with, it deletes the capability; the address as for Protect.
func (c Mapping) Unmap(first uint64, entries uint64, address uint64) error {
	_, err := invoke(capability.Mapping, capability.Reference(c), capability.MappingUnmap, uint64(first), uint64(entries), uint64(address))
	return err
}

// IRQSource refers to a capability of that type: interrupt sources: lines of the interrupt controllers.
type IRQSource capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c IRQSource) Nop() error {
	_, err := invoke(capability.IRQSource, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c IRQSource) Identify() (capability.Description, error) {
	return read[capability.Description](capability.IRQSource, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Connect routes the source, one alone, to an IRQ destination, one alone. It needs right Control.
func (c IRQSource) Connect(destination capability.Reference) error {
	_, err := invoke(capability.IRQSource, capability.Reference(c), capability.IRQSourceConnect, uint64(destination))
	return err
}

// Acknowledge lets the source, one alone, interrupt again: after each interrupt it is masked. It needs right Control.
func (c IRQSource) Acknowledge() error {
	_, err := invoke(capability.IRQSource, capability.Reference(c), capability.IRQSourceAcknowledge)
	return err
}

// IRQDestination refers to a capability of that type: interrupt vectors of this core.
type IRQDestination capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c IRQDestination) Nop() error {
	_, err := invoke(capability.IRQDestination, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c IRQDestination) Identify() (capability.Description, error) {
	return read[capability.Description](capability.IRQDestination, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Bind notifies an endpoint of the interrupts of the vector, one alone. It needs right Control.
func (c IRQDestination) Bind(endpoint capability.Reference) error {
	_, err := invoke(capability.IRQDestination, capability.Reference(c), capability.IRQDestinationBind, uint64(endpoint))
	return err
}

// IOPorts refers to a capability of that type: a range of I/O ports.
type IOPorts capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c IOPorts) Nop() error {
	_, err := invoke(capability.IOPorts, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c IOPorts) Identify() (capability.Description, error) {
	return read[capability.Description](capability.IOPorts, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// In reads 1, 2 or 4 bytes from the port at an offset in the range; it returns these. It needs right Read.
func (c IOPorts) In(port uint64, width uint64) (uint64, error) {
	return invoke(capability.IOPorts, capability.Reference(c), capability.IOPortsIn, uint64(port), uint64(width))
}

// Out writes 1, 2 or 4 bytes to the port at an offset in the range. It needs right Write.
func (c IOPorts) Out(port uint64, width uint64, value uint64) error {
	_, err := invoke(capability.IOPorts, capability.Reference(c), capability.IOPortsOut, uint64(port), uint64(width), uint64(value))
	return err
}

// Kernel refers to a capability of that type: the CPU driver of this core: what only monitors may ask.
type Kernel capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c Kernel) Nop() error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c Kernel) Identify() (capability.Description, error) {
	return read[capability.Description](capability.Kernel, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Information writes an abi.CoreInfo to the buffer. It needs right Read.
func (c Kernel) Information() (abi.CoreInfo, error) {
	return read[abi.CoreInfo](capability.Kernel, capability.Reference(c), capability.KernelInformation, 0, 0)
}

// Dispatcher writes an abi.DomainInfo to the buffer: of the first dispatcher on the core, in the order of domains and of the numbers that Number of a Dispatcher says, that is not before domain | number<<32; ErrNotFound if there is none. It needs right Read.
func (c Kernel) Dispatcher(from uint64) (abi.DomainInfo, error) {
	return read[abi.DomainInfo](capability.Kernel, capability.Reference(c), capability.KernelDispatcher, 1, uint64(from), 0)
}

// Next reads a Description from the buffer and writes, over it and behind it, those of the first CensusMax objects that follow it in the order of the database, mappings left out; all zero stands before the first; it returns how many. It needs right Read.
func (c Kernel) Next(after capability.Description, list *[capability.CensusMax]capability.Description) (uint64, error) {
	return census(capability.Kernel, capability.Reference(c), capability.KernelNext, after, list)
}

// State says how a core's kernel is; it returns abi.CoreAbsent and so on. It needs right Read.
func (c Kernel) State(core uint64) (uint64, error) {
	return invoke(capability.Kernel, capability.Reference(c), capability.KernelState, uint64(core))
}

// Distance says how far the memory of another core's node is, as the firmware has it (SLIT); it returns the distance; 10 is that of the own node. It needs right Read.
func (c Kernel) Distance(core uint64) (uint64, error) {
	return invoke(capability.Kernel, capability.Reference(c), capability.KernelDistance, uint64(core))
}

// CommandLine writes the machine's boot command line to the buffer; it returns its length. It needs right Read.
func (c Kernel) CommandLine(p []byte) (uint64, error) {
	return receive(capability.Kernel, capability.Reference(c), capability.KernelCommandLine, 0, p, 0, 0)
}

// Log appends a line of at most 256 bytes to the kernel's log, which adds the line's end and who said it. It needs right Write.
func (c Kernel) Log(p []byte) error {
	_, err := send(capability.Kernel, capability.Reference(c), capability.KernelLog, 0, p, 0, 0)
	return err
}

// Notify notifies another core's monitor. It needs right Send.
func (c Kernel) Notify(core uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelNotify, uint64(core))
	return err
}

// PortWrite queues bytes to a serial port (abi.PortConsole, abi.PortLink); the console takes all, at most 2048, or none with ErrAgain; the caller is notified when there is room again; it returns how many it took. It needs right Control.
func (c Kernel) PortWrite(port uint64, p []byte) (uint64, error) {
	return send(capability.Kernel, capability.Reference(c), capability.KernelPortWrite, 1, p, uint64(port), 0, 0)
}

// PortRead takes bytes that came in at a serial port; the caller is notified when some come; it returns how many. It needs right Control.
func (c Kernel) PortRead(port uint64, p []byte) (uint64, error) {
	return receive(capability.Kernel, capability.Reference(c), capability.KernelPortRead, 1, p, uint64(port), 0, 0)
}

// Power ends the machine: abi.PowerOff or abi.PowerReset. It needs right Control.
func (c Kernel) Power(action uint64, code uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelPower, uint64(action), uint64(code))
	return err
}

// Reclaim moves the next capability of the reclaim queue into an empty slot. It needs right Control.
func (c Kernel) Reclaim(slot capability.Reference) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelReclaim, uint64(slot))
	return err
}

// Relations sets a capability's owner core and what other cores hold of it. It needs right Control.
func (c Kernel) Relations(slot capability.Reference, owner uint64, relations uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelRelations, uint64(slot), uint64(owner), uint64(relations))
	return err
}

// Lend gives RAM in multiples of 2 MiB, of which nothing is made and no copy exists, to another core: its owner changes, and this kernel no longer sees it; ErrInUse also while other cores may still reach what was unmapped. It needs right Control.
func (c Kernel) Lend(ram capability.Reference, core uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelLend, uint64(ram), uint64(core))
	return err
}

// Adopt makes a capability to RAM that another core has lent to this one. It needs right Control.
func (c Kernel) Adopt(slot capability.Reference, base uint64, size uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelAdopt, uint64(slot), uint64(base), uint64(size))
	return err
}

// Release undoes Adopt for RAM of which nothing is made and no copy exists: the capability is deleted; ErrInUse also as for Lend. It needs right Control.
func (c Kernel) Release(ram capability.Reference) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelRelease, uint64(ram))
	return err
}

// Regain undoes Lend when the other core has released the memory; ErrInUse: part of it is imported. It needs right Control.
func (c Kernel) Regain(ram capability.Reference) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelRegain, uint64(ram))
	return err
}

// Weight sets a dispatcher's share of the time that nobody has reserved: 1 to 10000, 100 at first. It needs right Control.
func (c Kernel) Weight(dispatcher capability.Reference, weight uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelWeight, uint64(dispatcher), uint64(weight))
	return err
}

// Reserve reserves processor time for a dispatcher: budget ns in every period, by deadline ns after its start, 50 us <= budget <= deadline <= period <= 1 s; ErrOverload if the core has not so much left; all 0: ends the reservation; it returns how much of the core can be reserved for it, as budget per deadline in millionths, also with ErrOverload. It needs right Control.
func (c Kernel) Reserve(dispatcher capability.Reference, period uint64, budget uint64, deadline uint64) (uint64, error) {
	return invoke(capability.Kernel, capability.Reference(c), capability.KernelReserve, uint64(dispatcher), uint64(period), uint64(budget), uint64(deadline))
}

// Import makes a capability to a Frame or a PageTable3 of another core, whose monitor keeps it in being until this capability and its copies are deleted: it can be mapped, a table only in top tables and once in each, and a frame copied, and nothing else; from is the core, and from bit 32 on the rights (capability.ImportFrom); a frame can be imported again. It needs right Control.
func (c Kernel) Import(slot capability.Reference, kind capability.Type, base uint64, size uint64, from uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelImport, uint64(slot), uint64(kind), uint64(base), uint64(size), uint64(from))
	return err
}

// Share says how many top tables of another core lead to page tables of this one: while it is not 0, that core is told to forget what is taken away here before anybody relies on it. It needs right Control.
func (c Kernel) Share(core uint64, tables uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelShare, uint64(core), uint64(tables))
	return err
}

// Expel deletes what is imported within a range of memory, wherever it has been moved; ErrPending if it goes on: ask again; ErrRange: something else is in the range; ErrInUse: other cores may still reach what was unmapped. It needs right Control.
func (c Kernel) Expel(base uint64, size uint64) error {
	_, err := invoke(capability.Kernel, capability.Reference(c), capability.KernelExpel, uint64(base), uint64(size))
	return err
}

// Domain refers to a capability of that type: domain numbers: who a dispatcher runs for.
type Domain capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c Domain) Nop() error {
	_, err := invoke(capability.Domain, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c Domain) Identify() (capability.Description, error) {
	return read[capability.Description](capability.Domain, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// PerformanceCounter refers to a capability of that type: hardware performance counters of this core.
type PerformanceCounter capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c PerformanceCounter) Nop() error {
	_, err := invoke(capability.PerformanceCounter, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c PerformanceCounter) Identify() (capability.Description, error) {
	return read[capability.Description](capability.PerformanceCounter, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Select chooses what the counter at an offset in the range counts and starts it. It needs right Control.
func (c PerformanceCounter) Select(counter uint64, event uint64) error {
	_, err := invoke(capability.PerformanceCounter, capability.Reference(c), capability.PerformanceCounterSelect, uint64(counter), uint64(event))
	return err
}

// Read reads the counter at an offset in the range; it returns the count. It needs right Read.
func (c PerformanceCounter) Read(counter uint64) (uint64, error) {
	return invoke(capability.PerformanceCounter, capability.Reference(c), capability.PerformanceCounterRead, uint64(counter))
}

// RemoteDoorbell refers to a capability of that type: the right to wake dispatchers of other cores, by an interrupt: numbers core*abi.CoreDispatchers + the number that Number of a Dispatcher says there.
type RemoteDoorbell capability.Reference

// Nop does nothing but find the capability; for measurement.
func (c RemoteDoorbell) Nop() error {
	_, err := invoke(capability.RemoteDoorbell, capability.Reference(c), capability.InvokeNop)
	return err
}

// Identify writes a Description of the capability to the buffer.
func (c RemoteDoorbell) Identify() (capability.Description, error) {
	return read[capability.Description](capability.RemoteDoorbell, capability.Reference(c), capability.InvokeIdentify, 0, 0)
}

// Ring notifies the dispatcher, one alone; nothing happens if there is none, or not on another core. It needs right Send.
func (c RemoteDoorbell) Ring() error {
	_, err := invoke(capability.RemoteDoorbell, capability.Reference(c), capability.RemoteDoorbellRing)
	return err
}
