// Idle prints a line, sleeps for the time its argument names, and prints
// another. What the machine uses meanwhile is what it uses idle.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	if len(os.Args) == 2 {
		if d, err := time.ParseDuration(os.Args[1]); err == nil {
			fmt.Println("idle from here")
			time.Sleep(d)
			fmt.Println("idle until here")
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: idle DURATION")
	os.Exit(2)
}
