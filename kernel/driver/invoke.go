package driver

import (
	"skerry/abi/capability"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// handler does an invocation of the capability in a slot, for b; for the kernel
// itself, while it starts, b is nil. Capability and arguments have been checked
// against the table of types; references are looked up in Driver.cspace.
type handler func(d *Driver, b *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error)

// maxOwn is the greatest number of invocations that a type has of its own.
const maxOwn = capability.KernelExpel - capability.NumCommon + 1

// handlers has, by type, what its own invocations do. Those of CNodes are the
// capability system's.
var handlers = [capability.NumTypes][maxOwn]handler{
	capability.PageTable1: {mapEntries},
	capability.PageTable2: {mapEntries},
	capability.PageTable3: {mapEntries},
	capability.PageTable4: {mapEntries},
	capability.Dispatcher: {
		capability.DispatcherSetup - capability.NumCommon:     dispatcherSetup,
		capability.DispatcherSetCSpace - capability.NumCommon: dispatcherSetCSpace,
		capability.DispatcherSetName - capability.NumCommon:   dispatcherSetName,
		capability.DispatcherRun - capability.NumCommon:       dispatcherRun,
		capability.DispatcherStop - capability.NumCommon:      dispatcherStop,
		capability.DispatcherState - capability.NumCommon:     dispatcherState,
		capability.DispatcherStatus - capability.NumCommon:    dispatcherStatus,
		capability.DispatcherNumber - capability.NumCommon:    dispatcherNumber,
	},
	capability.Endpoint: {
		capability.EndpointLabel - capability.NumCommon:  endpointLabel,
		capability.EndpointAccept - capability.NumCommon: endpointAccept,
		capability.EndpointWatch - capability.NumCommon:  endpointWatch,
	},
	capability.Doorbell:       {doorbellRing},
	capability.RemoteDoorbell: {remoteDoorbellRing},
	capability.Mapping: {
		capability.MappingProtect - capability.NumCommon: mappingProtect,
		capability.MappingUnmap - capability.NumCommon:   mappingUnmap,
	},
	capability.IRQSource: {
		capability.IRQSourceConnect - capability.NumCommon:     irqConnect,
		capability.IRQSourceAcknowledge - capability.NumCommon: irqAcknowledge,
	},
	capability.IRQDestination: {irqBind},
	capability.IOPorts: {
		capability.IOPortsIn - capability.NumCommon:  portsIn,
		capability.IOPortsOut - capability.NumCommon: portsOut,
	},
	capability.Kernel: {
		capability.KernelInformation - capability.NumCommon: kernelInformation,
		capability.KernelDispatcher - capability.NumCommon:  kernelDispatcher,
		capability.KernelNext - capability.NumCommon:        kernelNext,
		capability.KernelState - capability.NumCommon:       kernelState,
		capability.KernelDistance - capability.NumCommon:    kernelDistance,
		capability.KernelCommandLine - capability.NumCommon: kernelCommandLine,
		capability.KernelLog - capability.NumCommon:         kernelLog,
		capability.KernelNotify - capability.NumCommon:      kernelNotify,
		capability.KernelPortWrite - capability.NumCommon:   kernelPortWrite,
		capability.KernelPortRead - capability.NumCommon:    kernelPortRead,
		capability.KernelPower - capability.NumCommon:       kernelPower,
		capability.KernelReclaim - capability.NumCommon:     kernelReclaim,
		capability.KernelRelations - capability.NumCommon:   kernelRelations,
		capability.KernelLend - capability.NumCommon:        kernelLend,
		capability.KernelAdopt - capability.NumCommon:       kernelAdopt,
		capability.KernelRelease - capability.NumCommon:     kernelRelease,
		capability.KernelRegain - capability.NumCommon:      kernelRegain,
		capability.KernelWeight - capability.NumCommon:      kernelWeight,
		capability.KernelReserve - capability.NumCommon:     kernelReserve,
		capability.KernelImport - capability.NumCommon:      kernelImport,
		capability.KernelShare - capability.NumCommon:       kernelShare,
		capability.KernelExpel - capability.NumCommon:       kernelExpel,
	},
	capability.PerformanceCounter: {
		capability.PerformanceCounterSelect - capability.NumCommon: counterSelect,
		capability.PerformanceCounterRead - capability.NumCommon:   counterRead,
	},
}

// unfinished has a bit for each error that says that something else must be
// finished first.
const unfinished = 1<<capability.ErrPending | 1<<capability.ErrInUse | 1<<capability.ErrNotReady | 1<<capability.ErrRevoking | 1<<capability.ErrBusy

// invoke is the native call.
func invoke(d *Driver, b *kcb.DCB, a *arguments) (uint64, capability.Error) {
	d.cspace = d.slot(b, kcb.SlotCSpace)
	before := d.k.Shootdown.Generation()
	value, err := d.invocation(b, a[0], (*capability.Arguments)(a[1:]))
	if d.k.Shootdown.Generation() != before {
		b.Settle = 0
	}
	if b == d.monitor && unfinished>>err&1 != 0 {
		d.awaited = true
	}
	return value, err
}

// invokeAs makes an invocation for the kernel itself, in the CSpace whose L1
// CNode the slot root holds.
func (d *Driver) invokeAs(root memory.Phys, word uint64, a *capability.Arguments) (uint64, capability.Error) {
	d.cspace = root
	value, err := d.invocation(nil, word, a)
	d.work()
	return value, err
}

// invocation does an invocation in the CSpace d.cspace.
func (d *Driver) invocation(b *kcb.DCB, word uint64, a *capability.Arguments) (uint64, capability.Error) {
	slot, i, err := d.cap.Decode(d.cspace, word, a)
	if err != capability.OK {
		return 0, err
	}
	switch i {
	case capability.InvokeNop:
		return 0, capability.OK
	case capability.InvokeIdentify:
		d.description = d.cap.Identify(slot)
		return 0, d.copyOut(b, uintptr(a[0]), bytesOf(&d.description))
	}
	t := d.cap.TypeOf(slot)
	if t == capability.L1CNode || t == capability.L2CNode {
		return 0, d.cap.Invoke(d.cspace, slot, i, a)
	}
	do := handlers[t][i-capability.NumCommon]
	if do == nil {
		return 0, capability.ErrInvocation // of a type that the table declares for later
	}
	return do(d, b, slot, a)
}
