package native

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native/buffer"
)

// kernel invokes the Kernel capability in slot capability.SlotKernel.
func kernel(i capability.Invocation, args ...uint64) (uint64, capability.Error) {
	return invoke(capability.Base(capability.SlotKernel), i, args...)
}

// CoreInfo describes the core and its CPU driver. Right Read.
func CoreInfo() (abi.CoreInfo, error) {
	return read[abi.CoreInfo]("core info", func(at uint64) capability.Error {
		_, err := kernel(capability.KernelInformation, at)
		return err
	})
}

// Dispatcher describes the first dispatcher of this core whose domain has a
// number that is at least from; ok is false when there is none. Right Read.
func Dispatcher(from uint32) (info abi.DomainInfo, ok bool, err error) {
	var e capability.Error
	info, err = read[abi.DomainInfo]("dispatcher", func(at uint64) capability.Error {
		_, e = kernel(capability.KernelDispatcher, uint64(from), at)
		return e
	})
	if e == capability.ErrNotFound {
		return info, false, nil
	}
	return info, err == nil, err
}

// Census calls each with every object that there is a capability to on the core,
// mappings left out, in the order of the database: an object precedes those that
// were made of it. What changes meanwhile may be missing. Right Read.
func Census(each func(*capability.Description)) error {
	type batch = [capability.CensusMax]capability.Description
	var last capability.Description
	for {
		var n uint64
		list, err := func() (list batch, err error) {
			b, err := buffer.Lock()
			if err != nil {
				return list, err
			}
			defer buffer.Unlock()
			*buffer.As[capability.Description](b) = last
			var e capability.Error
			n, e = kernel(capability.KernelNext, buffer.Address(b))
			return *buffer.As[batch](b), check("census", e)
		}()
		if err != nil {
			return err
		}
		for i := range min(n, capability.CensusMax) {
			each(&list[i])
			last = list[i]
		}
		if n < capability.CensusMax {
			return nil
		}
	}
}

// CoreState tells how the kernel of a core is: abi.CoreAbsent and so on. Right
// Read.
func CoreState(core int) (uint64, error) {
	state, e := kernel(capability.KernelState, uint64(core))
	return state, check(fmt.Sprintf("state of core %d", core), e)
}

// Distance tells how far the memory of another core is from this one, 10 being
// the same node's. Right Read.
func Distance(core int) (uint64, error) {
	distance, e := kernel(capability.KernelDistance, uint64(core))
	return distance, check(fmt.Sprintf("distance to core %d", core), e)
}

// CommandLine returns the machine's boot command line. Right Read.
func CommandLine() (string, error) {
	b, err := buffer.Lock()
	if err != nil {
		return "", err
	}
	defer buffer.Unlock()
	n, e := kernel(capability.KernelCommandLine, buffer.Address(b), buffer.Size)
	if e != capability.OK {
		return "", check("command line", e)
	}
	return string(b[:min(n, buffer.Size)]), nil
}

// logMax is how long a line of the kernel's log may be, in bytes.
const logMax = 256

// Log appends a line to the kernel's log, by the Kernel capability in slot
// capability.SlotLog. Of a long line the first 256 bytes are kept.
func Log(line string) error {
	b, err := buffer.Lock()
	if err != nil {
		return err
	}
	defer buffer.Unlock()
	n := copy(b[:logMax], line)
	_, e := invoke(capability.Base(capability.SlotLog), capability.KernelLog, buffer.Address(b), uint64(n))
	return check("log", e)
}

// NotifyCore rings the doorbell of another core's monitor. Right Send.
func NotifyCore(core int) error {
	_, e := kernel(capability.KernelNotify, uint64(core))
	return check(fmt.Sprintf("notify core %d", core), e)
}

// PortMax is the most that one PortWrite or PortRead moves, in bytes.
const PortMax = 2048

// PortWrite queues the start of p, PortMax bytes at most, to a serial port
// (abi.PortConsole, abi.PortLink) and returns how much of it was taken. For
// the console that is all or nothing. Having taken less than it was given, it
// rings the caller's doorbell when there is room again. Right Control.
func PortWrite(port int, p []byte) (int, error) {
	b, err := buffer.Lock()
	if err != nil {
		return 0, err
	}
	defer buffer.Unlock()
	n := copy(b[:PortMax], p)
	taken, e := kernel(capability.KernelPortWrite, uint64(port), buffer.Address(b), uint64(n))
	switch e {
	case capability.OK:
		return int(taken), nil
	case capability.ErrAgain:
		return 0, nil
	}
	return 0, check("write to serial port", e)
}

// PortRead takes bytes that came in at a serial port and returns how many; 0
// when there are none, and the doorbell rings when some come. Right Control.
func PortRead(port int, p []byte) (int, error) {
	b, err := buffer.Lock()
	if err != nil {
		return 0, err
	}
	defer buffer.Unlock()
	n, e := kernel(capability.KernelPortRead, uint64(port), buffer.Address(b), uint64(min(len(p), PortMax)))
	switch e {
	case capability.OK:
		return copy(p, b[:n]), nil
	case capability.ErrAgain:
		return 0, nil
	}
	return 0, check("read from serial port", e)
}

// Power ends the machine: abi.PowerOff or abi.PowerReset. It returns only when
// the kernel refuses. Right Control.
func Power(action, code int) error {
	_, e := kernel(capability.KernelPower, uint64(action), uint64(code))
	return check("power", e)
}
