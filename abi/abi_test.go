package abi

import (
	"testing"
	"unsafe"
)

// TestSizes checks what the layouts promise of their sizes: no hidden padding
// at the end of what is copied byte by byte, and that everything fits its page.
func TestSizes(t *testing.T) {
	for name, test := range map[string]struct{ got, most uintptr }{
		"Dispatcher":           {unsafe.Sizeof(Dispatcher{}), PageSize},
		"BootHeader":           {unsafe.Sizeof(BootHeader{}), PageSize},
		"Info":                 {unsafe.Sizeof(Info{}), InfoMax},
		"the dispatcher frame": {DispatcherSize, InfoBase - DispatcherBase},
		"the Info frame":       {InfoMax, StdioBase - InfoBase},
		"the channels' frame":  {ChannelsSize, MonitorChannels - StdioBase},
		"the channels":         {MaxCores * MonitorChannelSize, LibosBase - MonitorChannels},
		"a vector area":        {2688, VectorAreaSize},
	} {
		if test.got > test.most {
			t.Errorf("%s takes %d bytes of %d", name, test.got, test.most)
		}
	}
	for name, size := range map[string]uintptr{
		"Dispatcher": unsafe.Sizeof(Dispatcher{}), "Entries": unsafe.Sizeof(Entries{}), "Memory": unsafe.Sizeof(Memory{}),
		"Status": unsafe.Sizeof(Status{}), "CoreInfo": unsafe.Sizeof(CoreInfo{}), "DomainInfo": unsafe.Sizeof(DomainInfo{}), "Info": unsafe.Sizeof(Info{}),
	} {
		if size%8 != 0 {
			t.Errorf("%s takes %d bytes, no multiple of a word", name, size)
		}
	}
	// Entry code finds these at fixed places.
	if unsafe.Sizeof(Registers{}) != 19*8 {
		t.Errorf("Registers takes %d bytes", unsafe.Sizeof(Registers{}))
	}
}

// TestMap checks that the parts of an address space are in order, aligned, and
// each in top-level slots of its own, which the kernel shares and frees whole.
func TestMap(t *testing.T) {
	parts := []uint64{ProgramTop, LibosHeap, ArchiveBase, DispatcherBase, LibosBase, UserTop}
	slots := map[uint64]bool{}
	for i, at := range parts {
		if i > 0 && at <= parts[i-1] {
			t.Errorf("%#x is not above %#x", at, parts[i-1])
		}
		if at%(1<<39) != 0 || slots[at>>39] {
			t.Errorf("%#x begins no slot, or another's", at)
		}
		slots[at>>39] = true
	}
	for _, at := range []uint64{InfoBase, StdioBase, MonitorChannels, DispatcherSize, StdioSize, MonitorChannelSize, InfoMax, KernelOffset} {
		if at%PageSize != 0 {
			t.Errorf("%#x is not aligned to pages", at)
		}
	}
	kernel := []uint64{WindowBase, KernelHeap, KernelHeapEnd, DeviceBase, KernelBase}
	for i, at := range kernel {
		if at>>47 != 1<<17-1 {
			t.Errorf("%#x is no address of the kernel's half", at)
		}
		if i > 0 && at <= kernel[i-1] {
			t.Errorf("%#x is not above %#x", at, kernel[i-1])
		}
	}
	if _, conflict := map[uint64]bool{WindowBase >> 39: true}[uint64(KernelHeap)>>39]; conflict {
		t.Error("the window and the heap share a slot")
	}
}

// TestNumbers pins the numbers that programs built earlier hold.
func TestNumbers(t *testing.T) {
	if CallNop != 0 || CallRandom != 8 || CallMessage != 9 || CallSettle != 10 || NumCalls != CallSettle+1 {
		t.Errorf("native calls are numbered %d, %d, %d, %d of %d", CallNop, CallRandom, CallMessage, CallSettle, NumCalls)
	}
	if OK != 0 || ErrTooBig != 18 {
		t.Errorf("errors are numbered %d to %d", OK, ErrTooBig)
	}
}
