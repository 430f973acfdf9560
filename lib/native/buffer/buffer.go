// Package buffer is memory through which values go to and from the CPU driver.
//
// A pointer that goes with an invocation must lead to memory that is present.
// The Go heap need not be: so values are copied through the page that this
// package keeps, one user at a time. Packages native and capability import it;
// it must never hold anything from one use to the next.
package buffer

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"skerry/abi"
)

// Size is how much goes through the buffer at once, in bytes.
const Size = abi.PageSize

// page is mapped on its own, so the collector never gives it back.
var page struct {
	sync.Mutex
	once   sync.Once
	memory []byte
	err    error
}

// Lock takes the buffer, aligned to pages, until Unlock. It holds what its last
// user left. It fails, and takes nothing, if there is no memory for it.
func Lock() ([]byte, error) {
	page.once.Do(func() { page.memory, page.err = Pages(Size) })
	if page.err != nil {
		return nil, page.err
	}
	page.Lock()
	return page.memory, nil
}

// Unlock gives the buffer back.
func Unlock() { page.Unlock() }

// Pages returns zeroed memory, a multiple of abi.PageSize in bytes, that is
// present and stays so for good.
func Pages(bytes int) ([]byte, error) {
	m, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes: %w", bytes, err)
	}
	for i := 0; i < len(m); i += abi.PageSize {
		m[i] = 0
	}
	return m, nil
}

// Address returns the address of b, as invocations take it.
func Address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// As views the start of b, which is the buffer, as a T no larger than Size.
func As[T any](b []byte) *T { return (*T)(unsafe.Pointer(unsafe.SliceData(b))) }
