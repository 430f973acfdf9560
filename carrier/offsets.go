package carrier

import "unsafe"

// Offsets for assembly that switches between two threads of level 0 by itself.
// In Threads: the address of the table, and the indices of the current thread and of
// the first and the last that are ready at level 0.
const (
	ThreadsBase    = unsafe.Offsetof(Threads{}.base)
	ThreadsCurrent = unsafe.Offsetof(Threads{}.current)
	ThreadsFirst   = unsafe.Offsetof(Threads{}.ready) + unsafe.Offsetof(queue{}.head)
	ThreadsLast    = unsafe.Offsetof(Threads{}.ready) + unsafe.Offsetof(queue{}.tail)
)

// In Thread: its state, its neighbours in the queue, and its manner, a word of
// which the lowest byte is Resume and the others are 0 for a thread that is
// scheduled as threads are at first.
const (
	ThreadState    = unsafe.Offsetof(Thread{}.state)
	ThreadNext     = unsafe.Offsetof(Thread{}.next)
	ThreadPrevious = unsafe.Offsetof(Thread{}.prev)
	ThreadManner   = unsafe.Offsetof(Thread{}.Resume)
)

// The fields of the manner follow each other.
const (
	_ = -(unsafe.Offsetof(Thread{}.level) - ThreadManner - 1)
	_ = -(unsafe.Offsetof(Thread{}.Nice) - ThreadManner - 2)
	_ = -(unsafe.Offsetof(Thread{}.Policy) - ThreadManner - 3)
	_ = -(ThreadManner % 4)
)
