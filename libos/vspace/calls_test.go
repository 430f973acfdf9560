package vspace

import (
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
)

const low = testBase // of the tables of cases

// pages are so many pages in bytes.
func pages(n uint64) uint64 { return n * pageSize }

// TestMmapCases has what mmap(2) and what the kernel's sources say of arguments.
func TestMmapCases(t *testing.T) {
	newMachine(t, 1<<20)
	const all, none = linux.PROT_READ | linux.PROT_WRITE | linux.PROT_EXEC, linux.PROT_NONE
	const fixed, noReplace = private | linux.MAP_FIXED, private | linux.MAP_FIXED_NOREPLACE
	for _, test := range []struct {
		what            string
		address, length uint64
		prot            uint32
		flags           uint64
		want            int64
	}{
		{"nothing", low, 0, readWrite, fixed, -linux.EINVAL},
		{"length that wraps", 0, ^uint64(0), readWrite, private, -linux.ENOMEM},
		{"more than there is", 0, abi.ProgramTop, readWrite, private, -linux.ENOMEM},
		{"write and execute", low, 1, all, fixed, -linux.EACCES},
		{"neither private nor shared", low, 1, readWrite, linux.MAP_ANONYMOUS | linux.MAP_FIXED, -linux.EINVAL},
		{"unknown kind", low, 1, readWrite, 4 | linux.MAP_ANONYMOUS | linux.MAP_FIXED, -linux.EINVAL},
		{"fixed, not a page", low + 1, 1, readWrite, fixed, -linux.EINVAL},
		{"fixed, null page", 0, pages(1), readWrite, fixed, -linux.EPERM},
		{"fixed, too low", 0xf000, pages(1), readWrite, fixed, -linux.EPERM},
		{"fixed, beyond the end", abi.ProgramTop, pages(1), readWrite, fixed, -linux.ENOMEM},
		{"fixed, over the end", abi.ProgramTop - pages(1), pages(2), readWrite, fixed, -linux.ENOMEM},
		{"fixed, protection bits that mean nothing", low, pages(4), readWrite | 0x40, fixed, low},
		{"a byte is a page", low + pages(4), 1, none, fixed, low + int64(pages(4))},
		{"over what is there", low + pages(2), pages(4), readWrite, fixed, low + int64(pages(2))},
		{"not over what is there", low + pages(5), pages(4), readWrite, noReplace, -linux.EEXIST},
		{"not over what is there, beside it", low + pages(6), pages(4), readWrite, noReplace, low + int64(pages(6))},
		{"a free hint", low + pages(100) + 5, pages(1), readWrite, private, low + int64(pages(100))},
		{"a hint that is taken", low, pages(1), readWrite, private, abi.ProgramTop - int64(pages(1))},
		{"below 2 GiB", 0, pages(3), readWrite, private | linux.MAP_32BIT, 1<<31 - int64(pages(3))},
		{"below 2 GiB, more than there is", 0, 1 << 31, readWrite, private | linux.MAP_32BIT, -linux.ENOMEM},
		{"shared", low + pages(200), pages(1), readWrite, linux.MAP_SHARED | linux.MAP_ANONYMOUS | linux.MAP_FIXED, low + int64(pages(200))},
		{"shared, to be validated", low + pages(201), pages(1), readWrite, linux.MAP_SHARED_VALIDATE | linux.MAP_ANONYMOUS | linux.MAP_FIXED, -linux.EINVAL},
	} {
		if got := Mmap(test.address, test.length, test.prot, test.flags, BackZero, 0); got != test.want {
			t.Errorf("%s: %#x, want %#x", test.what, got, test.want)
		}
	}
	if got := Mmap(low, pages(1), linux.PROT_READ, fixed, BackArchive, 5); got != -linux.EINVAL {
		t.Errorf("offset that is not a page's: %d", got)
	}
}

// TestCallCases has what the other calls say of arguments.
func TestCallCases(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.mmap(low, 4, readWrite)
	m.mmap(low+pages(6), 2, linux.PROT_READ)
	m.write(low, 1)
	vector := low + pages(1)
	for i, test := range []struct{ got, want int64 }{
		{Munmap(low+1, 1), -linux.EINVAL},
		{Munmap(low, 0), -linux.EINVAL},
		{Munmap(low, ^uint64(0)), -linux.EINVAL},
		{Munmap(abi.ProgramTop, pages(1)), -linux.EINVAL},
		{Munmap(low+pages(20), pages(1)), 0},
		{Munmap(0, pages(1)), 0},
		{Mprotect(low+1, 1, 0), -linux.EINVAL},
		{Mprotect(low, 0, readWrite), 0},
		{Mprotect(low, ^uint64(0), 0), -linux.ENOMEM},
		{Mprotect(low, pages(1), 8), -linux.EINVAL},
		{Mprotect(low, pages(1), protBoth), -linux.EACCES},
		{Mprotect(0, pages(1), 0), -linux.ENOMEM},
		{Mprotect(low+pages(20), pages(1), 0), -linux.ENOMEM},
		{Mprotect(low, pages(5), readWrite), -linux.ENOMEM},
		{Madvise(low+1, 1, linux.MADV_DONTNEED), -linux.EINVAL},
		{Madvise(low, pages(1), 77), -linux.EINVAL},
		{Madvise(low, 0, 77), -linux.EINVAL},
		{Madvise(low, 0, linux.MADV_DONTNEED), 0},
		{Madvise(low, ^uint64(0), linux.MADV_DONTNEED), -linux.EINVAL},
		{Madvise(low, pages(1), linux.MADV_WILLNEED), 0},
		{Madvise(low+pages(20), pages(1), linux.MADV_WILLNEED), -linux.ENOMEM},
		{Madvise(low+pages(3), pages(2), linux.MADV_POPULATE_READ), -linux.ENOMEM},
		{Madvise(low+pages(6), pages(2), linux.MADV_POPULATE_WRITE), -linux.EINVAL},
		{Madvise(low+pages(6), pages(2), linux.MADV_POPULATE_READ), 0},
		{Mincore(low+1, 1, vector), -linux.EINVAL},
		{Mincore(low, ^uint64(0), vector), -linux.ENOMEM},
		{Mincore(low, pages(5), vector), -linux.ENOMEM},
		{Mincore(low, pages(4), 8), -linux.EFAULT},
		{Mincore(low, pages(4), low+pages(6)), -linux.EFAULT},
		{Mincore(low, pages(4), vector), 0},
	} {
		if test.got != test.want {
			t.Errorf("case %d: %d, want %d", i, test.got, test.want)
		}
	}
	if got := m.read(vector); got != 1|1<<8|1<<16|1<<24 { // all near the vector's own page
		t.Errorf("mincore says %#x", got)
	}
	// A hole does not keep advice from the rest.
	if e := Madvise(low, pages(8), linux.MADV_DONTNEED); e != -linux.ENOMEM || m.read(low) != 0 {
		t.Errorf("DONTNEED over a hole: %d, then %d", e, m.read(low))
	}
	m.check()
}

func TestBreak(t *testing.T) {
	m := newMachine(t, 1<<20)
	SetBreak(low + 100)
	m.mmap(low+pages(100), 1, readWrite)
	for i, test := range []struct{ to, want uint64 }{
		{0, low + 100}, {low + 99, low + 100}, {low + 200, low + 200}, {low + pages(3) + 1, low + pages(3) + 1},
		{low + pages(101), low + pages(3) + 1}, {abi.UserTop, low + pages(3) + 1}, {low + pages(1), low + pages(1)},
	} {
		if got := Brk(test.to); got != int64(test.want) {
			t.Errorf("case %d: %#x, want %#x", i, got, test.want)
		}
		if i == 3 {
			m.write(low+pages(2), 7)
		}
	}
	if code, _ := m.access(low+pages(2), linux.PROT_READ); code != linux.SEGV_MAPERR {
		t.Errorf("above the break: %d", code)
	}
	Brk(low + pages(4))
	if m.read(low+pages(2)) != 0 {
		t.Error("what the break gave up holds what it held")
	}
	m.check()
}

// TestShared: shared memory keeps what it holds when pages are not needed, and
// cannot be freed lazily.
func TestShared(t *testing.T) {
	m := newMachine(t, 1<<20)
	Mmap(low, pages(2), readWrite, linux.MAP_SHARED|linux.MAP_ANONYMOUS|linux.MAP_FIXED, BackZero, 0)
	m.write(low, 3)
	if e := Madvise(low, pages(2), linux.MADV_DONTNEED); e != 0 || m.read(low) != 3 {
		t.Errorf("DONTNEED: %d, then %d", e, m.read(low))
	}
	if e := Madvise(low, pages(2), linux.MADV_FREE); e != -linux.EINVAL {
		t.Errorf("FREE: %d", e)
	}
}

func TestUsable(t *testing.T) {
	m := newMachine(t, 1<<20)
	m.mmap(low, 3, readWrite)
	m.mmap(low+pages(3), 1, linux.PROT_READ)
	m.mmap(low+pages(4), 1, linux.PROT_NONE)
	for _, test := range []struct {
		address, n uint64
		want       uint32
		code       int32
	}{
		{8, 0, readWrite, 0},
		{low, pages(3), readWrite, 0},
		{low + 1, pages(3), readWrite, linux.SEGV_ACCERR},
		{low + 1, pages(3), linux.PROT_READ, 0},
		{low + 1, pages(4), linux.PROT_READ, linux.SEGV_ACCERR},
		{low + pages(5), 1, linux.PROT_READ, linux.SEGV_MAPERR},
		{low - 1, 2, linux.PROT_READ, linux.SEGV_MAPERR},
		{abi.ProgramTop, 1, linux.PROT_READ, linux.SEGV_MAPERR},
		{abi.ProgramTop - 1, 2, linux.PROT_READ, linux.SEGV_MAPERR},
		{low, ^uint64(0), linux.PROT_READ, linux.SEGV_MAPERR},
	} {
		if code, err := Usable(test.address, test.n, test.want); code != test.code || err != capability.OK {
			t.Errorf("%#x+%#x: %d, %v; want %d", test.address, test.n, code, err, test.code)
		}
	}
	clear(bytesAt(low, pages(3))) // it is there
	m.refuse = 0
	for { // take all memory
		if _, err := Usable(m.mmap(0, 8, readWrite), pages(8), readWrite); err != capability.OK {
			break
		}
	}
	a := m.mmap(0, 1, readWrite)
	if code, err := Usable(a, 1, readWrite); code != 0 || err != capability.ErrQuota {
		t.Errorf("without memory: %d, %v", code, err)
	}
	m.check()
}

// TestWrite writes as the loader does.
func TestWrite(t *testing.T) {
	m := newMachine(t, 1<<20)
	source := [...]uint64{1, 2, 3, 4}
	from := uint64(addressOf(&source))
	m.mmap(low, 1, linux.PROT_READ)
	m.mmap(low+pages(1), 1, linux.PROT_READ|linux.PROT_EXEC)
	Mmap(low+pages(2), pages(1), readWrite, linux.MAP_PRIVATE|linux.MAP_FIXED, BackCopy, pages(3))
	Mmap(low+pages(3), pages(1), linux.PROT_READ, linux.MAP_PRIVATE|linux.MAP_FIXED, BackArchive, pages(3))
	for _, a := range []uint64{low + pages(1) - 16, low + pages(2) - 16} {
		if err := Write(a, from, 32); err != capability.OK {
			t.Fatal(err)
		}
		for i, want := range source {
			if got := m.read(a + uint64(i)*8); got != want {
				t.Errorf("word %d at %#x: %d", i, a, got)
			}
		}
	}
	if m.read(low+pages(2)+pageSize-8) != archiveWord(3) {
		t.Error("the rest of a copied page is not the archive's")
	}
	if code, _ := m.access(low, linux.PROT_WRITE); code != linux.SEGV_ACCERR {
		t.Error("left writable")
	}
	if e, _ := m.walk(low + pages(1)); e&writeEntry != 0 || e&executeEntry == 0 {
		t.Errorf("left as %#x", e)
	}
	if err := Write(low+pages(3)-8, from, 16); err != capability.ErrFault {
		t.Errorf("into the archive's own page: %v", err)
	}
	if err := Write(low+pages(4), from, 8); err != capability.ErrFault {
		t.Errorf("into nothing: %v", err)
	}
	m.check()
}
