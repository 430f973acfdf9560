// Thread measures what package thread costs native programs. It runs unmodified on
// Skerry and on Linux, on one core; package measure says what it prints.
//
//	thread [-count] [-time D] [NAME ...]
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
