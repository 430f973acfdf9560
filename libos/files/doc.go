// Package files is the file layer of the libos: descriptors, paths, the boot
// archive as a read-only root, devices, /proc/self, pipes, eventfds, epoll and
// poll, with the results and error numbers that Linux gives on a read-only
// file system.
//
// Only the libos imports it, and tests. It is freestanding: it allocates
// nothing, stores no pointers, starts nothing and knows no threads. It must
// never make a kernel call, block, or touch memory of the program that the
// caller has not checked.
//
// # How the libos uses it
//
// All state is one Files value, which lies in Size bytes of zeroed memory that
// the libos gives (At); most of it is buffers that are touched only when used,
// so that it should be backed on demand or as much as is touched. Init sets it
// up, with descriptors 0, 1 and 2 on the stdio channel.
//
// A file call of a thread is a Call. The libos first makes sure that the memory
// that Spans names is mapped, present and writable where it is written; if it
// is not, the call's result is Fault's. Then it executes the call (Do). If the
// Result has a Wait key, the call would block: the libos blocks the thread
// until that key is woken, and then executes the same Call value again, its
// Progress untouched. A wait that has a Timeout and outlives it (counted from
// the first execution), or that a signal interrupts, is ended by setting Stop
// and executing once more: the call then completes. Between the executions the
// libos must check the spans again if the program may have unmapped them.
//
// After Do, Poll, Notify, and every other method that says so, the libos takes
// the keys to wake from NextWake until that returns NoKey, and wakes all
// threads that wait on each. A key is reported only if an execution has
// returned it as Wait since it was last reported.
//
// Some keys are requests rather than queues: see KeyMaps, KeyRandom and KeyLog.
//
// # Stdio
//
// Files owns the program's side of the channel of package lib/stdio. Bytes
// written to descriptors 1 and 2 go straight into its ring (a write of at most
// 4096 bytes whole or not at all), bytes for descriptor 0 are kept in a buffer
// here. After a notification, and before it parks, the libos calls Poll; after
// any call it rings the spawner's doorbell (capability.SlotSupervisor) if
// NeedsDoorbell says so; before it parks it calls Announce, and Withdraw when it runs again.
//
// # The doorbell device
//
// /dev/skerry/doorbell is readable, 8 bytes at a time, when the dispatcher's
// count of notifications exceeds what the descriptor last returned. The libos
// reports the count with Notify.
package files
