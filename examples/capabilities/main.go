// Capabilities shows what a native program can do with capabilities: it takes
// RAM and makes frames and page tables of it, maps them, gives rights away,
// revokes, and meets the errors on the way. Each line says what it did and what
// came of it. It runs on Skerry alone.
//
//	capabilities [PART ...]
//
// The parts are ram, frame, rights, revoke, slots and tables; all of these, in
// this order, if none is named. By name alone there are device, ports and
// interrupt, for which it must be given devices, and giant, which takes 2 GiB of
// memory.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"skerry/abi/capability"
)

var parts = []struct {
	name   string
	show   func() error
	always bool // also if no part is named
}{
	{"ram", showRAM, true},
	{"frame", showFrame, true},
	{"rights", showRights, true},
	{"revoke", showRevoke, true},
	{"slots", showSlots, true},
	{"tables", showTables, true},
	{"device", showDevice, false},
	{"ports", showPorts, false},
	{"interrupt", showInterrupt, false},
	{"giant", showGiant, false},
}

func main() {
	debug.SetPanicOnFault(true) // a fault at any address can be recovered from
	for _, p := range parts {
		if named := os.Args[1:]; !slices.Contains(named, p.name) && !(p.always && len(named) == 0) {
			continue
		}
		fmt.Println(p.name)
		if err := p.show(); err != nil {
			fmt.Fprintf(os.Stderr, "capabilities: %s: %v\n", p.name, err)
			os.Exit(1)
		}
	}
}

// say prints one line about what was done.
func say(format string, a ...any) { fmt.Printf("  "+format+"\n", a...) }

// refused prints what was tried and by which error it was refused. It is an
// error if it was not.
func refused(what string, err error) error {
	var e capability.Error
	switch {
	case err == nil:
		return fmt.Errorf("%s: was allowed", what)
	case errors.As(err, &e):
		say("%s: %s, %s", what, e.Name(), e)
	default:
		say("%s: %v", what, err)
	}
	return nil
}

// rights names rights.
func rights(r capability.Rights) string {
	var names []string
	for i, name := range []string{"Read", "Write", "Execute", "Grant", "Retype", "Revoke", "Control", "Send"} {
		if r>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// sink takes what is read only to see whether it can be.
var sink byte

// faults reports whether an access causes a page fault that the libos cannot
// serve. To a Go program that is a panic.
func faults(access func()) (fault bool) {
	defer func() { fault = recover() != nil }()
	access()
	return false
}
