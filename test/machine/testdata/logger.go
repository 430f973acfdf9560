// Logger writes lines to the kernel's log as fast as it can: logger NAME LINES.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"skerry/lib/native"
)

func main() {
	lines, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	for i := range lines {
		if err := native.Log(fmt.Sprintf("%s %d %s end", os.Args[1], i, strings.Repeat("x", i%120))); err != nil {
			panic(err)
		}
	}
}
