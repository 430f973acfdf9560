package main

// strayAddress returns the address of code for a dispatcher without a libos: it
// makes native calls for a while and exits.
func strayAddress() uint64
