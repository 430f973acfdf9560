// Package console carries the kernels' own lines to the one serial console.
//
// The owner core, core 0, has the port. Every other core puts its lines into
// its outbox, a declared channel that only it writes, and the owner takes them
// from there, so lines never mix. Everything here is freestanding: the Go
// runtime's own messages, a panic's stack among them, come this way.
//
// The CPU driver and the carrier of its runtime import it; it knows neither.
package console
