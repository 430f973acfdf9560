// Package simulate runs the protocols of the monitors (package protocol) on cores
// that do not exist, with all that can go wrong, and finds out whether what must
// hold holds.
//
// A run is decided by one number, its seed: how many cores there are, how messages
// go (between any two, or all through core 0), what programs do and when, which of
// the messages on their way comes next, when a core stops and how much of what it
// had sent comes through. After each step the System says whether something is
// broken; at the end everything that is on its way arrives, and it says whether
// anybody still waits. Run returns a Failure with a short trace, made by leaving
// steps out as long as it still fails.
//
//	go test ./simulate                           # some thousand seeds of each protocol
//	go test ./simulate -run TestTransfer -seed 7 # one of them again, with its trace
//	go test ./simulate -long                     # 300,000 seeds
//
// Each step draws from a source of its own, so that the others do the same, as far
// as they can, when it is left out.
//
// Tests import it. Nothing in it may depend on a clock, on goroutines or on the
// order of a map.
package simulate
