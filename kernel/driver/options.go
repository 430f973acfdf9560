package driver

import (
	"strconv"
	"strings"
	"syscall"

	"skerry/kernel/carry"
)

// options are what the boot command line can ask of a CPU driver:
//
//	panic=CORE:CALLS   for tests: end core CORE's kernel by a nil dereference
//	                   after that many native calls
//	trap=CORE:CALLS    likewise, by an index out of range in freestanding code
type options struct {
	panicCore  int
	panicAfter uint64 // 0: never
	trap       bool
}

// parseOptions reads the command line. Words it does not know are others'.
func parseOptions(line string) options {
	o := options{panicCore: -1}
	for word := range strings.FieldsSeq(line) {
		kind, v, _ := strings.Cut(word, "=")
		if kind == "panic" || kind == "trap" {
			core, calls, _ := strings.Cut(v, ":")
			c, err1 := strconv.Atoi(core)
			n, err2 := strconv.ParseUint(calls, 10, 64)
			if err1 == nil && err2 == nil {
				o.panicCore, o.panicAfter, o.trap = c, n, kind == "trap"
			}
		}
	}
	return o
}

// maybePanic ends the kernel if the command line asked for it and it is time.
func (d *Driver) maybePanic() {
	if d.options.panicCore == int(d.k.Machine.Core) && d.k.Counters.NativeCalls >= d.options.panicAfter {
		carry.Expect("panic asked for on the command line")
		if d.options.trap {
			syscall.RawSyscall(syscall.SYS_WRITE, 9, 0, 0)
		}
		var nothing *Driver
		nothing.changed = true
	}
}
