// Yield gives all its turns to one of two dispatchers that compute, until a time of
// the machine's clock, in ms since it began. It prints how much processor time that
// one had, and the other, in us.
//
//	yield MS
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
	"skerry/lib/native/bare"
)

// forever is a jump to itself.
var forever = []byte{0xeb, 0xfe}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "yield:", err)
		os.Exit(1)
	}
}

func run() error {
	ms, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	var ds [2]*bare.Dispatcher
	for i := range ds {
		if ds[i], err = bare.New(forever, 256); err != nil {
			return err
		}
	}
	for _, d := range ds {
		if err := d.Run(); err != nil {
			return err
		}
	}
	if err := native.Yield(capability.Base(capability.SlotBase)); err == nil {
		return fmt.Errorf("it gave its turn to a CNode")
	}
	end := time.Now().Add(time.Duration(ms) * time.Millisecond)
	for time.Now().Before(end) {
		if err := native.Yield(ds[0].Endpoint()); err != nil {
			return err
		}
	}
	had, err := times()
	if err != nil {
		return err
	}
	fmt.Println(had[0].Microseconds(), had[1].Microseconds())
	return nil
}

// times returns how long the dispatchers of the program have run, but its own, in the
// order in which they were made.
func times() (had []time.Duration, err error) {
	page := (*abi.Dispatcher)(unsafe.Add(unsafe.Pointer(nil), uintptr(abi.DispatcherBase)))
	for from := uint64(page.Domain); ; {
		info, ok, err := native.Dispatcher(from)
		if err != nil {
			return nil, err
		}
		if !ok || info.Domain != page.Domain {
			return had[1:], nil
		}
		had = append(had, time.Duration(info.CPU))
		from = uint64(info.Domain) | uint64(info.Number+1)<<32
	}
}
