package thread

import "sync/atomic"

// Once has something done once.
type Once struct {
	done atomic.Bool
	lock Mutex
}

// Do calls f if no call of Do has had its f return before; it blocks while another
// has not returned. If f's thread ends in it, by Exit or because it is cancelled, it
// is as if Do had not been called. An f that calls Do of the same Once deadlocks.
func (o *Once) Do(f func()) {
	if o.done.Load() {
		return
	}
	o.lock.Lock()
	defer o.lock.Unlock()
	if !o.done.Load() {
		f()
		o.done.Store(true)
	}
}
