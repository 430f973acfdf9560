package carrier

import (
	"unsafe"

	"skerry/abi/linux"
)

// Offsets in an XSAVE area of standard format.
const (
	xsaveMXCSR     = 24
	xsaveMXCSRMask = 28
	xsaveHeader    = 512
	xsaveExtended  = 576
)

func bytesAt(address uintptr, n uint64) []byte {
	return unsafe.Slice((*byte)(pointer(address)), n)
}

func word32(address uintptr) *uint32 { return (*uint32)(pointer(address)) }
func word64(address uintptr) *uint64 { return (*uint64)(pointer(address)) }

// writeVector copies a vector state into a signal frame and says there how
// large it is.
func writeVector(to uintptr, v VectorState) {
	copy(bytesAt(to, v.Size), bytesAt(uintptr(v.Address), v.Size))
	*word32(to + linux.XStateSoftware) = linux.XStateMagic1
	*word32(to + linux.XStateSoftware + 4) = uint32(v.Size) + linux.XStateMagic2Size
	*word64(to + linux.XStateSoftware + 8) = v.Mask
	*word32(to + linux.XStateSoftware + 16) = uint32(v.Size)
	*word32(to + uintptr(v.Size)) = linux.XStateMagic2
}

// readVector copies the vector state of a signal frame to a save area. The
// program may have written anything into it: what the processor would refuse
// to load is put right.
func readVector(from uintptr, v VectorState) {
	mask := *word32(uintptr(v.Address) + xsaveMXCSRMask)
	if mask == 0 {
		mask = 0xffbf // what a zero stands for
	}
	copy(bytesAt(uintptr(v.Address), v.Size), bytesAt(from, v.Size))
	*word32(uintptr(v.Address) + xsaveMXCSR) &= mask
	*word32(uintptr(v.Address) + xsaveMXCSRMask) = mask
	if v.Size < xsaveExtended {
		return
	}
	header := uintptr(v.Address) + xsaveHeader
	*word64(header) &= v.Mask
	if *word32(from + linux.XStateSoftware) != linux.XStateMagic1 {
		*word64(header) = 3 & v.Mask // x87 and SSE only
	}
	for i := uintptr(8); i < xsaveExtended-xsaveHeader; i += 8 {
		*word64(header + i) = 0
	}
}
