package carry

import (
	"unsafe"

	"skerry/kernel/amd64"
	"skerry/kernel/console"
)

// trace logs the words on a private stack that look like return addresses into
// the kernel's text, innermost first. Who reads the log can name them; the
// runtime below which we are cannot be asked.
func trace(sp uint64) {
	end := amd64.PrivateStackEnd(uintptr(sp))
	text := &core.Machine.Segments[0]
	for n := 0; n < 16 && uintptr(sp)+8 <= end; sp += 8 {
		v := *(*uint64)(unsafe.Pointer(uintptr(sp)))
		if v >= text.VA && v < text.VA+text.Size {
			console.Value("  called from ", v)
			console.Flush()
			n++
		}
	}
}

// free says whether a stack pointer lies on one of the stacks on which
// freestanding code runs.
func free(sp uint64) bool { return amd64.PrivateStackEnd(uintptr(sp)) != 0 }
