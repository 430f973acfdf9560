package main

import (
	"sync/atomic"

	"skerry/lib/pause"
	"skerry/lib/urpc"
)

// queue is a lock that cores wait for in a queue, each at a line of its own (Mellor-Crummey
// and Scott, 1991): however many wait, each is told once.
type queue struct {
	last  atomic.Uint32 // the last who waits, a core's number plus 1; 0: the lock is free
	_     [2*urpc.SlotSize - 4]byte
	cores []waiter
}

// waiter is where a core waits.
type waiter struct {
	waits atomic.Uint32 // 1: until who is before it is done
	next  atomic.Uint32 // who is behind it, as in last; 0: nobody yet
	_     [2*urpc.SlotSize - 8]byte
}

func newQueue(n int) *queue { return &queue{cores: make([]waiter, n)} }

func (q *queue) lock(core int) {
	own := &q.cores[core]
	own.next.Store(0)
	own.waits.Store(1)
	before := q.last.Swap(uint32(core + 1))
	if before == 0 {
		return
	}
	q.cores[before-1].next.Store(uint32(core + 1))
	for own.waits.Load() != 0 {
		pause.Times(1)
	}
}

func (q *queue) unlock(core int) {
	own := &q.cores[core]
	if own.next.Load() == 0 {
		if q.last.CompareAndSwap(uint32(core+1), 0) {
			return
		}
		for own.next.Load() == 0 {
			pause.Times(1)
		}
	}
	q.cores[own.next.Load()-1].waits.Store(0)
}
