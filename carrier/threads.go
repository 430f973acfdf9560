package carrier

import "skerry/abi/linux"

// waitQueues is the number of queues over which the keys of waiting threads
// are spread: a power of two.
const waitQueues = 64

// AllBits is the bit set of a wait or a wake that cares for no bits.
const AllBits = 1<<32 - 1

// Threads is a table of threads, of which one is current. Its zero value must
// be given memory with Init.
type Threads struct {
	base     uintptr
	limit    int32 // entries that may be used
	used     int32 // entries that have been used
	live     int32
	free     Index
	current  Index
	readied  int32 // threads in the queues of ready ones
	ready    queue // those of level 0
	above    levels
	waiters  [waitQueues]queue
	sleepers int32 // length of the heap
	nextID   int32
}

// queue is a doubly linked list through Thread.next and Thread.prev.
type queue struct{ head, tail Index }

// Init makes t a table of at most limit threads in zeroed memory at base,
// limit*ThreadSize bytes, of which only what is used is touched. It has one
// thread, the current one, whose number is id; others get the numbers above.
func (t *Threads) Init(base uintptr, limit int, id int32) *Thread {
	*t = Threads{base: base, limit: int32(limit), free: None, current: None, nextID: id}
	t.ready = queue{None, None}
	t.above.init()
	for i := range t.waiters {
		t.waiters[i] = queue{None, None}
	}
	i := t.allocate()
	th := t.At(i)
	th.state = Running
	t.current = i
	return th
}

// Extend lets the table grow to limit threads: the memory behind what Init was
// given belongs to it too.
func (t *Threads) Extend(limit int) { t.limit = int32(limit) }

// Full says that there is no room for another thread.
func (t *Threads) Full() bool { return t.free == None && t.used == t.limit }

// At returns the thread with the index, which must be one that was used.
func (t *Threads) At(i Index) *Thread {
	return (*Thread)(pointer(t.base + uintptr(i)*ThreadSize))
}

// Current returns the current thread, nil if there is none: it has blocked or
// ended and Next has not been called or found none.
func (t *Threads) Current() *Thread {
	if t.current == None {
		return nil
	}
	return t.At(t.current)
}

// Live returns the number of threads, Used the number of entries from 0 that
// may hold one.
func (t *Threads) Live() int { return int(t.live) }

// Used returns the number of entries, from 0 on, that hold or held a thread.
func (t *Threads) Used() int { return int(t.used) }

// HasReady says whether a thread waits for its turn.
func (t *Threads) HasReady() bool { return t.readied != 0 }

// Find returns the live thread with the Linux thread number, nil if none has.
func (t *Threads) Find(id int32) *Thread {
	for i := Index(0); i < Index(t.used); i++ {
		if th := t.At(i); th.ID == id && th.state != Free {
			return th
		}
	}
	return nil
}

// index returns the index of a thread of the table.
func (t *Threads) index(th *Thread) Index {
	return Index((address(th) - t.base) / ThreadSize)
}

// allocate takes a free entry and makes it a thread with nothing set but its
// number and its vector area.
func (t *Threads) allocate() Index {
	i := t.free
	if i != None {
		t.free = t.At(i).next
	} else {
		i = Index(t.used)
		t.used++
	}
	th := t.At(i)
	sleeper, vector := th.sleeper, th.Vector
	*th = Thread{ID: t.nextID, next: None, prev: None, position: -1, sleeper: sleeper, Vector: vector}
	t.nextID++
	if t.nextID < 0 {
		t.nextID = 1
	}
	t.live++
	return i
}

// Clone makes a thread that goes on where the current one is, with all its
// registers but RAX = 0, RSP = stack (if not 0) and FS base = tls (if set is
// true), with its signal mask, its level and what goes with that, and no
// alternate stack. It is put at the end of the ready ones of its level. Clone
// returns nil when the table is full.
func (t *Threads) Clone(stack, tls uint64, set bool) *Thread {
	if t.Full() {
		return nil
	}
	parent := t.Current()
	i := t.allocate()
	th := t.At(i)
	th.Regs = parent.Regs
	th.begin(stack, tls, set)
	th.Mask = parent.Mask
	th.Policy, th.Nice, th.Turn, th.level = parent.Policy, parent.Nice, parent.Turn, parent.level
	th.AltStack.Flags = linux.SS_DISABLE
	t.makeReady(i)
	return th
}

// begin gives a new thread its registers, which are its parent's as yet.
func (th *Thread) begin(stack, tls uint64, set bool) {
	th.Regs.RAX = 0
	if stack != 0 {
		th.Regs.RSP = stack
	}
	if set {
		th.Regs.FSBase = tls
	}
}

// Exit ends the current thread. There is none until Next.
func (t *Threads) Exit() {
	i := t.current
	th := t.At(i)
	th.state = Free
	th.next = t.free
	t.free = i
	t.current = None
	t.live--
}

// Yield puts the current thread at the end of the ready ones of its level.
// There is none until Next.
func (t *Threads) Yield() {
	i := t.current
	t.current = None
	t.makeReady(i)
}

// Next makes the first ready thread of the highest level the current one and
// returns it, nil if none is ready. There must be no current thread.
func (t *Threads) Next() *Thread {
	i := t.ready.head
	switch {
	case t.above.top != 0:
		i = t.above.first()
		t.unready(i)
	case i == None:
		return nil
	default: // what unready does, for the first
		t.readied--
		th := t.At(i)
		if t.ready.head = th.next; th.next == None {
			t.ready.tail = None
		} else {
			t.At(th.next).prev = None
			th.next = None
		}
	}
	th := t.At(i)
	th.state = Running
	t.current = i
	return th
}

// Block makes the current thread wait until Wake is called for the key (if not
// 0) with a common bit, or until the deadline (if not 0) has passed: see Expire.
// There is no current thread until Next.
func (t *Threads) Block(key uint64, bits uint32, deadline int64) {
	i := t.current
	th := t.At(i)
	t.current = None
	th.state = Blocked
	th.Interrupted = false
	th.key, th.bits, th.Deadline = key, bits, deadline
	if key != 0 {
		t.wait(t.waitersFor(key), i)
	}
	if deadline != 0 {
		t.pushSleeper(i)
	}
}

// Wake readies at most n threads that wait for the key with a common bit, those
// of the highest level first and of one level in the order in which they came,
// and returns how many.
func (t *Threads) Wake(key uint64, bits uint32, n int) int {
	q := t.waitersFor(key)
	if q.head == None {
		return 0 // as mostly
	}
	woken := 0
	for i := q.head; i != None && woken < n; {
		th := t.At(i)
		next := th.next
		if th.key == key && th.bits&bits != 0 {
			t.unlink(q, i)
			t.release(i)
			woken++
		}
		i = next
	}
	return woken
}

// Requeue makes at most n threads that wait for a key wait for another
// instead, and returns how many.
func (t *Threads) Requeue(key, to uint64, n int) int {
	q := t.waitersFor(key)
	moved := 0
	for i := q.head; i != None && moved < n; {
		th := t.At(i)
		next := th.next
		if th.key == key {
			t.unlink(q, i)
			th.key = to
			t.wait(t.waitersFor(to), i)
			moved++
			if to == key {
				break
			}
		}
		i = next
	}
	return moved
}

// Interrupt readies a blocked thread for a signal: a call that can be made
// again will be, any other returns EINTR. It does nothing to others.
func (t *Threads) Interrupt(th *Thread) {
	if th.state != Blocked {
		return
	}
	t.unblock(t.index(th))
	th.Interrupted = true
	if !th.Restart {
		th.Regs.RAX = negated(linux.EINTR)
	}
}

// Expire readies the threads whose deadline is now or earlier and returns how
// many. A call that is to be made again will be; any other returns Expired.
func (t *Threads) Expire(now int64) int {
	n := 0
	for t.sleepers > 0 {
		i := t.At(0).sleeper
		th := t.At(i)
		if th.Deadline > now {
			break
		}
		t.unblock(i)
		if !th.Restart {
			th.Regs.RAX = uint64(th.Expired)
		}
		n++
	}
	return n
}

// NextDeadline returns the earliest deadline of a blocked thread, 0 if none
// has one.
func (t *Threads) NextDeadline() int64 {
	if t.sleepers == 0 {
		return 0
	}
	return t.At(t.At(0).sleeper).Deadline
}

// unblock takes a blocked thread out of what it waits in and readies it.
func (t *Threads) unblock(i Index) {
	th := t.At(i)
	if th.key != 0 {
		t.unlink(t.waitersFor(th.key), i)
	}
	t.release(i)
}

// release readies a blocked thread that is in no queue any more.
func (t *Threads) release(i Index) {
	th := t.At(i)
	th.key = 0
	if th.position >= 0 {
		t.removeSleeper(th.position)
	}
	t.makeReady(i)
}

// makeReady puts a thread at the end of the ready ones of its level.
func (t *Threads) makeReady(i Index) {
	th := t.At(i)
	th.state = Ready
	t.readied++
	if th.level != 0 {
		t.link(t.above.enter(th.level), i)
		return
	}
	t.link(&t.ready, i)
}

// unready takes a thread out of the ready ones.
func (t *Threads) unready(i Index) {
	t.readied--
	if level := t.At(i).level; level != 0 {
		q := &t.above.queues[level]
		t.unlink(q, i)
		t.above.leave(level)
		return
	}
	t.unlink(&t.ready, i)
}

// wait puts a thread into a queue of waiting ones: behind all of its level, before
// those of lower ones.
func (t *Threads) wait(q *queue, i Index) {
	level := t.At(i).level
	if level == 0 {
		t.link(q, i)
		return
	}
	before := q.head
	for before != None && t.At(before).level >= level {
		before = t.At(before).next
	}
	t.insert(q, i, before)
}

// waitersFor returns the queue for a key. Keys are mostly addresses of words.
func (t *Threads) waitersFor(key uint64) *queue {
	return &t.waiters[(key>>2^key>>10)%waitQueues]
}

func (t *Threads) link(q *queue, i Index) {
	th := t.At(i)
	th.next, th.prev = None, q.tail
	if q.tail == None {
		q.head = i
	} else {
		t.At(q.tail).next = i
	}
	q.tail = i
}

// insert links a thread in before another, at the end if that is None.
func (t *Threads) insert(q *queue, i, before Index) {
	if before == None {
		t.link(q, i)
		return
	}
	th, next := t.At(i), t.At(before)
	th.next, th.prev = before, next.prev
	if next.prev == None {
		q.head = i
	} else {
		t.At(next.prev).next = i
	}
	next.prev = i
}

func (t *Threads) unlink(q *queue, i Index) {
	th := t.At(i)
	if th.prev == None {
		q.head = th.next
	} else {
		t.At(th.prev).next = th.next
	}
	if th.next == None {
		q.tail = th.prev
	} else {
		t.At(th.next).prev = th.prev
	}
	th.next, th.prev = None, None
}

// The sleepers are a binary heap by deadline. Its element k is kept in entry k
// of the table, which is in use whenever the heap is that long.

func (t *Threads) pushSleeper(i Index) {
	p := t.sleepers
	t.sleepers++
	t.place(p, i)
	t.up(p)
}

func (t *Threads) removeSleeper(p int32) {
	t.At(t.At(Index(p)).sleeper).position = -1
	t.sleepers--
	if p == t.sleepers {
		return
	}
	t.place(p, t.At(Index(t.sleepers)).sleeper)
	t.up(p)
	t.down(p)
}

// place puts thread i at position p.
func (t *Threads) place(p int32, i Index) {
	t.At(Index(p)).sleeper = i
	t.At(i).position = p
}

func (t *Threads) deadlineAt(p int32) int64 { return t.At(t.At(Index(p)).sleeper).Deadline }

func (t *Threads) swap(p, q int32) {
	i, j := t.At(Index(p)).sleeper, t.At(Index(q)).sleeper
	t.place(p, j)
	t.place(q, i)
}

func (t *Threads) up(p int32) {
	for p > 0 {
		parent := (p - 1) / 2
		if t.deadlineAt(parent) <= t.deadlineAt(p) {
			return
		}
		t.swap(parent, p)
		p = parent
	}
}

func (t *Threads) down(p int32) {
	for {
		child := 2*p + 1
		if child >= t.sleepers {
			return
		}
		if child+1 < t.sleepers && t.deadlineAt(child+1) < t.deadlineAt(child) {
			child++
		}
		if t.deadlineAt(p) <= t.deadlineAt(child) {
			return
		}
		t.swap(p, child)
		p = child
	}
}
