// Package acpi reads what a kernel must know from the firmware's tables: the
// processors, their memory and distances, interrupt controllers, the timer,
// and how to switch the machine off (ACPI specification 6.4).
//
// The CPU driver's start imports it. It reads physical memory only through the
// function it is given, so it runs on a host too, and it believes no length it
// has not checked: a broken table is reported or left out, never followed.
package acpi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Reader returns n bytes of physical memory, or nil if it has none there.
type Reader func(phys uint64, n int) []byte

// CPU is a processor that can be started.
type CPU struct {
	APIC uint32 // local interrupt controller number
	Node uint32 // proximity domain, 0 without SRAT
}

// Memory is a range of memory with its node.
type Memory struct {
	Base, Size uint64
	Node       uint32
}

// IOAPIC is an I/O interrupt controller.
type IOAPIC struct {
	Base uint64
	GSI  uint32 // first global system interrupt
}

// Override says that a legacy interrupt arrives elsewhere.
type Override struct {
	Source     uint8
	GSI        uint32
	Level, Low bool
}

// Tables is what the firmware told.
type Tables struct {
	CPUs      []CPU
	Memory    []Memory
	Distance  [][]uint8 // SLIT, by node; nil without
	IOAPICs   []IOAPIC
	Overrides []Override
	PMTimer   uint16 // I/O port, 0 if none
	// PowerOff: write SleepType<<10|1<<13 to the port.
	PM1a, SleepType uint16
	CanPowerOff     bool
	// ResetPort and ResetValue reset the machine if ResetPort is not 0.
	ResetPort  uint16
	ResetValue uint8

	nodeOf map[uint32]uint32 // by APIC, from SRAT, which may precede MADT
}

// maxTable bounds a table's length.
const maxTable = 1 << 20

// Parse follows the root pointer at physical address rsdp.
func Parse(read Reader, rsdp uint64) (*Tables, error) {
	p := read(rsdp, 36)
	if len(p) < 36 || string(p[:8]) != "RSD PTR " {
		return nil, fmt.Errorf("acpi: no root pointer at %#x", rsdp)
	}
	root, width := uint64(binary.LittleEndian.Uint32(p[16:])), 4
	if x := binary.LittleEndian.Uint64(p[24:]); p[15] >= 2 && x != 0 {
		root, width = x, 8
	}
	r, err := table(read, root)
	if err != nil {
		return nil, err
	}
	t := &Tables{}
	var dsdt uint64
	for b := r[36:]; len(b) >= width; b = b[width:] {
		at := uint64(binary.LittleEndian.Uint32(b))
		if width == 8 {
			at = binary.LittleEndian.Uint64(b)
		}
		s, err := table(read, at)
		if err != nil {
			continue
		}
		switch string(s[:4]) {
		case "APIC":
			t.madt(s)
		case "SRAT":
			t.srat(s)
		case "SLIT":
			t.slit(s)
		case "FACP":
			dsdt = t.fadt(s)
		}
	}
	if len(t.CPUs) == 0 {
		return nil, errors.New("acpi: no processors listed")
	}
	for i := range t.CPUs {
		t.CPUs[i].Node = t.nodeOf[t.CPUs[i].APIC]
	}
	if s, err := table(read, dsdt); err == nil {
		t.sleepType(s)
	}
	return t, nil
}

// table returns a whole table after checking its length and sum.
func table(read Reader, at uint64) ([]byte, error) {
	h := read(at, 36)
	if len(h) < 36 {
		return nil, fmt.Errorf("acpi: no table at %#x", at)
	}
	n := binary.LittleEndian.Uint32(h[4:])
	if n < 36 || n > maxTable {
		return nil, fmt.Errorf("acpi: table %q at %#x has length %d", h[:4], at, n)
	}
	b := read(at, int(n))
	if len(b) < int(n) {
		return nil, fmt.Errorf("acpi: table %q at %#x is cut off", h[:4], at)
	}
	sum := byte(0)
	for _, c := range b {
		sum += c
	}
	if sum != 0 {
		return nil, fmt.Errorf("acpi: table %q at %#x has a bad checksum", h[:4], at)
	}
	return b, nil
}

// entries calls f for each length-prefixed record of a table.
func entries(b []byte, f func(kind byte, e []byte)) {
	for len(b) >= 2 && int(b[1]) >= 2 && int(b[1]) <= len(b) {
		f(b[0], b[:b[1]])
		b = b[b[1]:]
	}
}

// madt reads the interrupt controllers (5.2.12).
func (t *Tables) madt(s []byte) {
	if len(s) < 44 {
		return
	}
	entries(s[44:], func(kind byte, e []byte) {
		switch {
		case kind == 0 && len(e) >= 8 && e[4]&1 != 0:
			t.CPUs = append(t.CPUs, CPU{APIC: uint32(e[3])})
		case kind == 9 && len(e) >= 16 && e[8]&1 != 0:
			t.CPUs = append(t.CPUs, CPU{APIC: binary.LittleEndian.Uint32(e[4:])})
		case kind == 1 && len(e) >= 12:
			t.IOAPICs = append(t.IOAPICs, IOAPIC{
				Base: uint64(binary.LittleEndian.Uint32(e[4:])),
				GSI:  binary.LittleEndian.Uint32(e[8:]),
			})
		case kind == 2 && len(e) >= 10:
			flags := binary.LittleEndian.Uint16(e[8:])
			t.Overrides = append(t.Overrides, Override{
				Source: e[3], GSI: binary.LittleEndian.Uint32(e[4:]),
				Low: flags&3 == 3, Level: flags>>2&3 == 3,
			})
		}
	})
}

// srat reads which node processors and memory belong to (5.2.16).
func (t *Tables) srat(s []byte) {
	if len(s) < 48 {
		return
	}
	node := map[uint32]uint32{}
	entries(s[48:], func(kind byte, e []byte) {
		switch {
		case kind == 0 && len(e) >= 16 && e[4]&1 != 0:
			node[uint32(e[3])] = uint32(e[2]) | uint32(e[9])<<8 | uint32(e[10])<<16 | uint32(e[11])<<24
		case kind == 2 && len(e) >= 24 && e[12]&1 != 0:
			node[binary.LittleEndian.Uint32(e[8:])] = binary.LittleEndian.Uint32(e[4:])
		case kind == 1 && len(e) >= 40 && e[28]&1 != 0:
			t.Memory = append(t.Memory, Memory{
				Node: binary.LittleEndian.Uint32(e[2:]),
				Base: binary.LittleEndian.Uint64(e[8:]),
				Size: binary.LittleEndian.Uint64(e[16:]),
			})
		}
	})
	t.nodeOf = node
}

// slit reads the distances between nodes (5.2.17).
func (t *Tables) slit(s []byte) {
	if len(s) < 44 {
		return
	}
	n := binary.LittleEndian.Uint64(s[36:])
	if n == 0 || n > 1024 || uint64(len(s)-44) < n*n {
		return
	}
	for i := range n {
		t.Distance = append(t.Distance, append([]uint8(nil), s[44+i*n:44+(i+1)*n]...))
	}
}

// fadt reads ports (5.2.9) and returns where the DSDT is.
func (t *Tables) fadt(s []byte) (dsdt uint64) {
	if len(s) < 80 {
		return 0
	}
	t.PMTimer = uint16(binary.LittleEndian.Uint32(s[76:]))
	t.PM1a = uint16(binary.LittleEndian.Uint32(s[64:]))
	if len(s) >= 129 && binary.LittleEndian.Uint32(s[112:])>>10&1 == 1 && s[116] == 1 {
		t.ResetPort = uint16(binary.LittleEndian.Uint64(s[120:]))
		t.ResetValue = s[128]
	}
	if len(s) >= 148 {
		if x := binary.LittleEndian.Uint64(s[140:]); x != 0 {
			return x
		}
	}
	return uint64(binary.LittleEndian.Uint32(s[40:]))
}

// sleepType finds the package \_S5 in the DSDT's byte code: the name, a
// package operator, its length and count, then the value for PM1a (7.4.2).
func (t *Tables) sleepType(s []byte) {
	for i := 36; i+16 < len(s); i++ {
		if string(s[i:i+4]) != "_S5_" || s[i+4] != 0x12 {
			continue
		}
		if s[i-1] != 0x08 && !(s[i-1] == '\\' && s[i-2] == 0x08) {
			continue
		}
		j := i + 5
		j += int(s[j]>>6) + 2 // package length, then the count of elements
		if j+1 >= len(s) {
			return
		}
		v := s[j]
		if v == 0x0a { // byte prefix
			v = s[j+1]
		}
		t.SleepType, t.CanPowerOff = uint16(v), t.PM1a != 0
		return
	}
}
