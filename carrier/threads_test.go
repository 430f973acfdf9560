package carrier

import (
	"math/rand/v2"
	"slices"
	"testing"

	"skerry/abi/linux"
)

// modelThread is a thread as a naive scheduler knows it.
type modelThread struct {
	id       int32
	key      uint64
	bits     uint32
	deadline int64
	level    uint8
}

// nextOf returns which of the ready threads is the next one: the first of those
// of the highest level; -1 if there are none.
func nextOf(ready []*modelThread) int {
	next := -1
	for i, m := range ready {
		if next < 0 || m.level > ready[next].level {
			next = i
		}
	}
	return next
}

// front puts a thread before those of its level.
func front(ready []*modelThread, m *modelThread) []*modelThread { return slices.Insert(ready, 0, m) }

// insert puts a blocked thread behind those of its level and above.
func insert(blocked []*modelThread, m *modelThread) []*modelThread {
	place := 0
	for place < len(blocked) && blocked[place].level >= m.level {
		place++
	}
	return slices.Insert(blocked, place, m)
}

// TestThreadsModel compares random scheduling with slices.
func TestThreadsModel(t *testing.T) {
	const limit = 24
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 2))
		memory, base := table(limit * ThreadSize)
		var ts Threads
		ts.Init(base, limit, 100)
		current := &modelThread{id: 100}
		var ready, blocked []*modelThread
		next, now := int32(101), int64(0)
		wake := func(m *modelThread) {
			blocked = slices.DeleteFunc(blocked, func(o *modelThread) bool { return o == m })
			ready = append(ready, m)
		}
		for step := range 500 {
			if current == nil {
				if th := ts.Next(); th == nil {
					if len(ready) != 0 {
						t.Fatalf("seed %d: nothing ready, model has %d", seed, len(ready))
					}
				} else {
					if n := nextOf(ready); n < 0 || ready[n].id != th.ID || th.State() != Running || ts.Current() != th {
						t.Fatalf("seed %d step %d: thread %d is next", seed, step, th.ID)
					}
					n := nextOf(ready)
					current = ready[n]
					ready = slices.Delete(ready, n, n+1)
				}
			}
			keys := []uint64{0, 0x1000, 0x1004, 0x2000}
			switch op := random.IntN(10); {
			case op == 0 && current != nil:
				th := ts.Clone(uint64(step)<<8, 7, true)
				if (th == nil) != (1+len(ready)+len(blocked) == limit) {
					t.Fatalf("seed %d: Clone: %v with %d threads", seed, th, 1+len(ready)+len(blocked))
				}
				if th != nil {
					if th.ID != next || th.Regs.RSP != uint64(step)<<8 || th.Regs.FSBase != 7 || th.Regs.RAX != 0 {
						t.Fatalf("seed %d: clone %+v", seed, th)
					}
					ready = append(ready, &modelThread{id: next, level: current.level})
					next++
				}
			case op == 1 && current != nil && len(ready)+len(blocked) > 0 && random.IntN(3) == 0:
				ts.Exit()
				current = nil
			case op == 2 && current != nil:
				ts.Yield()
				ready = append(ready, current)
				current = nil
			case (op == 3 || op == 4) && current != nil:
				current.key = keys[random.IntN(len(keys))]
				current.bits = uint32(1 + random.IntN(3))
				current.deadline = 0
				if current.key == 0 || random.IntN(2) == 0 {
					current.deadline = now + int64(1+random.IntN(50))
				}
				th := ts.Current()
				th.Expired = -linux.ETIMEDOUT
				ts.Block(current.key, current.bits, current.deadline)
				blocked = insert(blocked, current)
				current = nil
			case op == 5:
				key, bits, n := keys[1+random.IntN(3)], uint32(1+random.IntN(3)), random.IntN(4)
				var want []*modelThread
				for _, m := range blocked {
					if m.key == key && m.bits&bits != 0 && len(want) < n {
						want = append(want, m)
					}
				}
				for _, m := range want {
					wake(m)
				}
				if got := ts.Wake(key, bits, n); got != len(want) {
					t.Fatalf("seed %d: woke %d, want %d", seed, got, len(want))
				}
			case op == 6:
				now += int64(random.IntN(20))
				var want []*modelThread
				for _, m := range blocked {
					if m.deadline != 0 && m.deadline <= now {
						want = append(want, m)
					}
				}
				if got := ts.Expire(now); got != len(want) {
					t.Fatalf("seed %d: %d expired, want %d", seed, got, len(want))
				}
				// Order among equals is the heap's affair: take the table's.
				for _, m := range want {
					blocked = slices.DeleteFunc(blocked, func(o *modelThread) bool { return o == m })
				}
				for _, i := range inOrder(&ts) {
					for _, m := range want {
						if ts.At(i).ID == m.id {
							ready = append(ready, m)
							if ts.At(i).Regs.RAX != negated(linux.ETIMEDOUT) {
								t.Fatalf("seed %d: expired with RAX %#x", seed, ts.At(i).Regs.RAX)
							}
						}
					}
				}
			case op == 8 && current != nil:
				if got := ts.Preempts(); got != (len(ready) > 0 && ready[nextOf(ready)].level > current.level) {
					t.Fatalf("seed %d step %d: preempts is %v", seed, step, got)
				}
				ts.Preempt()
				ready = front(ready, current)
				current = nil
			case op == 9:
				all := slices.Concat(ready, blocked)
				if current != nil {
					all = append(all, current)
				}
				m, level := all[random.IntN(len(all))], []uint8{0, 0, 1, 2, 63, 64, 65, 99}[random.IntN(8)]
				ts.SetLevel(ts.Find(m.id), level)
				old := m.level
				if i := slices.Index(ready, m); i >= 0 && level != old {
					ready = slices.Delete(ready, i, i+1)
					if level > old {
						ready = append(ready, m)
					} else {
						ready = front(ready, m)
					}
				}
				m.level = level
				if i := slices.Index(blocked, m); i >= 0 && level != old {
					blocked = insert(slices.Delete(blocked, i, i+1), m)
				}
			case op == 7 && len(blocked) > 0 && random.IntN(4) == 0:
				m := blocked[random.IntN(len(blocked))]
				th := ts.Find(m.id)
				ts.Interrupt(th)
				if th.State() != Ready || !th.Interrupted {
					t.Fatalf("seed %d: interrupted thread %+v", seed, th)
				}
				wake(m)
			}
			earliest := int64(0)
			for _, m := range blocked {
				if m.deadline != 0 && (earliest == 0 || m.deadline < earliest) {
					earliest = m.deadline
				}
				if th := ts.Find(m.id); th == nil || th.State() != Blocked || th.Key() != m.key {
					t.Fatalf("seed %d: blocked thread %+v", seed, th)
				}
			}
			if got := ts.NextDeadline(); got != earliest {
				t.Fatalf("seed %d step %d: next deadline %d, want %d", seed, step, got, earliest)
			}
			live := len(ready) + len(blocked)
			if current != nil {
				live++
			}
			if ts.Live() != live || ts.HasReady() != (len(ready) > 0) {
				t.Fatalf("seed %d: %d live, want %d", seed, ts.Live(), live)
			}
		}
		_ = memory[0]
	}
}

// inOrder returns the ready threads, level by level.
func inOrder(ts *Threads) []Index {
	var list []Index
	for level := Levels - 1; level >= 0; level-- {
		q := &ts.ready
		if level > 0 {
			q = &ts.above.queues[level]
		}
		for i := q.head; i != None; i = ts.At(i).next {
			list = append(list, i)
		}
	}
	return list
}

// TestWakeByLevel: of those that wait for a key, and of those that are moved to
// another, the ones of the highest level are woken first.
func TestWakeByLevel(t *testing.T) {
	memory, base := table(8 * ThreadSize)
	var ts Threads
	ts.Init(base, 8, 1)
	for _, level := range []uint8{0, 5, 0, 9, 5} { // threads 1 to 5
		ts.Clone(0, 0, false)
		ts.SetLevel(ts.Current(), level)
		ts.Block(0x10, AllBits, 0)
		ts.Next()
	}
	ts.Requeue(0x10, 0x20, 2) // threads 4 and 2
	for _, want := range []struct {
		key uint64
		id  int32
	}{{0x20, 4}, {0x20, 2}, {0x10, 5}, {0x10, 1}, {0x10, 3}} {
		ts.SetLevel(ts.Current(), 0)
		if n := ts.Wake(want.key, AllBits, 1); n != 1 {
			t.Fatalf("%d woken", n)
		}
		if th := ts.Find(want.id); th.State() != Ready {
			t.Errorf("thread %d was not woken first", want.id)
		}
	}
	_ = memory[0]
}

func TestRequeue(t *testing.T) {
	memory, base := table(8 * ThreadSize)
	var ts Threads
	ts.Init(base, 8, 1)
	for range 4 {
		ts.Clone(0, 0, false)
		ts.Block(0x10, AllBits, 0)
		ts.Next()
	}
	if n := ts.Requeue(0x10, 0x20, 2); n != 2 {
		t.Fatalf("%d requeued", n)
	}
	if n := ts.Wake(0x20, AllBits, 9); n != 2 {
		t.Errorf("%d woken where they were requeued to", n)
	}
	if n := ts.Wake(0x10, AllBits, 9); n != 2 {
		t.Errorf("%d woken where they were left", n)
	}
	_ = memory[0]
}

// TestReuse: an entry that is used again starts afresh but keeps its area.
func TestReuse(t *testing.T) {
	memory, base := table(4 * ThreadSize)
	var ts Threads
	ts.Init(base, 2, 1)
	th := ts.Clone(0x100, 0x200, true)
	th.Vector, th.Mask, th.Pending, th.Restart = 0x5000, 1, 2, true
	if ts.Clone(0, 0, false) != nil || !ts.Full() {
		t.Error("a full table makes another thread")
	}
	ts.Yield()
	ts.Next()
	ts.Exit()
	ts.Next()
	again := ts.Clone(0, 0, false)
	if again != th || again.Vector != 0x5000 || again.Pending != 0 || again.Restart || again.ID != 3 {
		t.Errorf("used again: %+v", again)
	}
	ts.Extend(3)
	if ts.Clone(0, 0, false) == nil {
		t.Error("an extended table is full")
	}
	if ts.Find(2) != nil {
		t.Error("a thread that ended is found")
	}
	_ = memory[0]
}
