// Package carry carries the CPU driver's own Go runtime: it serves the Linux
// calls that the runtime makes from ring 0, pages its heap, and turns faults of
// kernel code into Go panics with a stack.
//
// The start of the kernel sets it up; the driver and the kernel's main import
// it for the time, its figures, and to end the kernel; nothing else may. Most
// of it is freestanding: it runs on stacks of its own, below the runtime that
// it serves, and must never call into it. It serves one runtime with
// cooperative threads: a thread gives way only inside a call.
package carry
