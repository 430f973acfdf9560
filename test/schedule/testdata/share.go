// Share computes from one time of the machine's clock to another, in ms since its
// boot, and prints how much processor time it had meanwhile, in us.
//
//	share FROM TO
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/lib/native"
)

func main() {
	from, to := at(os.Args[1]), at(os.Args[2])
	if time.Now().After(from) {
		fail("it is too late already")
	}
	time.Sleep(time.Until(from))
	before := cpu()
	for time.Now().Before(to) {
	}
	fmt.Println((cpu() - before).Microseconds())
}

// at returns when so many ms since the boot are over.
func at(ms string) time.Time {
	n, err := strconv.Atoi(ms)
	if err != nil {
		fail(err)
	}
	var since syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&since)), 0)
	return time.Now().Add(time.Duration(n)*time.Millisecond - time.Duration(since.Nano()))
}

// cpu returns how long the program has run.
func cpu() time.Duration {
	page := (*abi.Dispatcher)(unsafe.Add(unsafe.Pointer(nil), uintptr(abi.DispatcherBase)))
	info, ok, err := native.Dispatcher(uint64(page.Domain))
	if err != nil || !ok || info.Domain != page.Domain {
		fail("it cannot inspect its dispatcher:", err)
	}
	return time.Duration(info.CPU)
}

func fail(why ...any) {
	fmt.Fprintln(os.Stderr, append([]any{"share:"}, why...)...)
	os.Exit(1)
}
