package span

import (
	"math/bits"
	"sync/atomic"
)

// Begin sets the number of the process, which is that of its first thread. Home
// calls it before there is one.
func (f *Frame) Begin(process int32) {
	c := f.control()
	c.process, c.lastID = process, process-1
}

// Process returns the number of the process.
func (f *Frame) Process() int32 { return f.control().process }

// NewThread takes a slot for a new thread of this dispatcher, which may run on a
// set of dispatchers, and a number that no other has had. ok is false if there are
// too many threads.
func (f *Frame) NewThread(affinity uint64) (slot int, id int32, ok bool) {
	c := f.control()
	for i := range c.ids {
		// A slot is taken by a number that is none, until all is said about it.
		if atomic.LoadInt32(&c.ids[i]) != 0 || !atomic.CompareAndSwapInt32(&c.ids[i], 0, -1) {
			continue
		}
		for {
			used := atomic.LoadUint32(&c.used)
			if used > uint32(i) || atomic.CompareAndSwapUint32(&c.used, used, uint32(i)+1) {
				break
			}
		}
		atomic.StoreUint64(&c.signals[i], 0)
		atomic.StoreUint64(&c.expired[i], 0)
		atomic.StoreUint64(&c.affinity[i], affinity)
		atomic.StoreUint32(&c.manner[i], 0)
		atomic.StoreUint32(&c.location[i], f.self)
		atomic.AddInt32(&c.live, 1)
		id = atomic.AddInt32(&c.lastID, 1)
		atomic.StoreInt32(&c.ids[i], id)
		return i, id, true
	}
	return 0, 0, false
}

// EndThread gives the slot of a thread of this dispatcher back. It says whether
// that was the domain's last one.
func (f *Frame) EndThread(slot int) (last bool) {
	c := f.control()
	atomic.StoreUint64(&c.waiting[slot], 0)
	atomic.StoreInt32(&c.ids[slot], 0)
	return atomic.AddInt32(&c.live, -1) == 0
}

// Find returns the slot of the thread with a number, -1 if none has it.
func (f *Frame) Find(id int32) int {
	c := f.control()
	for i := range c.ids[:f.used()] {
		if atomic.LoadInt32(&c.ids[i]) == id && id > 0 {
			return i
		}
	}
	return -1
}

// Has says whether a slot has a thread.
func (f *Frame) Has(slot int) bool { return atomic.LoadInt32(&f.control().ids[slot]) != 0 }

// Location returns the dispatcher that has the thread of a slot, or that it is on
// its way to.
func (f *Frame) Location(slot int) int {
	return int(atomic.LoadUint32(&f.control().location[slot]))
}

func (f *Frame) used() uint32 { return min(atomic.LoadUint32(&f.control().used), slots) }

// Signal sends the thread of a slot the signals of a set; expired says that a
// timer did.
func (f *Frame) Signal(slot int, set uint64, expired bool) {
	word := &f.control().signals[slot]
	if expired {
		word = &f.control().expired[slot]
	}
	atomic.OrUint64(word, set)
	f.Post(slot)
}

// TakeSignals takes what Signal has sent to a thread.
func (f *Frame) TakeSignals(slot int) (sent, expired uint64) {
	c := f.control()
	if atomic.LoadUint64(&c.signals[slot]) != 0 {
		sent = atomic.SwapUint64(&c.signals[slot], 0)
	}
	if atomic.LoadUint64(&c.expired[slot]) != 0 {
		expired = atomic.SwapUint64(&c.expired[slot], 0)
	}
	return sent, expired
}

// Affinity returns on which dispatchers a thread may run.
func (f *Frame) Affinity(slot int) uint64 { return atomic.LoadUint64(&f.control().affinity[slot]) }

// SetAffinity changes that, and has whoever has the thread see to it.
func (f *Frame) SetAffinity(slot int, set uint64) {
	atomic.StoreUint64(&f.control().affinity[slot], set)
	f.Post(slot)
}

// Manner returns how a thread is to be scheduled: 0 at first, then what SetManner
// said.
func (f *Frame) Manner(slot int) uint32 { return atomic.LoadUint32(&f.control().manner[slot]) }

// SetManner changes that, and has whoever has the thread see to it.
func (f *Frame) SetManner(slot int, manner uint32) {
	atomic.StoreUint32(&f.control().manner[slot], manner)
	f.Post(slot)
}

// SetLoad says how many threads of this dispatcher run or could.
func (f *Frame) SetLoad(n int) {
	if d := f.dispatcher(f.self); d.load != uint32(n) {
		atomic.StoreUint32(&d.load, uint32(n))
	}
}

// Lightest returns the dispatcher of a set that has the least to do, by what it
// said last; this one if it is among several of them. A set of none stands for
// all. It counts what is sent there as there: see Sent.
func (f *Frame) Lightest(set uint64) (d, load int) {
	if set &= f.All(); set == 0 {
		set = f.All()
	}
	load = -1
	for s := set; s != 0; s &= s - 1 {
		i := bits.TrailingZeros64(s)
		n := int(atomic.LoadUint32(&f.dispatcher(uint32(i)).load))
		if load < 0 || n < load || n == load && i == int(f.self) {
			d, load = i, n
		}
	}
	return d, load
}

// Sent raises the load of a dispatcher to which a thread was sent, until it says
// itself what it has.
func (f *Frame) Sent(to int) { atomic.AddUint32(&f.dispatcher(uint32(to)).load, 1) }

// SetClock says when this dispatcher began, for how long it has been parked, and
// since when it is, 0 if it is not; all in ns.
func (f *Frame) SetClock(began, idle, since int64) {
	d := f.dispatcher(f.self)
	atomic.StoreInt64(&d.began, began)
	atomic.StoreInt64(&d.idle, idle)
	atomic.StoreInt64(&d.since, since)
}

// Busy returns for how long the other dispatchers have not been parked, at a
// time in ns, by what they said last.
func (f *Frame) Busy(now int64) (busy int64) {
	for i := range f.count {
		d := f.dispatcher(i)
		began := atomic.LoadInt64(&d.began)
		if i == f.self || began == 0 {
			continue
		}
		end := now
		if since := atomic.LoadInt64(&d.since); since != 0 {
			end = since
		}
		busy += max(end-began-atomic.LoadInt64(&d.idle), 0)
	}
	return busy
}
