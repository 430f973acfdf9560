// Package thread gives Go programs threads as POSIX describes them: each is a thread
// of the operating system, with a priority, that can be joined, detached and
// cancelled, and there are mutexes, condition variables, semaphores, read-write
// locks, barriers and thread-local data to go with them. What bears a name of POSIX's
// behaves as POSIX says, and errors are POSIX's: those of package syscall.
//
// Programs written for Skerry use it, where threads are the libos's: it switches
// between them by priority, wakes those of the highest priority first, and moves
// them over all the cores that the program was given. On Linux the package works too.
// Programs that only want concurrency have goroutines, which are cheaper.
//
// A thread is a goroutine that is bound to its OS thread for life. Whatever blocks
// here blocks that thread, by Linux's futex call; nothing spins. Go code runs on a
// thread only while it holds one of GOMAXPROCS processors, and a thread that blocks
// here may keep its own for some 20 µs and more, until Go's scheduler takes it
// away. So a program whose threads are to be scheduled by priority, or that blocks often, wants as many
// processors as it has threads that can run at a time: SetConcurrency.
//
// # Blocking and cancellation
//
// What may block says so. Deadlines are absolute; one with a monotonic clock
// reading (time.Now().Add(d)) is kept on that clock. A deadline that has passed
// fails with ETIMEDOUT only where the call would block.
//
// Cancellation points are Join, Sleep, TestCancel, the waits of Cond and those of
// Semaphore, as far as the caller is a Thread: there, and nowhere else, a thread
// that was cancelled ends. See Thread.Cancel.
//
// All of it may be called by any number of threads and goroutines at the same time,
// but where said otherwise. Objects must not be copied after their first use; the
// zero values of Mutex, Cond, RWLock, Semaphore and Once are ready for use.
package thread
