// Package native gives Go programs on Skerry the CPU driver's native calls as
// typed functions: domains, cores, serial ports, power.
//
// Services import it. What it passes to the kernel goes through memory that it
// keeps present for the purpose, so callers may hand it any Go value. All
// functions return at once; waiting is a Doorbell's affair. On another system
// than Skerry every call fails.
package native

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"skerry/abi"
	"skerry/lib/native/raw"
)

// Domain is the number of a domain on this core.
type Domain uint32

// CallError is a native call that failed.
type CallError struct {
	Call string    // what was to be done
	Err  abi.Error // the kernel's answer
}

// Error returns what failed and why.
func (e *CallError) Error() string { return e.Call + ": " + e.Err.Error() }

// Unwrap returns the kernel's answer.
func (e *CallError) Unwrap() error { return e.Err }

func check(call string, err abi.Error) error {
	if err == abi.OK {
		return nil
	}
	return &CallError{call, err}
}

// bounce is the memory through which values go to and from the kernel: a page
// for structures and buffers, then room for an Info. It is mapped on its own,
// so the collector never gives its pages back.
var bounce struct {
	sync.Mutex
	once   sync.Once
	memory []byte
	err    error
}

const bounceBuffer = abi.PageSize // most that goes through the first page

// lock takes the bounce memory and returns its first page and the rest.
func lock() (first, rest []byte, err error) {
	bounce.once.Do(func() { bounce.memory, bounce.err = Pages(1 + abi.InfoMax/abi.PageSize) })
	if bounce.err != nil {
		return nil, nil, bounce.err
	}
	bounce.Lock()
	return bounce.memory[:bounceBuffer], bounce.memory[bounceBuffer:], nil
}

func unlock() { bounce.Unlock() }

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// as views the start of b, which is page-aligned, as a T.
func as[T any](b []byte) *T { return (*T)(unsafe.Pointer(unsafe.SliceData(b))) }

// Pages returns n pages of zeroed memory that are present and stay so until
// Free: what frames shared with other domains are made of.
func Pages(n int) ([]byte, error) {
	m, err := syscall.Mmap(-1, 0, n*abi.PageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %d pages: %w", n, err)
	}
	for i := 0; i < len(m); i += abi.PageSize {
		m[i] = 0
	}
	return m, nil
}

// Frame returns the address of Pages(n) that are kept for good, page-aligned.
func Frame(n int) (uintptr, error) {
	m, err := Pages(n)
	return address(m), err
}

// Free gives memory from Pages back. No domain may share it any more.
func Free(m []byte) error { return syscall.Munmap(m) }

// Notify rings the doorbell of a child, or of the parent with domain 0.
func Notify(domain Domain) error {
	err, _ := raw.Call(abi.CallNotify, uintptr(domain), 0, 0, 0, 0, 0)
	return check("notify", err)
}

// NotifyCore rings the doorbell of another core's monitor. RightMonitor.
func NotifyCore(core int) error {
	err, _ := raw.Call(abi.CallNotifyCore, uintptr(core), 0, 0, 0, 0, 0)
	return check(fmt.Sprintf("notify core %d", core), err)
}

// Kill ends a child, which must still be reaped. RightSpawn.
func Kill(domain Domain) error {
	err, _ := raw.Call(abi.CallKill, uintptr(domain), 0, 0, 0, 0, 0)
	return check("kill", err)
}

// Reap takes the status of a child that has ended; ok is false when none has.
// RightSpawn.
func Reap() (status abi.Status, ok bool, err error) {
	first, _, err := lock()
	if err != nil {
		return abi.Status{}, false, err
	}
	defer unlock()
	e, _ := raw.Call(abi.CallReap, address(first), 0, 0, 0, 0, 0)
	if e == abi.ErrAgain {
		return abi.Status{}, false, nil
	}
	return *as[abi.Status](first), e == abi.OK, check("reap", e)
}

// CoreInfo describes the core and its CPU driver. RightInspect.
func CoreInfo() (abi.CoreInfo, error) {
	first, _, err := lock()
	if err != nil {
		return abi.CoreInfo{}, err
	}
	defer unlock()
	e, _ := raw.Call(abi.CallCoreInfo, address(first), 0, 0, 0, 0, 0)
	return *as[abi.CoreInfo](first), check("core info", e)
}

// DomainInfo describes the first domain of this core whose number is at least
// from; ok is false when there is none. RightInspect.
func DomainInfo(from Domain) (info abi.DomainInfo, ok bool, err error) {
	first, _, err := lock()
	if err != nil {
		return abi.DomainInfo{}, false, err
	}
	defer unlock()
	e, _ := raw.Call(abi.CallDomainInfo, uintptr(from), address(first), 0, 0, 0, 0)
	if e == abi.ErrNotFound {
		return abi.DomainInfo{}, false, nil
	}
	return *as[abi.DomainInfo](first), e == abi.OK, check("domain info", e)
}

// PortMax is the most that one PortWrite or PortRead moves, in bytes.
const PortMax = 2048

// PortWrite queues the start of p, PortMax bytes at most, to a serial port
// (abi.PortConsole, abi.PortLink) and returns how much of it was taken. For
// the console that is all or nothing. Having taken less than it was given, it
// rings the caller's doorbell when there is room again. RightConsole.
func PortWrite(port int, p []byte) (int, error) {
	first, _, err := lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	n := copy(first[:PortMax], p)
	e, taken := raw.Call(abi.CallPortWrite, uintptr(port), address(first), uintptr(n), 0, 0, 0)
	switch e {
	case abi.OK:
		return int(taken), nil
	case abi.ErrAgain:
		return 0, nil
	}
	return 0, check("write to serial port", e)
}

// PortRead takes bytes that came in at a serial port and returns how many; 0
// when there are none, and the doorbell rings when some come. RightConsole.
func PortRead(port int, p []byte) (int, error) {
	first, _, err := lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	e, n := raw.Call(abi.CallPortRead, uintptr(port), address(first), uintptr(min(len(p), PortMax)), 0, 0, 0)
	if e == abi.ErrAgain {
		return 0, nil
	}
	if e != abi.OK {
		return 0, check("read from serial port", e)
	}
	return copy(p, first[:n]), nil
}

// CoreState tells how the kernel of a core is: abi.CoreAbsent and so on.
// RightInspect.
func CoreState(core int) (uint64, error) {
	e, state := raw.Call(abi.CallCoreState, uintptr(core), 0, 0, 0, 0, 0)
	return uint64(state), check(fmt.Sprintf("state of core %d", core), e)
}

// Power ends the machine: abi.PowerOff or abi.PowerReset. It returns only when
// the kernel refuses. RightPower.
func Power(action, code int) error {
	err, _ := raw.Call(abi.CallPower, uintptr(action), uintptr(code), 0, 0, 0, 0)
	return check("power", err)
}

// Random fills p with the kernel's entropy.
func Random(p []byte) error {
	first, _, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	const most = 256
	for len(p) > 0 {
		n := min(len(p), most)
		if e, _ := raw.Call(abi.CallRandom, address(first), uintptr(n), 0, 0, 0, 0); e != abi.OK {
			return check("random", e)
		}
		copy(p, first[:n])
		clear(first[:n])
		p = p[n:]
	}
	return nil
}

// Log appends a line to the kernel's log. Of a long line the first 256 bytes
// are kept.
func Log(line string) error {
	first, _, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	n := copy(first[:256], line)
	e, _ := raw.Call(abi.CallLog, address(first), uintptr(n), 0, 0, 0, 0)
	return check("log", e)
}

// CommandLine returns the machine's boot command line.
func CommandLine() (string, error) {
	first, _, err := lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	e, n := raw.Call(abi.CallCommandLine, address(first), uintptr(len(first)), 0, 0, 0, 0)
	if e != abi.OK {
		return "", check("command line", e)
	}
	return string(first[:min(int(n), len(first))]), nil
}
