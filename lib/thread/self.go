package thread

// self returns a number that tells the calling goroutine from all others that live:
// the address of what the runtime keeps about it, of which it says nothing else.
func self() uintptr

// call calls a function that has no arguments and keeps no registers but SP, BP and
// FS base. It must make do with the little stack that assembly finds.
func call(function uintptr) uintptr
