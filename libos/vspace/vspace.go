package vspace

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/carrier"
)

// What backs a region: carrier.Region.Kind.
const (
	// BackZero: zeroed pages, private.
	BackZero uint32 = iota
	// BackArchive: the boot archive's own pages, from Offset on, never written.
	BackArchive
	// BackCopy: private copies of the archive's pages, from Offset on.
	BackCopy
	// BackFrame: the pages of the Frame or DeviceFrame at the reference Source,
	// from Offset on.
	BackFrame
)

// TablesSize is how much of the libos's heap Config.Tables takes.
const TablesSize = 2 << 30

// Config says what a space stands on. Functions must stay what they are: they
// are kept by address.
type Config struct {
	// Kernel makes an invocation: of what capability.Word packed, with up to
	// five words.
	Kernel func(word, a, b, c, d, e uint64) (value uint64, err capability.Error)
	// Supply asks the spawner for a piece of RAM of a number, about that size
	// in bytes, and waits until it is in slot SlotMemory+piece. It returns how
	// large it is. Errors: ErrQuota, ErrMemory.
	Supply func(piece uint32, size uint64) (uint64, capability.Error)
	// Return gives a piece back, its slot is empty.
	Return func(piece uint32)
	// Tables is where TablesSize bytes of the libos's heap begin, for the
	// tables of this package; a multiple of 1 GiB.
	Tables uint64
	// CNodes is the end of the slots of the L1 CNode that may be taken, from
	// FirstCNode on.
	CNodes uint32
}

// FirstCNode is the first slot of the L1 CNode that is taken for a CNode.
const FirstCNode = 8

// Init sets the space up, of the first piece of RAM in slot SlotMemory, and
// touches the libos's heap only once NestedFault can serve that.
func Init(c Config) capability.Error { return capability.ErrMemory }

// NestedFault backs the page of an address of the libos's heap. It returns
// false if it cannot: the address is not in the heap, or the reserve is used up.
func NestedFault(address uint64) bool { return false }

// Replenish refills what NestedFault takes from, and asks the spawner for RAM if
// little is left. It costs next to nothing if there is nothing to do.
func Replenish() {}

// Fault serves a page fault of the program at an address, or prepares an access
// of the libos's own; want is the access, linux.PROT_…. It returns 0, or the
// code of the SIGSEGV that the access is to cause: SEGV_MAPERR, SEGV_ACCERR. An
// error says that the memory could not be had, which ends the domain.
func Fault(address uint64, want uint32) (code int32, err capability.Error) {
	return 0, capability.ErrMemory
}

// Usable makes sure that the libos can access [address, address+n) as want says.
// It returns what Fault returns for the first page for which it is not so.
func Usable(address, n uint64, want uint32) (code int32, err capability.Error) {
	return 0, capability.ErrMemory
}

// Regions returns the program's regions, to be read only.
func Regions() *carrier.Regions { return nil }

// MapRegion puts a region in place of whatever was there; what it brings in
// comes when it is touched. It returns a Linux error number: EINVAL, ENOMEM.
func MapRegion(g carrier.Region) int64 { return 0 }

// Write copies n bytes from an address of the libos's own, or of the archive, to
// the program's, which lies in regions of BackZero or BackCopy, whatever their
// protection.
func Write(address, from, n uint64) capability.Error { return capability.ErrMemory }

// Mmap is mmap; kind and offset say what backs the region, which the caller
// found out from the file descriptor: BackZero, BackArchive or BackCopy.
func Mmap(address, length uint64, prot uint32, flags uint64, kind uint32, offset uint64) int64 {
	return 0
}

// Munmap is munmap.
func Munmap(address, length uint64) int64 { return 0 }

// Mprotect is mprotect. No page can be writable and executable: EACCES.
func Mprotect(address, length uint64, prot uint32) int64 { return 0 }

// Madvise is madvise.
func Madvise(address, length, advice uint64) int64 { return 0 }

// Mincore is mincore.
func Mincore(address, length, vector uint64) int64 { return 0 }

// SetBreak says where the program's break begins.
func SetBreak(address uint64) {}

// Brk is brk: it returns the break, which has moved if that was possible.
func Brk(to uint64) int64 { return 0 }

// MapFrame maps size bytes of the Frame or DeviceFrame at a reference, from an
// offset on, at an address, or anywhere if that is 0; prot is linux.PROT_…. It
// returns the address or a negated error number: EINVAL, EACCES, EEXIST, ENOMEM.
func MapFrame(address uint64, source capability.Reference, offset, size uint64, prot uint32) int64 {
	return 0
}

// Slot takes an empty slot of the CSpace. Its error is ErrMemory or one of Supply.
func Slot() (capability.Reference, capability.Error) { return 0, capability.ErrMemory }

// FreeSlot gives back a slot from Slot, which must be empty. ErrReference if it
// is none, ErrOccupied if it is not empty.
func FreeSlot(slot capability.Reference) capability.Error { return capability.ErrReference }

// CNode takes a whole empty L2 CNode, for good: it returns the reference of level
// one of the slot that holds it.
func CNode() (capability.Reference, capability.Error) { return 0, capability.ErrMemory }

// RAM takes RAM of size bytes, a power of two of at least a page, out of what
// the domain holds, into a slot from Slot.
func RAM(size uint64, slot capability.Reference) capability.Error { return capability.ErrMemory }

// GiveRAM takes the RAM in a slot from Slot as memory of the domain. It needs
// rights Grant, Retype and Revoke; everything made of it is deleted if it was
// taken by RAM. The slot is the space's from then on.
func GiveRAM(slot capability.Reference) capability.Error { return capability.ErrMemory }

// Memory describes what the domain holds.
func Memory(m *abi.Memory) {}

// Resident returns how many pages of the program are mapped, and the most that
// have been.
func Resident() (pages, peak uint64) { return 0, 0 }
