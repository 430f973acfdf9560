package driver

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

func kernelState(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if a[0] >= uint64(d.k.Machine.Cores) {
		return 0, capability.ErrNotFound
	}
	return uint64(console.StateOf(uint32(a[0]))), capability.OK
}

func kernelDistance(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if a[0] >= uint64(d.k.Machine.Cores) {
		return 0, capability.ErrNotFound
	}
	return uint64(d.k.Memory.Distance[a[0]%abi.MaxCores]), capability.OK
}

func kernelCommandLine(d *Driver, b *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	m := &d.k.Machine
	line := m.CommandLine[:min(m.CommandLineLength, uint32(len(m.CommandLine)))]
	n := min(uint64(len(line)), a[1])
	return uint64(len(line)), d.copyOut(b, uintptr(a[0]), line[:n])
}

func kernelLog(d *Driver, b *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if a[1] > uint64(len(d.buffer)) {
		return 0, capability.ErrTooBig
	}
	buf := d.buffer[:a[1]]
	if err := d.copyIn(b, uintptr(a[0]), buf); err != capability.OK {
		return 0, err
	}
	for _, c := range b.Name {
		if c == 0 {
			break
		}
		console.Byte(printable(c))
	}
	console.Write(": ")
	for _, c := range buf {
		console.Byte(printable(c))
	}
	console.Flush()
	return a[1], capability.OK
}

func kernelNotify(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	switch m := &d.k.Machine; {
	case a[0] == uint64(m.Core):
		d.notifyMonitor()
	case a[0] >= uint64(m.Cores) || !d.ringAt(uint32(a[0]), monitorNumber):
		return 0, capability.ErrNotFound
	}
	return 0, capability.OK
}

// powerPatience is how long, in ns, the machine may take to go off.
const powerPatience = 3_000_000_000

func kernelPower(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if a[0] != abi.PowerOff && a[0] != abi.PowerReset {
		return 0, capability.ErrArgument
	}
	m := &d.k.Machine
	for range m.Cores + 1 { // at a time, what the port's buffer holds of all outboxes
		console.Collect(m.Cores)
		console.COM1.Drain()
	}
	console.COM2.Drain()
	if a[0] == abi.PowerReset {
		if m.ResetPort != 0 {
			amd64.Out(m.ResetPort, m.ResetValue)
		}
		amd64.Out(0x64, 0xfe) // the keyboard controller's reset line
	} else if m.CanPowerOff {
		amd64.Out16(m.PM1a, m.SleepType<<10|1<<13)
	}
	// Both take effect at their own time.
	for end := carry.Now() + powerPatience; carry.Now() < end; {
		amd64.Pause()
	}
	carry.Stop("the machine was told to go off and cannot: switch it off by hand")
	return 0, capability.OK
}
