package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
)

// powerPatience is how long, in ns, the machine may take to go off.
const powerPatience = 3_000_000_000

// maxPort bounds the bytes of one port call.
const maxPort = 2048

// port returns the serial port with a number.
func (d *Driver) port(n uint64) *amd64.Serial {
	switch {
	case d.k.Machine.Core != 0:
	case n == abi.PortConsole:
		return &console.COM1
	case n == abi.PortLink:
		return &console.COM2
	}
	return nil
}

func portWrite(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	s := d.port(a[0])
	if s == nil {
		return 0, abi.ErrNotFound
	}
	n := a[2]
	if a[0] == abi.PortConsole {
		if n > maxPort {
			return 0, abi.ErrTooBig
		}
		console.Collect(d.k.Machine.Cores)
		if uint64(s.Room()) < n {
			s.Pump()
			return 0, abi.ErrAgain
		}
	}
	n = min(n, maxPort, uint64(s.Room()))
	buf := d.port2k[:n]
	if err := d.copyIn(b, uintptr(a[1]), buf); err != abi.OK {
		return 0, err
	}
	taken := s.Write(buf)
	s.Pump()
	return uint64(taken), abi.OK
}

func portRead(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	s := d.port(a[0])
	if s == nil {
		return 0, abi.ErrNotFound
	}
	// What comes in after this is worth an interrupt and so a notification.
	s.Pump()
	n := min(a[2], maxPort, uint64(s.Waiting()))
	if err := d.checkOut(b, uintptr(a[1]), uintptr(n)); err != abi.OK {
		return 0, err
	}
	buf := d.port2k[:n]
	s.Read(buf)
	s.Listen()
	return n, d.copyOut(b, uintptr(a[1]), buf)
}

func power(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if a[0] != abi.PowerOff && a[0] != abi.PowerReset {
		return 0, abi.ErrArgument
	}
	console.Collect(d.k.Machine.Cores)
	console.COM1.Drain()
	console.COM2.Drain()
	m := &d.k.Machine
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
	return 0, abi.OK
}
