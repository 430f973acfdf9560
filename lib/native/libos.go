package native

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
)

// libos makes a call that the libos serves.
func libos(what string, call uintptr, a, b, c, d, e uintptr) (uintptr, error) {
	value, _, errno := syscall.RawSyscall6(call, a, b, c, d, e, 0)
	if errno != 0 {
		return 0, fmt.Errorf("%s: %w", what, errno)
	}
	return value, nil
}

// Slot takes an empty slot of the program's CSpace.
func Slot() (capability.Reference, error) {
	r, err := libos("take a slot", abi.LibosSlot, 0, 0, 0, 0, 0)
	return capability.Reference(r), err
}

// FreeSlot gives back a slot from Slot. It must be empty.
func FreeSlot(r capability.Reference) error {
	_, err := libos("give a slot back", abi.LibosFreeSlot, uintptr(r), 0, 0, 0, 0)
	return err
}

// CNode takes an empty L2 CNode, all of whose slots but 0 are the caller's for
// good. The reference, of level one, is to the CNode itself; those to its slots
// are MakeReference(r.L1(), slot).
func CNode() (capability.Reference, error) {
	r, err := libos("take a CNode", abi.LibosCNode, 0, 0, 0, 0, 0)
	return capability.Reference(r), err
}

// Map maps bytes from offset on of the Frame or DeviceFrame in a slot, at an
// address of the libos's choice, as prot says (abi.Prot…). Offset and bytes are
// multiples of abi.PageSize. The capability must stay where it is until Unmap. Map fails
// with capability.ErrEmpty if there is none, as where it has been revoked or withdrawn.
func Map(frame capability.Reference, offset, bytes uint64, prot int) (uintptr, error) {
	const what = "map a frame"
	at, err := libos(what, abi.LibosMap, 0, uintptr(frame), uintptr(offset), uintptr(bytes), uintptr(prot))
	if errors.Is(err, syscall.ENOENT) {
		err = fmt.Errorf("%s: %w", what, capability.ErrEmpty)
	}
	return at, err
}

// Unmap ends the mapping of bytes at an address from Map.
func Unmap(at uintptr, bytes uint64) error {
	_, err := libos("unmap", syscall.SYS_MUNMAP, at, uintptr(bytes), 0, 0, 0)
	return err
}

// Yield lets other dispatchers of the core run, and other threads of the program.
// What is left of the program's turn goes to the dispatcher behind an endpoint or a
// doorbell, with right Send; to nobody if that cannot run. 0: to whoever is next.
func Yield(to capability.Reference) error {
	_, err := libos("yield", abi.LibosYield, uintptr(to), 0, 0, 0, 0)
	return err
}

// RAM takes bytes of RAM, a power of two that is at least abi.PageSize, out of
// what the domain holds, and puts the capability into an empty slot from Slot.
func RAM(bytes uint64, slot capability.Reference) error {
	_, err := libos("take RAM", abi.LibosRAM, uintptr(bytes), uintptr(slot), 0, 0, 0)
	return err
}

// GiveRAM gives the RAM in a slot from Slot to the libos, to use as any. It
// needs rights Grant, Retype and Revoke. The slot is the libos's from then on.
func GiveRAM(slot capability.Reference) error {
	_, err := libos("give RAM", abi.LibosGiveRAM, uintptr(slot), 0, 0, 0, 0)
	return err
}

// Memory says what memory the program's domain holds.
func Memory() (abi.Memory, error) {
	var m abi.Memory
	// The conversion stands in the call itself: only there does m stay put.
	if _, _, errno := syscall.RawSyscall(abi.LibosMemory, uintptr(unsafe.Pointer(&m)), 0, 0); errno != 0 {
		return abi.Memory{}, fmt.Errorf("memory: %w", errno)
	}
	return m, nil
}
