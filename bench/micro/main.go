// Micro measures what system calls and runtime operations cost an ordinary Go
// program. It runs unmodified on Skerry and on Linux; package measure says what
// it prints. Every row is bounded in time.
//
//	micro [-count] [-time D] [NAME ...]
package main

import (
	"os"

	"skerry/bench/measure"
)

func main() {
	if !measure.Run(rows) {
		os.Exit(1)
	}
}
