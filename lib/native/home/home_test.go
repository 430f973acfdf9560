package home

import (
	"sync"
	"testing"

	"skerry/abi"
)

// TestCall has many goroutines make calls at once. On a host each fails.
func TestCall(t *testing.T) {
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			for range 20 {
				if err, _ := Call(abi.CallNop, 1, 2, 3, 4, 5, 6); err == 0 {
					t.Error("a native call succeeded on a host")
				}
			}
		})
	}
	group.Wait()
}
