// Command kernel stands in for the kernel in tests of the command line: it
// links like one and is never run.
package main

import "skerry/kernel/boot"

func main() { boot.Use() }
