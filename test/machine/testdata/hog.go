// Hog computes for two seconds of its own counting, in loops without calls.
package main

import "time"

var sink uint64

func main() {
	n := uint64(1)
	for start := time.Now(); time.Since(start) < 2*time.Second; {
		for range 1 << 22 {
			n = n*6364136223846793005 + 1442695040888963407
		}
	}
	sink = n
}
