package main

import (
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"
	"unsafe"

	"skerry/abi/linux"
)

const (
	// base is where the cases map memory: aligned to 1 GiB, and far from where
	// any system puts what is mapped anywhere, but below the 2 TiB that a program on
	// several cores may map. room bytes from there are theirs.
	base = 0x0100_0000_0000
	room = 128 << 30

	page = 4 << 10
	huge = 2 << 20
	top  = 1 << 47 // of the addresses of programs on amd64, and a page more
)

// Protections and flags that most cases use.
const (
	none      = linux.PROT_NONE
	read      = linux.PROT_READ
	write     = linux.PROT_WRITE
	execute   = linux.PROT_EXEC
	anonymous = linux.MAP_PRIVATE | linux.MAP_ANONYMOUS
	fixed     = anonymous | linux.MAP_FIXED
)

// setupError ends a case that cannot make what it is about.
type setupError string

// mmap maps size bytes of zeroed memory at an address, or near it, as flags say.
func mmap(at, size uintptr, protection, flags int) (uintptr, syscall.Errno) {
	return mmapFile(at, size, protection, flags, -1, 0)
}

func mmapFile(at, size uintptr, protection, flags, descriptor int, offset uintptr) (uintptr, syscall.Errno) {
	got, _, errno := syscall.RawSyscall6(syscall.SYS_MMAP, at, size, uintptr(protection), uintptr(flags), uintptr(descriptor), offset)
	return got, errno
}

func unmap(at, size uintptr) syscall.Errno { return call(syscall.SYS_MUNMAP, at, size, 0) }

func protect(at, size uintptr, protection int) syscall.Errno {
	return call(syscall.SYS_MPROTECT, at, size, uintptr(protection))
}

func advise(at, size uintptr, advice int) syscall.Errno {
	return call(syscall.SYS_MADVISE, at, size, uintptr(advice))
}

func call(number, a, b, c uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(number, a, b, c)
	return errno
}

// area maps n writable pages at base.
func area(n uintptr) uintptr { return areaAt(base, n) }

func areaAt(at, n uintptr) uintptr {
	got, errno := mmap(at, n*page, read|write, fixed)
	if errno != 0 {
		panic(setupError("mmap: " + name(errno)))
	}
	return got
}

// lettered maps n writable pages at base and fills them: see letters.
func lettered(n uintptr) uintptr { return letters(area(n), n) }

// letters writes A to the first and last byte of the first of n pages, B to
// those of the second, and so on.
func letters(at, n uintptr) uintptr {
	for i := range n {
		put(at+i*page, 'A'+byte(i%26))
		put(at+i*page+page-1, 'A'+byte(i%26))
	}
	return at
}

// look returns a character for each of n pages: what stands there as its first
// and last byte; . for zero; ? if they differ; ! if they cannot be read.
func look(at, n uintptr) string {
	var text strings.Builder
	for i := range n {
		var first, last byte
		switch {
		case faults(func() { first, last = get(at+i*page), get(at+i*page+page-1) }) != nil:
			text.WriteByte('!')
		case first != last:
			text.WriteByte('?')
		case first == 0:
			text.WriteByte('.')
		default:
			text.WriteByte(first)
		}
	}
	return text.String()
}

// try writes to each of n pages and returns a character for each: w if that
// was possible, ! if not.
func try(at, n uintptr) string {
	var text strings.Builder
	for i := range n {
		if faults(func() { put(at+i*page, 'w'); put(at+i*page+page-1, 'w') }) != nil {
			text.WriteByte('!')
		} else {
			text.WriteByte('w')
		}
	}
	return text.String()
}

// fault is an access that the system refused.
type fault struct{ address uintptr }

// faults runs f and returns the fault that ended it, nil if none did.
func faults(f func()) (found *fault) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if failure := recover(); failure != nil {
			found = &fault{}
			if f, ok := failure.(interface{ Addr() uintptr }); ok {
				found.address = f.Addr()
			}
		}
	}()
	f()
	return nil
}

// get and put reach memory that the compiler knows nothing of.
//
//go:noinline
func get(at uintptr) byte { return *(*byte)(unsafe.Pointer(at)) }

//go:noinline
func put(at uintptr, value byte) { *(*byte)(unsafe.Pointer(at)) = value }

// ret is the machine code of RET.
const ret = 0xc3

// enter calls the code at an address and says whether it came back.
func enter(at uintptr) string {
	// A func value points to where its code's address stands.
	code := &at
	if faults(func() { (*(*func())(unsafe.Pointer(&code)))() }) != nil {
		return "fault"
	}
	return "returned"
}

// names are those of the errors that memory calls return.
var names = map[syscall.Errno]string{
	0: "ok", syscall.EPERM: "EPERM", syscall.EBADF: "EBADF", syscall.EAGAIN: "EAGAIN", syscall.ENOMEM: "ENOMEM",
	syscall.EACCES: "EACCES", syscall.EFAULT: "EFAULT", syscall.EBUSY: "EBUSY", syscall.EEXIST: "EEXIST",
	syscall.ENODEV: "ENODEV", syscall.EINVAL: "EINVAL", syscall.ENOSYS: "ENOSYS", syscall.EOVERFLOW: "EOVERFLOW",
	syscall.EOPNOTSUPP: "EOPNOTSUPP", syscall.ENXIO: "ENXIO", syscall.EINTR: "EINTR", syscall.EPIPE: "EPIPE",
}

// name returns an error's name, "ok" if there is none.
func name(errno syscall.Errno) string {
	if text, ok := names[errno]; ok {
		return text
	}
	return fmt.Sprintf("error %d", int(errno))
}

// words joins what a case found out.
func words(parts ...string) string { return strings.Join(parts, " ") }
