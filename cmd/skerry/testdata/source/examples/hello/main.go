// Command hello stands in for the real one in tests of the command line.
package main

func main() { println("never run") }
