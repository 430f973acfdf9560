// Package boot takes a core from the image's entry stub (or, on every core but
// the first, from a real-mode trampoline) to the Go runtime, and on the first
// core finds the others, divides the memory, and starts them.
//
// Only the kernel's main package imports it. Before the runtime runs it is
// freestanding. When Finish has returned, nothing of it is used again, and this
// core maps nothing that it does not own but the declared channels.
package boot
