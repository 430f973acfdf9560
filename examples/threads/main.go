// Threads shows what package thread gives to programs written for Skerry: threads as
// POSIX has them, scheduled by priority. It checks each result and exits with 1 if
// one is wrong. Given names of its parts it does these only.
//
// It runs on Linux too, where what takes a privilege is left out.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"skerry/lib/thread"
)

// parts are what the program can show.
var parts = []struct {
	name string
	show func() (string, error)
}{
	{"join", join},
	{"mutex", mutex},
	{"condition", condition},
	{"semaphore", semaphore},
	{"rwlock", rwlock},
	{"barrier", barrier},
	{"keys", keys},
	{"cancel", cancel},
	{"priority", priority},
	{"preemption", preemption},
	{"yield", yield},
}

func main() {
	// As many as any part has, and this one, can run at a time.
	thread.SetConcurrency(8)
	if _, _, err := thread.Attach(); err != nil {
		fmt.Fprintln(os.Stderr, "threads:", err)
		os.Exit(1)
	}
	for _, part := range parts {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], part.name) {
			continue
		}
		text, err := part.show()
		if errors.Is(err, syscall.EPERM) {
			text, err = "not for us here: "+err.Error(), nil
		}
		if err != nil {
			fmt.Printf("%-10s FAILED: %v\n", part.name, err)
			os.Exit(1)
		}
		fmt.Printf("%-10s %s\n", part.name, text)
	}
}

// gang runs n threads, numbered from 0, and joins them.
func gang(n int, run func(i int)) error {
	var threads []*thread.Thread
	for i := range n {
		t, err := thread.Create(func() any { run(i); return nil }, nil)
		if err != nil {
			return err
		}
		threads = append(threads, t)
	}
	for _, t := range threads {
		if _, err := t.Join(); err != nil {
			return err
		}
	}
	return nil
}
