package main

import "sync"

// feed is a stream of bytes from the event loop, which must not block, to a
// goroutine that reads it.
type feed struct {
	mu    sync.Mutex
	more  *sync.Cond
	bytes []byte
}

func newFeed() *feed {
	f := new(feed)
	f.more = sync.NewCond(&f.mu)
	return f
}

// Write appends b. It never blocks or fails.
func (f *feed) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes = append(f.bytes, b...)
	f.more.Signal()
	return len(b), nil
}

// Read blocks until there is something and takes it. It never fails.
func (f *feed) Read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.bytes) == 0 {
		f.more.Wait()
	}
	n := copy(b, f.bytes)
	f.bytes = append(f.bytes[:0], f.bytes[n:]...)
	return n, nil
}
