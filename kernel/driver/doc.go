// Package driver is the CPU driver proper: the dispatch loop, what it does on
// each event, and the native calls.
//
// Only the kernel's main package imports it. It is ordinary Go, single-
// threaded and never preempted: interrupts are off while it runs, each event is
// handled to its end in bounded time, and nothing is allocated for one. What it
// must keep for users lies in the KCB and in objects reachable from it; its own
// variables can be made anew from those.
package driver
