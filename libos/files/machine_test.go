package files

import (
	"bytes"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi/archive"
	"skerry/abi/linux"
	writer "skerry/host/archive"
)

// machine is a Files with an archive and some memory for calls to use.
// failer is what a machine needs of a test.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

type machine struct {
	*Files
	t     failer
	arena []byte
	used  int
	wakes []Key   // what was woken by the last call
	base  uintptr // of the archive
	size  uint64
}

// newMachine makes a Files over an archive of files.
func newMachine(t testing.TB, files []writer.File) *machine {
	t.Helper()
	var b bytes.Buffer
	if _, err := writer.Write(&b, files); err != nil {
		t.Fatal(err)
	}
	image := mapped(t, b.Len())
	copy(image, b.Bytes())
	m := &machine{
		Files: At(address(mapped(t, int(Size)))), t: t, arena: mapped(t, 1<<22),
		base: address(image), size: uint64(len(image)),
	}
	if err := m.Init(m.base, m.size); err != archive.OK {
		t.Fatal(err)
	}
	return m
}

// mapped returns zeroed memory that the garbage collector does not know.
func mapped(t testing.TB, size int) []byte {
	size = (size + pageSize - 1) &^ (pageSize - 1)
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(b) })
	return b
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// reset forgets all that was put into the arena.
func (m *machine) reset() { m.used = 0 }

// room returns n bytes of the arena and their address.
func (m *machine) room(n int) ([]byte, uint64) {
	b := m.arena[m.used : m.used+n]
	m.used += (n + 15) &^ 15
	return b, uint64(address(b))
}

// path puts a NUL-terminated path into the arena.
func (m *machine) path(s string) uint64 {
	b, at := m.room(len(s) + 1)
	copy(b, s)
	b[len(s)] = 0
	return at
}

// call makes a call.
func call(number int, args ...uint64) *Call {
	c := &Call{Number: uint64(number)}
	copy(c.Args[:], args)
	return c
}

// do executes a call and collects the wakes.
func (m *machine) do(c *Call) Result {
	r, ok := m.Do(c)
	if !ok {
		m.t.Fatalf("call %d is not the file layer's", c.Number)
	}
	m.collect()
	return r
}

func (m *machine) collect() {
	m.wakes = m.wakes[:0]
	for k := m.NextWake(); k != NoKey; k = m.NextWake() {
		m.wakes = append(m.wakes, k)
	}
}

// woken says whether the last call woke k.
func (m *machine) woken(k Key) bool {
	for _, w := range m.wakes {
		if w == k {
			return true
		}
	}
	return false
}

// sys makes a call that does not block.
func (m *machine) sys(number int, args ...uint64) int64 {
	m.t.Helper()
	r := m.do(call(number, args...))
	if r.Wait != NoKey {
		m.t.Fatalf("call %d %#x would block", number, args)
	}
	return r.Value
}

// host makes a call to the kernel the test runs on.
func host(number int, args ...uint64) int64 {
	var a [6]uintptr
	for i, v := range args {
		a[i] = uintptr(v)
	}
	v, _, errno := syscall.Syscall6(uintptr(number), a[0], a[1], a[2], a[3], a[4], a[5])
	runtime.KeepAlive(args)
	if errno != 0 {
		return -int64(errno)
	}
	return int64(v)
}

// at is a negative int as an argument.
func at(fd int) uint64 { return uint64(int64(fd)) }

var cwdFD = at(linux.AT_FDCWD)

// pointerOf is the address of a Files.
func pointerOf(f *Files) unsafe.Pointer { return unsafe.Pointer(f) }

// offsetOfBuffers is where the buffers of a Files begin.
const offsetOfBuffers = unsafe.Offsetof(Files{}.maps)
