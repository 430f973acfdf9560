// Attack tries to break out of user mode or to bring down the kernel, one way
// per case. It is for tests: beside it runs a victim that must not notice.
//
//	attack list          prints the cases, one a line: name and description
//	attack CASE [ARG]    runs one
//
// A case ends in one of four ways: the program dies by a signal or a Go panic
// that names one; it prints "attack CASE: refused: ERROR" and exits with 0; it
// prints "attack CASE: harmless: ..." and exits with 0, when what it did has no
// effect on others; or it prints "attack CASE: BREACH: ..." and exits with
// 99, when it got what no program may have.
//
// It runs on Linux too, where the addresses of Skerry's layout are just
// unmapped and nothing answers native calls.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

// breachCode is the exit code of a case that succeeded.
const breachCode = 99

// attack is one case. Its function returns only if the program survived, and
// then says how: breach reports success and does not return.
type attack struct {
	name string
	what string
	run  func(argument string) (outcome, error)
}

// outcome says in words why what was done is harmless.
type outcome string

func main() {
	cases := slices.Concat(memoryAttacks, instructionAttacks, stateAttacks, callAttacks,
		referenceAttacks, objectAttacks, messageAttacks, vitalAttacks)
	name, argument := "list", ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	if name == "list" {
		for _, c := range cases {
			fmt.Printf("%-20s %s\n", c.name, c.what)
		}
		return
	}
	i := slices.IndexFunc(cases, func(c attack) bool { return c.name == name })
	if i < 0 {
		fmt.Fprintf(os.Stderr, "attack: no case %q; \"attack list\" names them\n", name)
		os.Exit(2)
	}
	fmt.Printf("attack %s: trying to %s\n", name, cases[i].what)
	got, err := cases[i].run(argument)
	if err != nil {
		fmt.Printf("attack %s: refused: %v\n", name, err)
		return
	}
	fmt.Printf("attack %s: harmless: %s\n", name, got)
}

// breach reports that something was let through, and ends the program.
func breach(format string, arguments ...any) {
	fmt.Printf("attack %s: BREACH: %s\n", os.Args[1], fmt.Sprintf(format, arguments...))
	os.Exit(breachCode)
}

// faults runs f and returns the fault it ended with, nil if it came back.
func faults(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%s", strings.TrimPrefix(fmt.Sprint(fault), "runtime error: "))
		}
	}()
	f()
	return nil
}
