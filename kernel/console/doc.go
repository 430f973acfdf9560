// Package console carries the kernels' own lines to the one serial console,
// and what each kernel says of its state to the others.
//
// The owner core, core 0, has the port. Every other core puts its lines into
// its outbox, a declared channel that only it writes, and the owner takes them
// from there, so lines never mix. Everything here is freestanding: the Go
// runtime's own messages, a panic's stack among them, come this way.
//
// The CPU driver, its start, and the carrier of its runtime import it; it knows
// none of them. It must never wait for another core: a line that finds its
// outbox full is dropped and counted.
package console
