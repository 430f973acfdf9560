// Crash ends in the way its argument names. It shows what each kind of end
// looks like from outside, and tests hold that on Skerry it looks as on Linux.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// ends maps each argument to the way of ending; all but exit take no argument
// of their own.
var ends = map[string]func(argument string){
	"nil":      func(string) { fmt.Println(*pointer) },
	"index":    func(string) { fmt.Println(os.Args[len(os.Args)+zero]) },
	"divide":   func(string) { fmt.Println(1 / zero) },
	"panic":    func(string) { panic(errors.New("asked to panic")) },
	"deadlock": func(string) { select {} },
	"unlock":   func(string) { new(sync.Mutex).Unlock() },
	"stack":    func(string) { debug.SetMaxStack(16 << 20); fmt.Println(deeper(1)) },
	"memory":   func(string) { exhaust() },
	"exit":     exit,
	"kill":     kill,
}

// What the compiler must not see through.
var (
	pointer *int
	zero    int
	held    [][]byte
)

func main() {
	if len(os.Args) < 2 || ends[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: crash nil|index|divide|panic|deadlock|unlock|stack|memory|exit CODE|kill SIGNAL")
		os.Exit(2)
	}
	fmt.Println("about to end by", os.Args[1:])
	ends[os.Args[1]](slices.Concat(os.Args[2:], []string{""})[0])
	fmt.Println("still here")
}

// deeper recurses until the goroutine's stack reaches the runtime's limit.
func deeper(n int) int {
	var frame [128]int
	frame[n%len(frame)] = deeper(n + 1)
	return frame[(n+1)%len(frame)]
}

// exhaust touches memory until there is no more.
func exhaust() {
	debug.SetGCPercent(-1)
	for {
		block := make([]byte, 16<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		held = append(held, block)
	}
}

// exit ends the program with a given exit code.
func exit(argument string) {
	code, err := strconv.Atoi(argument)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash exit:", err)
		code = 2
	}
	os.Exit(code)
}

// kill sends the program a signal of a given number.
func kill(argument string) {
	number, err := strconv.Atoi(argument)
	if err == nil {
		err = syscall.Kill(syscall.Getpid(), syscall.Signal(number))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash kill:", err)
		os.Exit(2)
	}
	select {}
}
