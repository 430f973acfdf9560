package vspace

import (
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
)

// TestInvocations counts what calls cost in invocations, the dear part of them.
func TestInvocations(t *testing.T) {
	m := newMachine(t, 32<<20)
	// Scattered faults: a Map each, a Retype for each chunk, and a CNode now and
	// then.
	const scattered = 1024
	a := m.mmap(low, 16*scattered, readWrite)
	m.write(a, 1)
	m.total()
	for p := uint64(1); p < scattered; p++ {
		m.write(a+pages(16*p), 1)
	}
	maps, retypes := m.calls["Map"], m.calls["Retype"]
	all := m.total()
	const tables = scattered / 32
	if maps > scattered+tables+2 || retypes > scattered/8+tables+6 || all > maps+retypes {
		t.Errorf("%d faults: %d Map, %d Retype, %d in all", scattered-1, maps, retypes, all)
	}
	// Those that come near others bring eight pages each, in whatever order they go.
	a = m.mmap(low+pages(20*scattered), 1024, readWrite)
	m.total()
	for p := uint64(0); p < 1024; p += 2 {
		m.write(a+pages(p+1), 1)
		m.write(a+pages(p), 1)
	}
	if all := m.total(); all > 1024/8*2+1024/16+20 {
		t.Errorf("1024 pages from behind by twos: %d invocations", all)
	}
	// Faults that go upwards bring 16 pages each.
	a = m.mmap(low+pages(24*scattered), 1024, readWrite)
	m.total()
	for p := range uint64(1024) {
		m.write(a+pages(p), 1)
	}
	if all := m.total(); all > 1024/8*2+1024/16+20 {
		t.Errorf("1024 pages upwards: %d invocations", all)
	}
	// A page that is mapped, touched and unmapped over and over.
	a = low + pages(28*scattered)
	m.write(m.mmap(a+pages(1), 1, readWrite), 1)
	m.total()
	for range 64 {
		m.write(m.mmap(a, 1, readWrite), 1)
		if e := Munmap(a, pageSize); e != 0 {
			t.Fatal(e)
		}
	}
	if all := m.total(); all > 64*2+64/8*2+2 {
		t.Errorf("64 times a page: %d invocations", all)
	}
	// Unmapping whole mappings: one Unmap each, one Delete for each chunk.
	unmaps := scattered
	m.total()
	if e := Munmap(low, pages(16*scattered)); e != 0 {
		t.Fatal(e)
	}
	if got := m.calls["Unmap"]; got > unmaps {
		t.Errorf("%d Unmap for %d mappings", got, unmaps)
	}
	m.check()
}

// TestSparse unmaps most of the address space, of which little is in use: what
// is not costs nothing.
func TestSparse(t *testing.T) {
	m := newMachine(t, 4<<20)
	if r := Mmap(testBase, 60<<30, readWrite, private|linux.MAP_FIXED, BackZero, 0); r < 0 {
		t.Fatal(r)
	}
	for i := range uint64(60) {
		m.write(testBase+i<<30+i*pageSize, i)
	}
	m.check()
	var before, after abi.Memory
	Memory(&before)
	if e := Madvise(testBase, 60<<30, linux.MADV_DONTNEED); e != 0 {
		t.Fatal(e)
	}
	m.check()
	if e := Munmap(programLow, abi.ProgramTop-programLow); e != 0 {
		t.Fatal(e)
	}
	m.check()
	if Memory(&after); after.Mapped != 0 || after.Tables > before.Tables/4 {
		t.Errorf("%+v, before %+v", after, before)
	}
}

// TestHoles frees every other page of what is mapped, and touches as many
// elsewhere, one by one: they come from the holes.
func TestHoles(t *testing.T) {
	m := newMachine(t, 512<<10)
	const n = 512
	a := m.mmap(low, n, readWrite)
	for p := range uint64(n) {
		m.write(a+pages(p), p+1)
	}
	for p := uint64(0); p < n; p += 2 {
		if e := Madvise(a+pages(p), pageSize, linux.MADV_DONTNEED); e != 0 {
			t.Fatal(e)
		}
	}
	m.check()
	free := space.freePages
	b := m.mmap(low+pages(2*n), n, readWrite)
	m.total()
	for p := uint64(0); p < n/2; p += 2 {
		if v := m.read(b + pages(p)); v != 0 {
			t.Fatalf("new memory reads %d", v)
		}
		m.write(b+pages(p), 1)
	}
	if got := m.calls["Retype"]; got > 4 || space.freePages > free-n/4 {
		t.Errorf("%d Retype, %d free pages, before %d", got, space.freePages, free)
	}
	for p := uint64(1); p < n; p += 2 {
		if v := m.read(a + pages(p)); v != p+1 {
			t.Fatalf("page %d reads %d", p, v)
		}
	}
	m.check()
}

// noKernel lets invocations do nothing, at once.
func noKernel(word, a, b, c, d, e uint64) (uint64, capability.Error) { return 0, capability.OK }

var noKernelFunc = noKernel

// BenchmarkFault is a demand-zero fault without what the CPU driver does.
func BenchmarkFault(b *testing.B) {
	m := newMachine(b, 60<<20)
	const n = 4 << 10
	a := m.mmap(low, 2*n, readWrite)
	m.write(a, 1)
	kept := space.kernel
	space.kernel = *(*uintptr)(unsafe.Pointer(&noKernelFunc))
	m.refuse = 0
	b.ResetTimer()
	for i := range uint64(b.N) {
		p := i % n
		if code, err := Fault(a+(2*p+1)*pageSize, linux.PROT_WRITE); code != 0 || err != capability.OK {
			b.Fatal(code, err)
		}
		if p == n-1 {
			b.StopTimer()
			Munmap(a, 2*n*pageSize)
			m.mmap(low, 2*n, readWrite)
			b.StartTimer()
		}
	}
	b.StopTimer()
	Munmap(a, 2*n*pageSize)
	space.kernel = kept
}
