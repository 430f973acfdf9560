package main

import (
	"runtime"
	"testing"
)

// TestFixed does a few updates in each way on two cores; all must have been done.
func TestFixed(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs two processors")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for way, updater := range updaters {
		if each, err := fixed(updater(3, 2), 2, 10); err != nil || each <= 0 {
			t.Errorf("%s: %v ns, %v", way, each, err)
		}
	}
}
