package thread

import (
	"math"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"skerry/abi/linux"
)

// all is how many wake wakes if it is to wake everybody.
const all = math.MaxInt32

// wait blocks while a word has a value, until wake or the deadline, if that is not
// zero. It returns nil or ETIMEDOUT; nil says nothing.
func wait(word *atomic.Uint32, value uint32, deadline time.Time) error {
	var timeout *syscall.Timespec
	if !deadline.IsZero() {
		left := time.Until(deadline)
		if left <= 0 {
			return syscall.ETIMEDOUT
		}
		spec := syscall.NsecToTimespec(int64(left))
		timeout = &spec
	}
	_, _, errno := syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)),
		linux.FUTEX_WAIT|linux.FUTEX_PRIVATE_FLAG, uintptr(value), uintptr(unsafe.Pointer(timeout)), 0, 0)
	if errno == syscall.ETIMEDOUT {
		return errno
	}
	return nil
}

// wake wakes at most n of those that wait for a word to change, those of the
// highest priority first.
func wake(word *atomic.Uint32, n int) {
	syscall.RawSyscall(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), linux.FUTEX_WAKE|linux.FUTEX_PRIVATE_FLAG, uintptr(n))
}
