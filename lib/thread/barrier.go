package thread

import (
	"syscall"
	"time"
)

// Barrier holds threads up until there are a number of them, again and again.
type Barrier struct {
	lock    Mutex
	open    Cond
	size    int
	waiting int
	turn    uint64 // how often it has opened
}

// NewBarrier returns a barrier for a number of threads. It fails with EINVAL if that
// is below 1.
func NewBarrier(threads int) (*Barrier, error) {
	if threads < 1 {
		return nil, syscall.EINVAL
	}
	return &Barrier{size: threads}, nil
}

// Wait blocks until as many threads as the barrier is for wait. It returns true to
// one of them.
func (b *Barrier) Wait() bool {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.waiting++; b.waiting == b.size {
		b.waiting = 0
		b.turn++
		b.open.Broadcast()
		return true
	}
	for turn := b.turn; turn == b.turn; {
		b.open.wait(&b.lock, time.Time{}, nil)
	}
	return false
}
