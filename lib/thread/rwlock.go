package thread

import (
	"syscall"
	"time"
)

// RWLock is a lock that either one thread holds for writing or any number hold for
// reading. Threads that want to write come before those that want to read, so a
// thread that holds it for reading and locks it again may deadlock.
type RWLock struct {
	lock     Mutex
	readers  int     // that hold it
	writers  int     // that wait
	writer   uintptr // that holds it, as self has it, or 0
	mayRead  Cond
	mayWrite Cond
}

// RLock locks l for reading and blocks until it can. It fails with EDEADLK if the
// caller holds l for writing.
func (l *RWLock) RLock() error { return l.RLockUntil(time.Time{}) }

// RLockUntil is RLock but gives up at a deadline, if that is not zero: ETIMEDOUT.
func (l *RWLock) RLockUntil(deadline time.Time) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.writer == self() {
		return syscall.EDEADLK
	}
	for l.writer != 0 || l.writers > 0 {
		if err := l.mayRead.wait(&l.lock, deadline, nil); err != nil {
			return err
		}
	}
	l.readers++
	return nil
}

// TryRLock is RLock but never blocks for long: it fails with EBUSY if others hold l
// for writing, or want to.
func (l *RWLock) TryRLock() error {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.writer != 0 || l.writers > 0 {
		return syscall.EBUSY
	}
	l.readers++
	return nil
}

// Lock locks l for writing and blocks until it can. It fails with EDEADLK if the
// caller holds l for writing.
func (l *RWLock) Lock() error { return l.LockUntil(time.Time{}) }

// LockUntil is Lock but gives up at a deadline, if that is not zero: ETIMEDOUT.
func (l *RWLock) LockUntil(deadline time.Time) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	me := self()
	if l.writer == me {
		return syscall.EDEADLK
	}
	l.writers++
	defer func() { l.writers-- }()
	for l.writer != 0 || l.readers > 0 {
		if err := l.mayWrite.wait(&l.lock, deadline, nil); err != nil {
			if l.writers == 1 && l.writer == 0 {
				l.mayRead.Broadcast() // they wait for this one only
			}
			return err
		}
	}
	l.writer = me
	return nil
}

// TryLock is Lock but never blocks for long: it fails with EBUSY if anybody holds l.
func (l *RWLock) TryLock() error {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.writer != 0 || l.readers > 0 {
		return syscall.EBUSY
	}
	l.writer = self()
	return nil
}

// Unlock undoes what the caller has locked. It fails with EPERM if nobody has
// locked l, or another thread has for writing.
func (l *RWLock) Unlock() error {
	l.lock.Lock()
	defer l.lock.Unlock()
	switch {
	case l.writer == self():
		l.writer = 0
	case l.writer == 0 && l.readers > 0:
		l.readers--
	default:
		return syscall.EPERM
	}
	switch {
	case l.writers == 0:
		l.mayRead.Broadcast()
	case l.readers == 0:
		l.mayWrite.Signal()
	}
	return nil
}
