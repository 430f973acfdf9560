// Hello prints a line and exits with the code its argument names, 0 without
// one. It is an ordinary Go program: nothing in it knows where it runs.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	fmt.Println("hello from an ordinary Go program")
	if len(os.Args) < 2 {
		return
	}
	code, err := strconv.Atoi(os.Args[1])
	if err != nil || code < 0 || code > 255 {
		fmt.Fprintf(os.Stderr, "hello: %q is not an exit code: give a number from 0 to 255\n", os.Args[1])
		os.Exit(2)
	}
	os.Exit(code)
}
