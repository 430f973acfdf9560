package carrier

import "skerry/abi/linux"

// Threads that several tables share: a thread is in one of them at a time, in
// each under the same index, and moves between them set aside. Such tables are
// begun with InitEmpty, and all their threads enter by Enter or Fork: their
// indices and numbers are the caller's choice.

// InitEmpty is Init for a table that has no thread yet.
func (t *Threads) InitEmpty(base uintptr, limit int) {
	*t = Threads{base: base, limit: int32(limit), free: None, current: None}
	t.ready = queue{None, None}
	t.above.init()
	for i := range t.waiters {
		t.waiters[i] = queue{None, None}
	}
}

// Enter makes entry i, which must be free, a thread that is set aside, with all
// that is exported of from but its Vector, and its level.
func (t *Threads) Enter(i Index, from *Thread) *Thread {
	t.used = max(t.used, int32(i)+1)
	th := t.At(i)
	sleeper, vector := th.sleeper, th.Vector
	*th = *from
	th.sleeper, th.Vector = sleeper, vector
	th.key, th.next, th.prev, th.position = 0, None, None, -1
	th.state = Aside
	t.live++
	return th
}

// Fork makes entry i, which must be free, a thread as Clone makes one, with a
// number, and sets it aside.
func (t *Threads) Fork(i Index, id int32, stack, tls uint64, set bool) *Thread {
	th := t.Enter(i, t.Current())
	*th = Thread{
		ID: id, Regs: th.Regs, Vector: th.Vector, Mask: th.Mask,
		Policy: th.Policy, Nice: th.Nice, Turn: th.Turn, level: th.level,
		AltStack: linux.SignalStack{Flags: linux.SS_DISABLE},
		state:    Aside, next: None, prev: None, position: -1, sleeper: th.sleeper,
	}
	th.begin(stack, tls, set)
	return th
}

// Leave frees the entry of a thread that is set aside: it has gone to another
// table, or ended.
func (t *Threads) Leave(th *Thread) {
	th.state = Free
	t.live--
}

// SetAside takes the current thread out of the table's hands: whatever happens,
// nothing but Ready or Switch makes it go on. There is none until Next.
func (t *Threads) SetAside() {
	t.At(t.current).state = Aside
	t.current = None
}

// Take sets a ready thread aside.
func (t *Threads) Take(th *Thread) {
	t.unready(t.index(th))
	th.state = Aside
}

// Ready readies a thread that is blocked or set aside.
func (t *Threads) Ready(th *Thread) {
	if th.state == Blocked {
		t.unblock(t.index(th))
	} else {
		t.makeReady(t.index(th))
	}
}

// Switch makes a thread that is set aside the current one, nil for none, and
// returns the one that was, which is now set aside, or nil.
func (t *Threads) Switch(th *Thread) *Thread {
	before := t.Current()
	if before != nil {
		t.SetAside()
	}
	if th != nil {
		th.state = Running
		t.current = t.index(th)
	}
	return before
}

// Runnable returns how many threads run or could.
func (t *Threads) Runnable() int {
	n := int(t.readied)
	if t.current != None {
		n++
	}
	return n
}

// Index returns the index of a thread of the table.
func (t *Threads) Index(th *Thread) Index { return t.index(th) }
