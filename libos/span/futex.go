package span

import "sync/atomic"

// Wait announces that the thread of a slot waits for a key, not 0, with bits. The
// caller looks at the word after that, and calls EndWait whatever comes of it.
func (f *Frame) Wait(slot int, key uint64, bits uint32) {
	c := f.control()
	atomic.StoreUint32(&c.bits[slot], bits)
	atomic.StoreUint64(&c.ticket[slot], atomic.AddUint64(&c.tickets, 1))
	atomic.StoreUint64(&c.waiting[slot], key) // a full fence
}

// Key returns what the thread of a slot waits for, 0 if for nothing any more.
func (f *Frame) Key(slot int) uint64 { return atomic.LoadUint64(&f.control().waiting[slot]) }

// Woken says whether somebody has claimed the waiting thread of a slot.
func (f *Frame) Woken(slot int) bool { return f.Key(slot) == 0 }

// EndWait takes the announcement of a thread back. It says whether the thread was
// claimed before that.
func (f *Frame) EndWait(slot int) (woken bool) {
	return atomic.SwapUint64(&f.control().waiting[slot], 0) == 0
}

// first returns the slot of the thread that has waited longest for a key with one
// of the bits, -1 if none does.
func (f *Frame) first(key uint64, bits uint32) int {
	c := f.control()
	found, ticket := -1, uint64(0)
	for i := range c.waiting[:f.used()] {
		if atomic.LoadUint64(&c.waiting[i]) != key || atomic.LoadUint32(&c.bits[i])&bits == 0 {
			continue
		}
		if t := atomic.LoadUint64(&c.ticket[i]); found < 0 || t < ticket {
			found, ticket = i, t
		}
	}
	return found
}

// Wake claims at most n threads that wait for a key with one of the bits, in the
// order in which they came, and returns how many. Who has them readies them.
func (f *Frame) Wake(key uint64, bits uint32, n int) int {
	return f.claim(key, 0, bits, n)
}

// Requeue makes at most n threads that wait for a key wait for another instead,
// and returns how many.
func (f *Frame) Requeue(key, to uint64, n int) int {
	if key == to {
		return 0
	}
	return f.claim(key, to, 1<<32-1, n)
}

func (f *Frame) claim(key, to uint64, bits uint32, n int) int {
	c := f.control()
	// The program has changed its word by whatever store: it must be seen before
	// the slots are looked at.
	atomic.AddUint64(&f.dispatcher(f.self).rung, 0)
	for claimed := 0; ; {
		if claimed >= n {
			return claimed
		}
		slot := f.first(key, bits)
		if slot < 0 {
			return claimed
		}
		if atomic.CompareAndSwapUint64(&c.waiting[slot], key, to) {
			claimed++
			if to == 0 {
				f.Post(slot)
			}
		}
	}
}
