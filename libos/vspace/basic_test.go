package vspace

import (
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
)

const (
	readWrite = linux.PROT_READ | linux.PROT_WRITE
	private   = linux.MAP_PRIVATE | linux.MAP_ANONYMOUS
)

// mmap maps anonymous memory, anywhere if address is 0.
func (m *machine) mmap(address, pages uint64, prot uint32) uint64 {
	m.t.Helper()
	flags := uint64(private)
	if address != 0 {
		flags |= linux.MAP_FIXED
	}
	r := Mmap(address, pages*pageSize, prot, flags, BackZero, 0)
	if r < 0 {
		m.t.Fatalf("mmap: %d", r)
	}
	return uint64(r)
}

// write writes a word as the program.
func (m *machine) write(address, value uint64) {
	m.t.Helper()
	if code, err := m.access(address, abi.ProtWrite); code != 0 || err != capability.OK {
		m.t.Fatalf("write to %#x: %d, %v", address, code, err)
	}
	*at[uint64](address) = value
}

// read reads a word as the program.
func (m *machine) read(address uint64) uint64 {
	m.t.Helper()
	if code, err := m.access(address, abi.ProtRead); code != 0 || err != capability.OK {
		m.t.Fatalf("read of %#x: %d, %v", address, code, err)
	}
	return *at[uint64](address)
}

// TestFirst maps, touches and unmaps a page.
func TestFirst(t *testing.T) {
	m := newMachine(t, 4<<20)
	a := m.mmap(0, 1, readWrite)
	if a+pageSize != abi.ProgramTop {
		t.Errorf("mapped at %#x", a)
	}
	if v := m.read(a + 8); v != 0 {
		t.Errorf("new memory reads %#x", v)
	}
	m.write(a+8, 5)
	if v := m.read(a + 8); v != 5 {
		t.Errorf("read %d", v)
	}
	m.check()
	if e := Munmap(a, pageSize); e != 0 {
		t.Error(e)
	}
	if code, _ := m.access(a, linux.PROT_READ); code != linux.SEGV_MAPERR {
		t.Errorf("access to what was unmapped: %d", code)
	}
	m.check()
}
