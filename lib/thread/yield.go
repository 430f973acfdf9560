package thread

import (
	"runtime"
	"syscall"

	"skerry/lib/native/vdso"
)

// yieldFunction is the address of Skerry's function that yields, 0 elsewhere.
var yieldFunction = vdso.Symbol(vdso.Yield)

// Yield lets other threads of the caller's priority run before it goes on, those that
// hold a processor of Go's scheduler; if there are none, it lets other goroutines run.
// On Skerry it neither enters the kernel nor, between two threads that both yield and
// have no fixed priority, anything else that takes more than some 60 instructions.
func Yield() {
	if yieldFunction == 0 {
		syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	} else if vdso.Call(yieldFunction) == 0 {
		return
	}
	runtime.Gosched()
}
