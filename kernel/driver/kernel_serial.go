package driver

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// maxPort bounds the bytes that an invocation moves to or from a serial port.
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

func kernelPortWrite(d *Driver, b *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	s := d.port(a[0])
	if s == nil {
		return 0, capability.ErrNotFound
	}
	n := a[2]
	if a[0] == abi.PortConsole {
		if n > maxPort {
			return 0, capability.ErrTooBig
		}
		console.Collect(d.k.Machine.Cores)
		if uint64(s.Room()) < n {
			s.Pump()
			return 0, capability.ErrAgain
		}
	}
	n = min(n, maxPort, uint64(s.Room()))
	buf := d.port2k[:n]
	if err := d.copyIn(b, uintptr(a[1]), buf); err != capability.OK {
		return 0, err
	}
	taken := s.Write(buf)
	s.Pump()
	return uint64(taken), capability.OK
}

func kernelPortRead(d *Driver, b *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	s := d.port(a[0])
	if s == nil {
		return 0, capability.ErrNotFound
	}
	// What comes in after this is worth an interrupt and so a notification.
	s.Pump()
	n := min(a[2], maxPort, uint64(s.Waiting()))
	if err := d.checkOut(b, uintptr(a[1]), uintptr(n)); err != capability.OK {
		return 0, err
	}
	buf := d.port2k[:n]
	s.Read(buf)
	s.Listen()
	return n, d.copyOut(b, uintptr(a[1]), buf)
}
