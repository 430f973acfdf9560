// Package boot takes a core from the image's entry stub (or, on every core but
// the first, from a real-mode trampoline) to the Go runtime, and on the first
// core finds the others, divides the memory, and starts them.
//
// Only the kernel's main package imports it. Before the runtime runs it is
// freestanding. When Start has returned, nothing of it is used again but KCB,
// and this core's kernel maps nothing that its core does not own but the
// declared channels and, read-only, the libos's file.
package boot
