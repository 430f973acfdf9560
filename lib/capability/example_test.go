package capability_test

import (
	"errors"
	"fmt"
	"log"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
)

// The examples run on Skerry alone. More of each, with all that can go wrong, is
// in examples/capabilities.

// must ends the program at an error.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// slot takes an empty slot.
func slot() capability.Reference {
	r, err := native.Slot()
	must(err)
	return r
}

// home returns the CNode that a slot lies in, which fills and empties it.
func home(slot capability.Reference) typed.L2CNode {
	return typed.L2CNode(capability.LevelOneReference(slot.L1()))
}

// finish repeats what the CPU driver does step by step until it is done.
func finish(do func() error) error {
	for {
		err := do()
		if !errors.Is(err, capability.ErrPending) && !errors.Is(err, capability.ErrRevoking) && !errors.Is(err, capability.ErrNotReady) {
			return err
		}
	}
}

// What a slot holds, its type and range and rights, can be asked of any
// capability.
func ExampleFrame_Identify() {
	d, err := typed.Frame(capability.Base(capability.SlotArchive)).Identify()
	must(err)
	fmt.Printf("%v of %d bytes, rights %v\n", d.Type, d.Size, d.Rights)
}

// Everything is made of RAM, which the libos gives out. A Frame is zeroed, which
// takes time if it is large: until it is ready it can only be asked whether it
// is.
func ExampleL2CNode_Retype() {
	const size = 1 << 20
	ram, frame := slot(), slot()
	must(native.RAM(size, ram))
	err := home(frame).Retype(frame.Slot(), 1, ram, capability.Frame, 0, size)
	if errors.Is(err, capability.ErrPending) {
		err = finish(typed.Frame(frame).Nop)
	}
	must(err)

	at, err := native.Map(frame, 0, size, abi.ProtRead|abi.ProtWrite)
	must(err)
	memory := unsafe.Slice((*byte)(unsafe.Pointer(at)), size)
	memory[0] = 1
	must(native.Unmap(at, size))

	// With the RAM all goes that was made of it.
	must(native.GiveRAM(ram))
	must(native.FreeSlot(frame))
}

// A copy may have fewer rights. This one can be mapped to be read, and it cannot
// be copied further.
func ExampleL2CNode_Mint() {
	readable := slot()
	must(home(readable).Mint(readable.Slot(), capability.Base(capability.SlotArchive), capability.RightRead))
	must(finish(func() error { return home(readable).Delete(readable.Slot()) }))
	must(native.FreeSlot(readable))
}

// Revoke deletes all other copies of a capability, and what was made of them, in
// this CSpace and in others.
func ExampleL2CNode_Revoke() {
	ram, copied := slot(), slot()
	must(native.RAM(abi.PageSize, ram))
	must(home(copied).Copy(copied.Slot(), ram))
	must(finish(func() error { return home(ram).Revoke(ram.Slot()) }))
	if err := typed.RAM(copied).Nop(); errors.Is(err, capability.ErrEmpty) {
		fmt.Println("the copy is gone")
	}
}

// A program can build a part of its address space itself. Pages of 2 MiB are
// entries of a table of level 2; the libos has no use for the top table's entry
// 200.
func ExamplePageTable2_Map() {
	const entry, address, size = 200, 200 << 39, 2 << 20
	object := func(t capability.Type, size uint64) capability.Reference {
		ram, made := slot(), slot()
		must(native.RAM(size, ram))
		err := home(made).Retype(made.Slot(), 1, ram, t, 0, size)
		if errors.Is(err, capability.ErrPending) {
			err = finish(typed.RAM(made).Nop) // of any type the invocation is the same
		}
		must(err)
		return made
	}
	table3, table2, frame := object(capability.PageTable3, abi.PageSize), object(capability.PageTable2, abi.PageSize), object(capability.Frame, size)
	must(typed.PageTable4(capability.Base(capability.SlotVSpace)).Map(entry, 1, table3, slot(), 0, 0))
	must(typed.PageTable3(table3).Map(0, 1, table2, slot(), 0, 0))

	mapping := slot()
	must(typed.PageTable2(table2).Map(0, 1, frame, mapping, 0, abi.ProtRead|abi.ProtWrite))
	*(*byte)(unsafe.Pointer(uintptr(address))) = 1
	must(typed.Mapping(mapping).Protect(0, 1, abi.ProtRead, address))
	must(typed.Mapping(mapping).Unmap(0, 1, address))
}

// A program that was given devices routes an interrupt line to a vector, and the
// vector to its dispatcher, which is then rung. The line stays silent after each
// interrupt until it is acknowledged. This waits until the dispatcher has been rung
// 10 times; line 8 is in the largest range of lines that the machine has.
func ExampleIRQSource_Connect() {
	sources, err := typed.IRQSource(capability.Base(capability.SlotIRQSource)).Identify()
	must(err)
	line, vector := slot(), slot()
	must(home(line).Retype(line.Slot(), 1, capability.Base(capability.SlotIRQSource), capability.IRQSource, 8-sources.Base, 1))
	must(home(vector).Retype(vector.Slot(), 1, capability.Base(capability.SlotIRQDestination), capability.IRQDestination, 0, 1))

	bell, err := native.OpenDoorbell()
	must(err)
	must(typed.IRQDestination(vector).Bind(capability.Base(capability.SlotEndpoint)))
	must(typed.IRQSource(line).Connect(vector))
	for range 10 {
		_, err := bell.Wait()
		must(err)
		must(typed.IRQSource(line).Acknowledge())
		// Now the device is asked what it wants, and lets its line go. Before, its
		// next interrupt might be lost, since this line is edge-triggered.
	}
	// With its last capability the line is disconnected.
	must(finish(func() error { return home(line).Delete(line.Slot()) }))
}
