package main

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const testDepth = 8

// peerVariable is set in the environment of the other process to its processor.
const peerVariable = "URPC_TEST_PEER"

// TestMain is the other process if it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		there := 0
		if os.Getenv(peerVariable) == "1" {
			there = 1
		}
		if err := serve(0, there, testDepth); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRows has both ends do each row a few times, between which the shared memory is made
// fresh: none waits for ever, and none leaves a message behind for the next.
func TestRows(t *testing.T) {
	try(t, 1, rows)
}

// TestRowsTogether does the same on one processor, but for rows in which somebody polls.
func TestRowsTogether(t *testing.T) {
	var some []row
	for _, r := range rows {
		by, _, _ := strings.Cut(r.name, "_")
		if by != "raw" && by != "spin" && by != "poll" && (by != "urpc" || strings.HasPrefix(r.name, "urpc_futex")) {
			some = append(some, r)
		}
	}
	try(t, 0, some)
}

// try does rows with the ends on processor 0 and another one.
func try(t *testing.T, there int, rows []row) {
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil || !before.IsSet(0) || !before.IsSet(there) {
		t.Skipf("needs processors 0 and %d: %v", there, err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3)) // as main does
	t.Setenv(peerVariable, map[int]string{0: "0", 1: "1"}[there])
	p, err := start(0, there, testDepth)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	for _, r := range rows {
		for _, n := range []int{1, 3*testDepth + 1} {
			if _, err := p.run(&r, n); err != nil {
				t.Fatal(err)
			}
		}
	}
}
