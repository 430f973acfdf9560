// Command libos stands in for the libos in tests of the command line.
package main

func entry()

func main() { entry() }
