// Stuck breaks the rule that a dispatcher which has disabled upcalls must get on: it
// disables them from the program, and then computes for ever, or faults. On Skerry it
// is ended, and its core goes on; on Linux it dies of the first step.
//
//	stuck         computes for ever
//	stuck fault   touches memory that is not there
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"skerry/abi"
)

func main() {
	fault := len(os.Args) > 1 && os.Args[1] == "fault"
	fmt.Println("disabling upcalls")
	runtime.LockOSThread()
	page := (*abi.Dispatcher)(unsafe.Add(unsafe.Pointer(nil), uintptr(abi.DispatcherBase)))
	atomic.StoreUint32(&page.Disabled, 1)
	if fault {
		page = nil
		page.Self = 0
	}
	for n := uint64(1); ; {
		n = n*6364136223846793005 + 1442695040888963407
	}
}
