package amd64

import (
	"unsafe"

	"skerry/abi"
)

// SetupTraps prepares the memory that the entry code works with. It must run
// before the first trap.
func SetupTraps() {
	kernelVectorAt = (uintptr(unsafe.Pointer(&kernelVector)) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	initialVectorAt = (uintptr(unsafe.Pointer(&initialVector)) + 63) &^ 63
	*(*uint32)(unsafe.Pointer(initialVectorAt + 24)) = mxcsr
}
