package thread

import (
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestMutexKinds holds what each kind does against a model: random calls by some
// threads, none of which may block.
func TestMutexKinds(t *testing.T) {
	const actors = 3
	for _, kind := range []Kind{Normal, ErrorCheck, Recursive} {
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, uint64(kind)))
			m := Mutex{Kind: kind}
			owner, depth := -1, 0
			orders, results := make([]chan func() error, actors), make(chan error)
			var threads []*Thread
			for i := range orders {
				orders[i] = make(chan func() error)
				threads = append(threads, begin(t, func() any {
					for order := range orders[i] {
						results <- order()
					}
					return nil
				}))
			}
			for step := range 200 {
				who := random.IntN(actors)
				var want error
				var order func() error
				switch random.IntN(4) {
				case 0:
					order = m.TryLock
					if owner >= 0 && (owner != who || kind != Recursive) {
						want = syscall.EBUSY
					}
				case 1:
					if kind == ErrorCheck && owner == who {
						order, want = m.Lock, syscall.EDEADLK
						break
					}
					order = func() error { return m.LockUntil(past()) }
					if owner >= 0 && (owner != who || kind == Normal) {
						want = syscall.ETIMEDOUT
					}
				default:
					order = m.Unlock
					if owner != who {
						want = syscall.EPERM
					}
				}
				locks := reflect.ValueOf(order).Pointer() != reflect.ValueOf(m.Unlock).Pointer()
				orders[who] <- order
				if got := <-results; got != want {
					t.Fatalf("kind %d, seed %d, step %d: %v, want %v (owner %d of %d, caller %d)", kind, seed, step, got, want, owner, depth, who)
				}
				switch {
				case want != nil:
				case locks:
					owner = who
					depth++
				default:
					if depth--; depth == 0 {
						owner = -1
					}
				}
			}
			for i, th := range threads {
				close(orders[i])
				join(t, th, nil)
			}
		}
	}
}

// TestMutexExclusion: no two threads are inside, whatever way they came.
func TestMutexExclusion(t *testing.T) {
	for _, kind := range []Kind{Normal, ErrorCheck, Recursive} {
		m := Mutex{Kind: kind}
		const threads, each = 8, 2000
		inside, count, given := 0, 0, 0
		gang(t, threads, func(i int) {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for range each {
				switch random.IntN(3) {
				case 0:
					if m.TryLock() != nil {
						m.Lock()
					}
				case 1:
					for m.LockUntil(time.Now().Add(time.Duration(random.IntN(1000)))) != nil {
					}
				default:
					m.Lock()
				}
				if inside++; inside != 1 {
					t.Error("two are inside")
				}
				if random.IntN(50) == 0 {
					Yield() // let others find it held
					given++
				}
				count++
				inside--
				if err := m.Unlock(); err != nil {
					t.Error(err)
				}
			}
		})
		if count != threads*each || m.state.Load() == held || m.owner.Load() != 0 {
			t.Errorf("kind %d: %d times inside, want %d; state %d", kind, count, threads*each, m.state.Load())
		}
	}
}

func TestMutexTimeout(t *testing.T) {
	var m Mutex
	m.Lock()
	join(t, begin(t, func() any { return m.LockUntil(soon()) }), syscall.ETIMEDOUT)
	th := begin(t, func() any { return m.LockUntil(time.Now().Add(time.Hour)) })
	until(func() bool { return m.state.Load() == contended })
	m.Unlock()
	join(t, th, nil)
	if m.Unlock() != syscall.EPERM {
		t.Error("a mutex that an ended thread holds can be unlocked by another")
	}
}

// TestCond passes numbers through a small buffer, with waits that time out and are
// cancelled in between: all arrive, each once.
func TestCond(t *testing.T) {
	const producers, consumers, each, room = 3, 3, 1500, 2
	m := Mutex{Kind: ErrorCheck}
	var notFull, notEmpty, never Cond
	var buffer []int
	got := make([]int, producers*each)
	left := len(got)
	var idlers []*Thread
	for range 2 { // that take nothing, but signals
		idlers = append(idlers, begin(t, func() any {
			m.Lock()
			PushCleanup(func() { m.Unlock() })
			for {
				if err := notEmpty.WaitUntil(&m, time.Now().Add(100*time.Microsecond)); err != nil && err != syscall.ETIMEDOUT {
					t.Error(err)
				}
				if len(buffer) > 0 {
					notEmpty.Signal() // meant for another
				}
			}
		}))
	}
	gang(t, producers+consumers, func(i int) {
		m.Lock()
		defer m.Unlock()
		if i < producers {
			for n := range each {
				for len(buffer) == room {
					notFull.Wait(&m)
				}
				buffer = append(buffer, i*each+n)
				notEmpty.Signal()
			}
			return
		}
		for left > 0 {
			if len(buffer) == 0 {
				if notEmpty.Wait(&m); left == 0 {
					break
				}
				continue
			}
			got[buffer[0]]++
			buffer = buffer[1:]
			if left--; left == 0 {
				notEmpty.Broadcast()
			}
			notFull.Signal()
		}
	})
	for _, th := range idlers {
		th.Cancel()
		join(t, th, Canceled)
	}
	for i, n := range got {
		if n != 1 {
			t.Fatalf("number %d came %d times", i, n)
		}
	}
	expect(t, "waited without the mutex", never.Wait(&m), syscall.EPERM)
	m.Lock()
	expect(t, "waited until a time", never.WaitUntil(&m, soon()), syscall.ETIMEDOUT)
	expect(t, "waited until a time that has passed", never.WaitUntil(&m, past()), syscall.ETIMEDOUT)
	expect(t, "unlocked afterwards", m.Unlock(), nil)
}

// TestCondRecursive: waiting unlocks a mutex however often it was locked.
func TestCondRecursive(t *testing.T) {
	m := Mutex{Kind: Recursive}
	var c Cond
	woken := false
	th := begin(t, func() any {
		for range 3 {
			m.Lock()
		}
		for !woken {
			c.Wait(&m)
		}
		for range 3 {
			if err := m.Unlock(); err != nil {
				return err
			}
		}
		return m.Unlock()
	})
	sleeping(&c.events, 1)
	m.Lock()
	woken = true
	m.Unlock()
	c.Signal()
	join(t, th, syscall.EPERM)
}

// TestBroadcast wakes all.
func TestBroadcast(t *testing.T) {
	var m Mutex
	var c Cond
	open := false
	var threads []*Thread
	for range 20 {
		threads = append(threads, begin(t, func() any {
			m.Lock()
			defer m.Unlock()
			for !open {
				c.Wait(&m)
			}
			return nil
		}))
	}
	sleeping(&c.events, 20)
	m.Lock()
	open = true
	m.Unlock()
	c.Broadcast()
	for _, th := range threads {
		join(t, th, nil)
	}
}

// TestSemaphore: what was posted is what was waited for, though waits time out and
// are cancelled; and no more are inside than the value let in.
func TestSemaphore(t *testing.T) {
	const value, threads, each = 3, 8, 500
	s, err := NewSemaphore(value)
	if err != nil {
		t.Fatal(err)
	}
	var inside, most, posted, taken atomic.Int32
	gang(t, threads, func(i int) {
		random := rand.New(rand.NewPCG(uint64(i), 3))
		for range each {
			switch random.IntN(4) {
			case 0:
				if s.TryWait() != nil {
					continue
				}
			case 1:
				if s.WaitUntil(time.Now().Add(time.Duration(random.IntN(1000)))) != nil {
					continue
				}
			default:
				s.Wait()
			}
			taken.Add(1)
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			if random.IntN(10) == 0 {
				Yield()
			}
			inside.Add(-1)
			posted.Add(1)
			s.Post()
		}
	})
	if most.Load() > value || s.Value() != value || posted.Load() != taken.Load() {
		t.Errorf("%d were inside, the value is %d after %d posts and %d waits", most.Load(), s.Value(), posted.Load(), taken.Load())
	}

	// Cancelled waiters take nothing.
	var empty Semaphore
	for range 100 {
		a, b := begin(t, func() any { empty.Wait(); return 1 }), begin(t, func() any { empty.Wait(); return 1 })
		a.Cancel()
		empty.Post()
		got, _ := a.Join()
		if got == 1 {
			empty.Post()
		}
		join(t, b, 1)
		if empty.Value() != 0 {
			t.Fatalf("the value is %d", empty.Value())
		}
	}
}

func TestSemaphoreErrors(t *testing.T) {
	s, err := NewSemaphore(SemaphoreMax)
	expect(t, "the largest", err, nil)
	expect(t, "posted too often", s.Post(), syscall.EOVERFLOW)
	expect(t, "until a time that has passed, but it can", s.WaitUntil(past()), nil)
	_, err = NewSemaphore(SemaphoreMax + 1)
	expect(t, "too large", err, syscall.EINVAL)
	var zero Semaphore
	expect(t, "tried", zero.TryWait(), syscall.EAGAIN)
	expect(t, "until a time", zero.WaitUntil(soon()), syscall.ETIMEDOUT)
}

func TestRWLock(t *testing.T) {
	var l RWLock
	var readers, writers, together atomic.Int32
	gang(t, 8, func(i int) {
		random := rand.New(rand.NewPCG(uint64(i), 4))
		for range 500 {
			deadline := time.Now().Add(time.Duration(random.IntN(2000)))
			if random.IntN(4) > 0 {
				switch random.IntN(3) {
				case 0:
					if l.RLockUntil(deadline) != nil {
						continue
					}
				case 1:
					if l.TryRLock() != nil {
						continue
					}
				default:
					l.RLock()
				}
				if readers.Add(1) > 1 {
					together.Add(1)
				}
				if writers.Load() != 0 {
					t.Error("one reads while another writes")
				}
				Yield()
				readers.Add(-1)
			} else {
				switch random.IntN(3) {
				case 0:
					if l.LockUntil(deadline) != nil {
						continue
					}
				case 1:
					if l.TryLock() != nil {
						continue
					}
				default:
					l.Lock()
				}
				if writers.Add(1) != 1 || readers.Load() != 0 {
					t.Error("one writes while others are there")
				}
				Yield()
				writers.Add(-1)
			}
			if err := l.Unlock(); err != nil {
				t.Error(err)
			}
		}
	})
	if together.Load() == 0 {
		t.Error("no two ever read together")
	}

	l.Lock()
	expect(t, "read while writing", l.RLock(), syscall.EDEADLK)
	expect(t, "written while writing", l.Lock(), syscall.EDEADLK)
	join(t, begin(t, func() any { return l.Unlock() }), syscall.EPERM)
	join(t, begin(t, func() any { return l.TryRLock() }), syscall.EBUSY)
	join(t, begin(t, func() any { return l.RLockUntil(soon()) }), syscall.ETIMEDOUT)
	expect(t, "unlocked", l.Unlock(), nil)
	expect(t, "unlocked again", l.Unlock(), syscall.EPERM)
	l.RLock()
	expect(t, "tried to write while reading", l.TryLock(), syscall.EBUSY)
	// Who wants to write keeps readers out, until it gives up.
	writer := begin(t, func() any { return l.LockUntil(time.Now().Add(50 * time.Millisecond)) })
	sleeping(&l.mayWrite.events, 1)
	reader := begin(t, func() any { return l.RLock() })
	sleeping(&l.mayRead.events, 1)
	join(t, writer, syscall.ETIMEDOUT)
	join(t, reader, nil)
}

func TestBarrier(t *testing.T) {
	_, err := NewBarrier(0)
	expect(t, "a barrier for nobody", err, syscall.EINVAL)
	const threads, turns = 5, 200
	b, err := NewBarrier(threads)
	if err != nil {
		t.Fatal(err)
	}
	var phase [threads]atomic.Int32
	var chosen atomic.Int32
	gang(t, threads, func(i int) {
		for turn := range int32(turns) {
			phase[i].Store(turn)
			if b.Wait() {
				chosen.Add(1)
			}
			for j := range phase {
				if p := phase[j].Load(); p != turn {
					t.Errorf("thread %d is in turn %d, another in %d", i, turn, p)
				}
			}
			b.Wait()
		}
	})
	if chosen.Load() != turns {
		t.Errorf("%d were chosen in %d turns", chosen.Load(), turns)
	}
}
