package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"skerry/abi/linux"
)

// fileCases are about mappings of a file: this program's own, of which any
// system has at least 64 KiB, and which begins with 0x7f, 'E', 'L', 'F'.
var fileCases = []memoryCase{
	{"file-private", func() string { return onFile(read, linux.MAP_PRIVATE, 0) }},
	{"file-shared", func() string { return onFile(read, linux.MAP_SHARED, 0) }},
	{"file-private-writable", func() string { return onFile(read|write, linux.MAP_PRIVATE, 0) }},
	{"file-shared-writable", func() string { return onFile(read|write, linux.MAP_SHARED, 0) }},
	{"file-execute", func() string { return onFile(read|execute, linux.MAP_PRIVATE, 0) }},
	{"file-write-execute", func() string { return onFile(read|write|execute, linux.MAP_PRIVATE, 0) }},
	{"file-none", func() string { return onFile(none, linux.MAP_PRIVATE, 0) }},
	{"file-offset-unaligned", func() string { return onFile(read, linux.MAP_PRIVATE, 100) }},
	{"file-at-an-offset", func() string {
		return withFile(func(f *os.File) string {
			_, errno := mmapFile(base, 3*page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 2*page)
			return words(name(errno), same(f, 2*page, 3*page))
		})
	}},
	{"file-all-of-it", func() string {
		return withFile(func(f *os.File) string {
			_, errno := mmapFile(base, 16*page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			return words(name(errno), same(f, 0, 16*page))
		})
	}},
	{"file-end-zeroed", func() string {
		return withFile(func(f *os.File) string {
			info, err := f.Stat()
			if err != nil {
				return err.Error()
			}
			size := uintptr(info.Size())
			last := size &^ (page - 1)
			_, errno := mmapFile(base, page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), last)
			if errno != 0 || size == last {
				return name(errno)
			}
			for i := size - last; i < page; i++ {
				if get(base+i) != 0 {
					return "something is behind the end"
				}
			}
			return words(name(errno), same(f, last, size-last))
		})
	}},
	{"file-own-copy", func() string {
		return withFile(func(f *os.File) string {
			mmapFile(base, 2*page, read|write, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			put(base, 'X')
			mmapFile(base+2*page, 2*page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			return words(start(base), start(base+2*page))
		})
	}},
	{"file-dontneed-own-copy", func() string {
		return withFile(func(f *os.File) string {
			mmapFile(base, 2*page, read|write, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			put(base, 'X')
			before := start(base)
			errno := advise(base, page, linux.MADV_DONTNEED)
			return words(before, name(errno), start(base))
		})
	}},
	{"file-made-writable", func() string {
		return withFile(func(f *os.File) string {
			mmapFile(base, 4*page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			before := words(start(base), try(base+page, 1))
			errno := protect(base, 2*page, read|write)
			put(base+1, 'X')
			return words(before, name(errno), start(base), try(base, 4))
		})
	}},
	{"file-shared-made-writable", func() string {
		return withFile(func(f *os.File) string {
			mmapFile(base, page, read, linux.MAP_SHARED|linux.MAP_FIXED, int(f.Fd()), 0)
			return words(name(protect(base, page, read|write)), try(base, 1))
		})
	}},
	{"file-part-unmapped", func() string {
		return withFile(func(f *os.File) string {
			mmapFile(base, 6*page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			unmap(base+page, page)
			areaAt(base+3*page, 1)
			text := fmt.Sprint(faults(func() { get(base + page) }) != nil, get(base+3*page))
			return words(text, same(f, 0, page), sameAt(f, base+4*page, 4*page, 2*page), sameAt(f, base+2*page, 2*page, page))
		})
	}},
	{"file-fixed-over-letters", func() string {
		return withFile(func(f *os.File) string {
			lettered(4)
			_, errno := mmapFile(base+page, page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			return words(name(errno), look(base, 1), start(base+page), look(base+2*page, 2))
		})
	}},
	{"file-closed-after", func() string {
		text := withFile(func(f *os.File) string {
			_, errno := mmapFile(base, page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
			return name(errno)
		})
		return words(text, start(base))
	}},
	{"file-populated", func() string {
		return withFile(func(f *os.File) string {
			_, errno := mmapFile(base, 4*page, read|write, linux.MAP_PRIVATE|linux.MAP_FIXED|linux.MAP_POPULATE, int(f.Fd()), 0)
			return words(name(errno), resident(base, 4), start(base), try(base, 4))
		})
	}},
	{"file-of-a-pipe", func() string {
		var pipe [2]int
		if err := syscall.Pipe(pipe[:]); err != nil {
			return err.Error()
		}
		defer syscall.Close(pipe[0])
		defer syscall.Close(pipe[1])
		return refused(mmapFile(base, page, read, linux.MAP_PRIVATE|linux.MAP_FIXED, pipe[0], 0))
	}},
	{"file-zero-device", func() string {
		f, err := os.OpenFile("/dev/zero", os.O_RDWR, 0)
		if err != nil {
			return err.Error()
		}
		defer f.Close()
		_, errno := mmapFile(base, 2*page, read|write, linux.MAP_PRIVATE|linux.MAP_FIXED, int(f.Fd()), 0)
		return words(name(errno), look(base, 2), try(base, 2))
	}},
}

// withFile opens this program's own file.
func withFile(f func(*os.File) string) string {
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	return f(file)
}

// onFile maps the first two pages of the file and says what can be done.
func onFile(protection, flags int, offset uintptr) string {
	return withFile(func(f *os.File) string {
		_, errno := mmapFile(base, 2*page, protection, flags|linux.MAP_FIXED, int(f.Fd()), offset)
		return words(name(errno), start(base), try(base, 2))
	})
}

// start returns the first four bytes at an address.
func start(at uintptr) string {
	var text strings.Builder
	if faults(func() {
		for i := range uintptr(4) {
			fmt.Fprintf(&text, "%02x", get(at+i))
		}
	}) != nil {
		return "fault"
	}
	return text.String()
}

// same says whether what is mapped at base is the file's from an offset on.
func same(f *os.File, offset, size uintptr) string { return sameAt(f, base, offset, size) }

func sameAt(f *os.File, at, offset, size uintptr) string {
	want := make([]byte, size)
	if _, err := f.ReadAt(want, int64(offset)); err != nil {
		return err.Error()
	}
	for i, b := range want {
		if get(at+uintptr(i)) != b {
			return "different"
		}
	}
	return "same"
}
