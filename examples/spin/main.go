// Spin prints a line and then computes for ever. Each of its goroutines is a
// loop without a call, so it can be stopped only from outside.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	fmt.Println("spinning: stop me from outside")
	for range runtime.GOMAXPROCS(0) {
		go spin()
	}
	spin()
}

func spin() {
	for n := uint64(1); ; {
		n = n*6364136223846793005 + 1442695040888963407
	}
}
