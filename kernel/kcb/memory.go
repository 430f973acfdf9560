package kcb

import (
	"skerry/abi"
	"skerry/kernel/memory"
)

// Memory is what a CPU driver knows of the memory of the machine, and how much
// of it is its core's.
type Memory struct {
	// Owned counts the pages of RAM that are this core's: what it was given
	// at its start, less what it has lent, with what it has borrowed.
	Owned uint64
	// Machine counts the pages of RAM that the firmware reported, Shared
	// those of them that belong to no core. On core 0 alone.
	Machine, Shared uint64

	// RAM lists the memory that was divided among the cores, the images of
	// their kernels left out: what one core can borrow of another.
	RAM    [abi.MaxCores + MaxRanges]memory.Extent
	NumRAM uint32

	// Devices lists physical addresses below 4 GiB that are neither RAM nor
	// the firmware's, nor a kernel's own device. On core 0 alone.
	Devices    [MaxDevices]memory.Extent
	NumDevices uint32

	// Distance says, by core, how far the memory of its node is from this
	// core's: 10 is the own node.
	Distance [abi.MaxCores]uint8
}

// Bounds of the lists above. A core's image makes one range of RAM more, the
// firmware's memory map and the nodes make the others.
const (
	MaxRanges  = 128
	MaxDevices = 16
)

// IsRAM reports whether a range lies in one of those listed in RAM.
func (m *Memory) IsRAM(base, size uint64) bool {
	for i := range m.NumRAM {
		e := &m.RAM[i]
		if uint64(e.Base) <= base && base < uint64(e.End) && size <= uint64(e.End)-base {
			return true
		}
	}
	return false
}
