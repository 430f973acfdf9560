package main

import (
	"os"
	"syscall"
)

// accessCases are about system calls that are handed memory which the program
// could not reach itself, or has not touched yet.
var accessCases = []memoryCase{
	{"access-write-into-untouched", func() string { return words(name(uname(area(2))), system(base)) }},
	{"access-write-across-pages", func() string {
		area(2)
		return words(name(uname(base+page-8)), system(base+page-8))
	}},
	{"access-write-into-read-only", func() string {
		lettered(1)
		protect(base, page, read)
		return words(name(uname(base)), look(base, 1))
	}},
	{"access-write-into-none", func() string {
		lettered(1)
		protect(base, page, none)
		return name(uname(base))
	}},
	{"access-write-into-nothing", func() string { return name(uname(base)) }},
	{"access-write-into-a-hole", func() string {
		lettered(2)
		unmap(base+page, page)
		return name(uname(base + page - 8))
	}},
	{"access-write-after-dontneed", func() string {
		lettered(1)
		advise(base, page, 4)
		return words(name(uname(base)), system(base))
	}},
	{"access-write-into-huge", func() string {
		hugeArea(2 * huge)
		return words(name(uname(base+huge-8)), system(base+huge-8))
	}},
	{"access-read-from-untouched", func() string {
		area(1)
		return piped(base, 3)
	}},
	{"access-read-from-read-only", func() string {
		lettered(1)
		protect(base, page, read)
		return piped(base, 1)
	}},
	{"access-read-from-none", func() string {
		lettered(1)
		protect(base, page, none)
		return piped(base, 1)
	}},
	{"access-read-from-nothing", func() string { return piped(base, 1) }},
	{"access-file-into-untouched", func() string {
		return withFile(func(f *os.File) string {
			area(2)
			n, _, errno := syscall.RawSyscall(syscall.SYS_READ, f.Fd(), base+page-2, 4)
			return words(name(errno), string(rune('0'+n)), start(base+page-2))
		})
	}},
	{"access-file-into-read-only", func() string {
		return withFile(func(f *os.File) string {
			lettered(1)
			protect(base, page, read)
			return words(name(call(syscall.SYS_READ, f.Fd(), base, 4)), look(base, 1))
		})
	}},
}

// uname has the system write its name to an address.
func uname(at uintptr) syscall.Errno { return call(syscall.SYS_UNAME, at, 0, 0) }

// system says whether uname has written something that begins with a letter,
// as the names of all systems do.
func system(at uintptr) string {
	if c := get(at); c >= 'A' && c <= 'Z' {
		return "written"
	}
	return "not written"
}

// piped writes n bytes at an address to a pipe and says what comes out.
func piped(at, n uintptr) string {
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		return err.Error()
	}
	defer syscall.Close(pipe[0])
	defer syscall.Close(pipe[1])
	if errno := call(syscall.SYS_WRITE, uintptr(pipe[1]), at, n); errno != 0 {
		return name(errno)
	}
	came := make([]byte, n)
	syscall.Read(pipe[0], came)
	for i := range came {
		if came[i] == 0 {
			came[i] = '.'
		}
	}
	return "ok " + string(came)
}
