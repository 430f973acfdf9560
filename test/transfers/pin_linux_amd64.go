package transfers

import _ "unsafe" // for the name below

// Pin keeps the calling goroutine on its thread for ever; see pin.
func Pin() { pin() }

// pin keeps the calling goroutine on its thread, unlike runtime.LockOSThread also
// when the Go runtime would have it make way for others, which it does with whoever takes
// long, as who is traced does.
//
//go:linkname pin runtime.procPin
func pin() int
