package thread

import (
	"math"
	"sync/atomic"
	"syscall"
	"time"
)

// Kind is what a Mutex does when its holder locks it again.
type Kind uint8

// The kinds of mutexes.
const (
	Normal     Kind = iota // it deadlocks
	ErrorCheck             // EDEADLK
	Recursive              // it is locked once more
)

// Mutex is a lock that one thread holds at a time. A holder that ends keeps it.
// Waiting threads get it in no certain order, but those of the highest priority are
// woken first. It does not lend the holder the priority of those that wait.
type Mutex struct {
	// Kind must not change after the first use.
	Kind Kind

	depth uint32         // how often its holder has locked it besides
	state atomic.Uint32  // free, held or contended
	owner atomic.Uintptr // its holder as self has it, 0 if it is free
}

// States of a mutex.
const (
	free      = iota
	held      // and nobody waits
	contended // and somebody may wait
)

// Lock locks m and blocks until it can. It fails with EDEADLK if the caller holds m
// and its kind is ErrorCheck, with EAGAIN if it was locked too often.
func (m *Mutex) Lock() error {
	if me := self(); m.state.CompareAndSwap(free, held) {
		m.owner.Store(me)
		return nil
	}
	return m.LockUntil(time.Time{})
}

// LockUntil is Lock but gives up at a deadline, if that is not zero: ETIMEDOUT.
func (m *Mutex) LockUntil(deadline time.Time) error {
	me := self()
	if m.owner.Load() == me && m.Kind != Normal {
		return m.again()
	}
	return m.acquire(me, deadline)
}

// acquire locks m for a thread that is to be its holder.
func (m *Mutex) acquire(me uintptr, deadline time.Time) error {
	if !m.state.CompareAndSwap(free, held) {
		// Whoever waits cannot know who else does, and leaves the mutex contended.
		for m.state.Swap(contended) != free {
			if err := wait(&m.state, contended, deadline); err != nil {
				return err
			}
		}
	}
	m.owner.Store(me)
	return nil
}

// again locks m once more for its holder.
func (m *Mutex) again() error {
	switch {
	case m.Kind != Recursive:
		return syscall.EDEADLK
	case m.depth == math.MaxUint32:
		return syscall.EAGAIN
	}
	m.depth++
	return nil
}

// TryLock is Lock but never blocks: it fails with EBUSY if m is held by another, or
// by the caller and is not Recursive.
func (m *Mutex) TryLock() error {
	me := self()
	if m.state.CompareAndSwap(free, held) {
		m.owner.Store(me)
		return nil
	}
	if m.Kind == Recursive && m.owner.Load() == me {
		return m.again()
	}
	return syscall.EBUSY
}

// Unlock undoes one Lock. It fails with EPERM if the caller does not hold m.
func (m *Mutex) Unlock() error {
	if !m.mine() {
		return syscall.EPERM
	}
	if m.depth > 0 {
		m.depth--
		return nil
	}
	m.release()
	return nil
}

// mine says whether the caller holds m.
func (m *Mutex) mine() bool { return m.owner.Load() == self() }

// release makes m free.
func (m *Mutex) release() {
	m.owner.Store(0)
	if m.state.Swap(free) == contended {
		wake(&m.state, 1)
	}
}
