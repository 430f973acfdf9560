// Periodic does a piece of work of about a ms, if it has the core to itself, in every
// 10 ms from one time of the machine's clock on, in ms since its boot. It prints how
// late it was at most, in us after the start of a period, and how many deadlines its
// dispatcher has missed.
//
//	periodic FROM PERIODS
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"skerry/abi"
)

const (
	period = 10 * time.Millisecond
	// work is how many steps of a loop take about a ms in a machine that executes
	// an instruction a ns.
	work = 250_000
)

var result uint64

func main() {
	from, err1 := strconv.Atoi(os.Args[1])
	periods, err2 := strconv.Atoi(os.Args[2])
	var since syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&since)), 0)
	release := time.Now().Add(time.Duration(from)*time.Millisecond - time.Duration(since.Nano()))
	if err1 != nil || err2 != nil || time.Now().After(release) {
		fmt.Fprintln(os.Stderr, "periodic: bad arguments, or too late:", os.Args[1:])
		os.Exit(1)
	}
	debug.SetGCPercent(-1)
	latest := time.Duration(0)
	for range periods {
		time.Sleep(time.Until(release))
		n := result
		for range work {
			n = n*6364136223846793005 + 1442695040888963407
		}
		result = n
		latest = max(latest, time.Since(release))
		release = release.Add(period)
	}
	page := (*abi.Dispatcher)(unsafe.Add(unsafe.Pointer(nil), uintptr(abi.DispatcherBase)))
	fmt.Println(latest.Microseconds(), page.Missed)
}
