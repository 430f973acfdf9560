package vspace

import (
	"testing"

	"skerry/abi/capability"
	"skerry/abi/linux"
)

// TestGone: a program that has taken its own pages away is told so when it touches
// them, rather than faulting for ever.
func TestGone(t *testing.T) {
	m := newMachine(t, 8<<20)
	const far = 32 // pages that are not brought in with each other
	m.mmap(low, 3*far, readWrite)
	m.hugeRegion(low+hugeBytes, hugePages)
	for _, address := range []uint64{low, low + pages(2*far), low + hugeBytes} {
		m.write(address, 1)
	}
	mapping, frame := entryOf(low).mapping(), recordAt(entryOf(low+pages(2*far)).mapping()).source
	m.ask(capability.OK, holder(mapping), capability.L2CNodeDelete, uint64(mapping.Slot()))
	m.ask(capability.OK, holder(frame), capability.L2CNodeRevoke, uint64(frame.Slot()))
	huge := entryOf(low + hugeBytes).mapping()
	m.ask(capability.OK, holder(huge), capability.L2CNodeDelete, uint64(huge.Slot()))
	for _, address := range []uint64{low, low + pages(2*far), low + hugeBytes} {
		if code, err := m.access(address, linux.PROT_READ); code != linux.SEGV_MAPERR || err != capability.OK {
			t.Errorf("%#x: code %d, %v", address, code, err)
		}
	}
	// What is not touched yet can still be.
	m.write(low+pages(far), 1)
}
