package native

import (
	"errors"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native/buffer"
)

// kernel is the Kernel of the core, as far as the program was given it.
var kernel = typed.Kernel(capability.Base(capability.SlotKernel))

// CoreInfo describes the core and its CPU driver. Right Read.
func CoreInfo() (abi.CoreInfo, error) { return kernel.Information() }

// Dispatcher describes the first dispatcher of this core that is not before from, a
// domain's number and, from bit 32 on, a dispatcher's; ok is false when there is
// none. Right Read.
func Dispatcher(from uint64) (info abi.DomainInfo, ok bool, err error) {
	info, err = kernel.Dispatcher(from)
	if errors.Is(err, capability.ErrNotFound) {
		return info, false, nil
	}
	return info, err == nil, err
}

// Census calls each with every object that there is a capability to on the core,
// mappings left out, in the order of the database: an object precedes those that
// were made of it. What changes meanwhile may be missing. Right Read.
func Census(each func(*capability.Description)) error {
	var last capability.Description
	var list [capability.CensusMax]capability.Description
	for {
		n, err := kernel.Next(last, &list)
		if err != nil {
			return err
		}
		n = min(n, capability.CensusMax)
		for i := range n {
			each(&list[i])
		}
		if n < capability.CensusMax {
			return nil
		}
		last = list[n-1]
	}
}

// CoreState tells how the kernel of a core is: abi.CoreAbsent and so on. Right
// Read.
func CoreState(core int) (uint64, error) { return kernel.State(uint64(core)) }

// Distance tells how far the memory of another core is from this one, 10 being
// the same node's. Right Read.
func Distance(core int) (uint64, error) { return kernel.Distance(uint64(core)) }

// CommandLine returns the machine's boot command line. Right Read.
func CommandLine() (string, error) {
	var b [buffer.Size]byte
	n, err := kernel.CommandLine(b[:])
	return string(b[:min(n, buffer.Size)]), err
}

// logMax is how long a line of the kernel's log may be, in bytes.
const logMax = 256

// Log appends a line to the kernel's log, by the Kernel capability in slot
// capability.SlotLog. Of a long line the first 256 bytes are kept.
func Log(line string) error {
	return typed.Kernel(capability.Base(capability.SlotLog)).Log([]byte(line[:min(len(line), logMax)]))
}

// NotifyCore rings the doorbell of another core's monitor. Right Send.
func NotifyCore(core int) error { return kernel.Notify(uint64(core)) }

// PortMax is the most that one PortWrite or PortRead moves, in bytes.
const PortMax = 2048

// PortWrite queues the start of p, PortMax bytes at most, to a serial port
// (abi.PortConsole, abi.PortLink) and returns how much of it was taken. For
// the console that is all or nothing. Having taken less than it was given, it
// rings the caller's doorbell when there is room again. Right Control.
func PortWrite(port int, p []byte) (int, error) {
	return moved(kernel.PortWrite(uint64(port), p[:min(len(p), PortMax)]))
}

// PortRead takes bytes that came in at a serial port and returns how many; 0
// when there are none, and the doorbell rings when some come. Right Control.
func PortRead(port int, p []byte) (int, error) {
	return moved(kernel.PortRead(uint64(port), p[:min(len(p), PortMax)]))
}

// moved is what came of moving bytes: none is no error.
func moved(n uint64, err error) (int, error) {
	if errors.Is(err, capability.ErrAgain) {
		return 0, nil
	}
	return int(n), err
}

// Power ends the machine: abi.PowerOff or abi.PowerReset. It returns only when
// the kernel refuses. Right Control.
func Power(action, code int) error { return kernel.Power(uint64(action), uint64(code)) }
