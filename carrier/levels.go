package carrier

import "math/bits"

// Levels is the number of levels of priority. Ordinary threads have level 0;
// 1 to Levels-1 are above them. A thread that is ready waits until none of a
// higher level is.
const Levels = 100

// levels holds the ready threads of the levels above 0. Finding the highest
// takes the same time however many there are.
type levels struct {
	top      int32         // the highest level that has threads, 0 if none has
	occupied [2]uint64     // the set of those that have
	queues   [Levels]queue // by level; the first is not used
}

func (l *levels) init() {
	for i := range l.queues {
		l.queues[i] = queue{None, None}
	}
}

// enter returns the queue of a level, into which a thread will be put.
func (l *levels) enter(level uint8) *queue {
	l.occupied[level/64] |= 1 << (level % 64)
	l.top = max(l.top, int32(level))
	return &l.queues[level]
}

// leave takes note that a thread has been taken out of the queue of a level.
func (l *levels) leave(level uint8) {
	if l.queues[level].head != None {
		return
	}
	l.occupied[level/64] &^= 1 << (level % 64)
	l.top = 0
	if high := l.occupied[1]; high != 0 {
		l.top = 64 + int32(bits.Len64(high)) - 1
	} else if low := l.occupied[0]; low != 0 {
		l.top = int32(bits.Len64(low)) - 1
	}
}

// first returns the first thread of the highest level; there is one.
func (l *levels) first() Index { return l.queues[l.top].head }

// Level returns the thread's level of priority.
func (th *Thread) Level() uint8 { return th.level }

// SetLevel changes a thread's level, below Levels. If it is ready, it becomes
// the last one of a higher level, the first one of a lower; where it waits, the
// last one of its level.
func (t *Threads) SetLevel(th *Thread, level uint8) {
	i, old := t.index(th), th.level
	switch {
	case level == old:
	case th.state == Ready:
		t.unready(i)
		th.level = level
		if level > old {
			t.makeReady(i)
		} else {
			t.readyFirst(i)
		}
	case th.state == Blocked && th.key != 0:
		q := t.waitersFor(th.key)
		t.unlink(q, i)
		th.level = level
		t.wait(q, i)
	default:
		th.level = level
	}
}

// Preempts says whether a ready thread is of a higher level than the current
// one, which there must be.
func (t *Threads) Preempts() bool {
	return t.above.top != 0 && t.above.top > int32(t.At(t.current).level)
}

// Preempt puts the current thread before the ready ones of its level: it goes on
// when none of a higher level is ready. There is no current thread until Next.
func (t *Threads) Preempt() {
	i := t.current
	t.current = None
	t.readyFirst(i)
}

// readyFirst puts a thread before the ready ones of its level.
func (t *Threads) readyFirst(i Index) {
	th := t.At(i)
	th.state = Ready
	t.readied++
	q := &t.ready
	if th.level != 0 {
		q = t.above.enter(th.level)
	}
	t.insert(q, i, q.head)
}
