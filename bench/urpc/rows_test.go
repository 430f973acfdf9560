package main

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

const testDepth = 8

// TestMain is the other process if it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		if err := serve(0, 1, testDepth); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRows has both ends do each row a few times, between which the shared memory is made
// fresh: none waits for ever, and none leaves a message behind for the next.
func TestRows(t *testing.T) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil || !set.IsSet(0) || !set.IsSet(1) {
		t.Skipf("needs processors 0 and 1: %v", err)
	}
	runtime.GOMAXPROCS(3) // as main does
	p, err := start(0, 1, testDepth)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.UnlockOSThread()
	defer p.stop()
	for _, r := range rows {
		for _, n := range []int{1, 3*testDepth + 1} {
			if _, err := p.run(&r, n); err != nil {
				t.Fatal(err)
			}
		}
	}
}
