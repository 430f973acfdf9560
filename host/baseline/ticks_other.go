//go:build !amd64

package baseline

// ticks returns 0: there is no counter known to be the machine's.
func ticks() uint64 { return 0 }
