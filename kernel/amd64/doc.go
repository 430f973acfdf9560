// Package amd64 is all that the CPU driver knows of an x86-64 processor:
// control registers, descriptors, traps, the way into and out of user mode,
// interrupt controllers, clocks and ports.
//
// Only the kernel imports it. It decides nothing: it holds no policy, keeps no
// list of domains and allocates no memory. Most of it is freestanding, since
// it runs before the Go runtime does and below it.
//
// References are to the Intel 64 and IA-32 Architectures Software Developer's
// Manual ("SDM") by volume and section.
package amd64
