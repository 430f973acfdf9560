package amd64

import (
	"testing"
	"unsafe"
)

// TestIOAPICLine checks which register a line's entry is. The registers
// themselves lie behind an index, which memory cannot imitate.
func TestIOAPICLine(t *testing.T) {
	page := new([8]uint32)
	a := IOAPIC{Base: uintptr(unsafe.Pointer(page)), GSI: 24}
	page[4] = 0x0077_0020 // version register: last line 0x77
	if a.Lines() != 0x78 || page[0] != ioapicVersion {
		t.Errorf("%d lines, register %#x read", a.Lines(), page[0])
	}
	page[4] = 0x8030
	a.Mask(26)
	if page[0] != 0x14 || page[4] != 0x8030|ioapicMasked {
		t.Errorf("masked: register %#x is %#x", page[0], page[4])
	}
	a.Unmask(26)
	if page[4] != 0x8030 {
		t.Errorf("unmasked: %#x", page[4])
	}
	a.Route(24, 0x55, 3, true, true)
	if page[0] != 0x10 || page[4] != 0xa055 {
		t.Errorf("routed: register %#x is %#x", page[0], page[4])
	}
}
