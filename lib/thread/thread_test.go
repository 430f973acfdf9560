package thread

import (
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestMain gives all threads of the tests processors: they block outside of what
// Go's scheduler knows.
func TestMain(m *testing.M) {
	SetConcurrency(8)
	os.Exit(m.Run())
}

// begin makes a thread.
func begin(t *testing.T, start func() any) *Thread {
	t.Helper()
	th, err := Create(start, nil)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// join joins a thread and checks what it left.
func join(t *testing.T, th *Thread, want any) {
	t.Helper()
	if got, err := th.Join(); err != nil || got != want {
		t.Fatalf("joined with %v, %v, want %v", got, err, want)
	}
}

// gang runs n threads and waits for them.
func gang(t *testing.T, n int, run func(i int)) {
	t.Helper()
	var threads []*Thread
	for i := range n {
		threads = append(threads, begin(t, func() any { run(i); return i }))
	}
	for i, th := range threads {
		join(t, th, i)
	}
}

// until lets others run until something is so.
func until(so func() bool) {
	for !so() {
		runtime.Gosched()
	}
}

// sleeping waits until so many threads sleep for events.
func sleeping(e *events, n uint32) { until(func() bool { return e.waiters.Load() == n }) }

// expect checks an error.
func expect(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || (got == nil) != (want == nil) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// soon is a deadline that passes while a test waits for it, past one that has.
func soon() time.Time { return time.Now().Add(5 * time.Millisecond) }
func past() time.Time { return time.Now().Add(-time.Second) }

func TestJoin(t *testing.T) {
	th := begin(t, func() any { return "value" })
	join(t, th, "value")
	_, err := th.Join()
	expect(t, "joined again", err, syscall.EINVAL)
	expect(t, "detached after it was joined", th.Detach(), syscall.EINVAL)

	join(t, begin(t, func() any { Exit(7); return 8 }), 7)

	var own error
	th = begin(t, func() any { _, own = Self().Join(); return nil })
	join(t, th, nil)
	expect(t, "joined by itself", own, syscall.EDEADLK)

	var gate Semaphore
	th = begin(t, func() any { gate.Wait(); return nil })
	expect(t, "detached", th.Detach(), nil)
	expect(t, "detached again", th.Detach(), syscall.EINVAL)
	_, err = th.Join()
	expect(t, "joined when detached", err, syscall.EINVAL)
	gate.Post()
	until(th.hasEnded)

	th, err = Create(func() any { return nil }, &Attributes{Detached: true})
	expect(t, "created detached", err, nil)
	_, err = th.Join()
	expect(t, "joined when created detached", err, syscall.EINVAL)
	until(th.hasEnded)
}

// TestJoinOnce: of many that join a thread one gets what it left.
func TestJoinOnce(t *testing.T) {
	for range 50 {
		th := begin(t, func() any { return "left" })
		var joined atomic.Int32
		gang(t, 6, func(int) {
			value, err := th.Join()
			if err == nil && value == "left" {
				joined.Add(1)
			} else if err != syscall.EINVAL {
				t.Errorf("joined with %v, %v", value, err)
			}
		})
		if n := joined.Load(); n != 1 {
			t.Fatalf("%d joined", n)
		}
	}
}

// TestMost: there is a most, and what ended does not count.
func TestMost(t *testing.T) {
	var gate Semaphore
	var threads []*Thread
	for range Most {
		threads = append(threads, begin(t, func() any { gate.Wait(); return nil }))
	}
	_, err := Create(func() any { return nil }, nil)
	expect(t, "one too many", err, syscall.EAGAIN)
	for range threads {
		gate.Post()
	}
	for _, th := range threads {
		join(t, th, nil)
	}
	until(func() bool { return live.Load() == 0 })
	join(t, begin(t, func() any { return 1 }), 1)
}

func TestSelf(t *testing.T) {
	if Self() != nil {
		t.Fatal("a goroutine is a thread")
	}
	var inside *Thread
	th := begin(t, func() any { inside = Self(); return nil })
	join(t, th, nil)
	if !Equal(inside, th) || Equal(th, nil) || th.ID() == os.Getpid() {
		t.Errorf("inside it is %p, outside %p, its number %d", inside, th, th.ID())
	}
	me, detach, err := Attach()
	if err != nil || Self() != me || me.ID() != syscall.Gettid() {
		t.Fatalf("attached: %v", err)
	}
	_, _, err = Attach()
	expect(t, "attached again", err, syscall.EINVAL)
	destroyed := false
	key := NewKey(func(any) { destroyed = true })
	key.Set(1)
	detach()
	if Self() != nil || !destroyed {
		t.Error("detaching left something")
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		Attach()
		Exit(nil)
	})
	wait.Wait()
	if len(registry.threads) != 0 {
		t.Errorf("%d threads left", len(registry.threads))
	}
}

// TestExit: what runs when a thread ends, and in what order.
func TestExit(t *testing.T) {
	var order []string
	note := func(s string) { order = append(order, s) }
	key := NewKey(func(any) { note("destructor") })
	join(t, begin(t, func() any {
		key.Set(1)
		defer note("deferred")
		PushCleanup(func() { note("first") })
		PushCleanup(func() { note("popped") })
		PopCleanup(false)
		PushCleanup(func() { note("called") })
		PopCleanup(true)
		PushCleanup(func() {
			note("last")
			if err := Self().exiting; !err {
				t.Error("a handler runs in a thread that does not end")
			}
			Sleep(0) // a cancellation point is none any more
		})
		Self().Cancel()
		Exit("value")
		return nil
	}), "value")
	if want := []string{"called", "last", "first", "deferred", "destructor"}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
}

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

func TestOnce(t *testing.T) {
	var once Once
	var calls, after atomic.Int32
	gang(t, 8, func(int) {
		once.Do(func() {
			Yield()
			calls.Add(1)
		})
		after.Add(calls.Load())
	})
	if calls.Load() != 1 || after.Load() != 8 {
		t.Errorf("called %d times, seen %d times", calls.Load(), after.Load())
	}
	// One that is cancelled in it leaves it to the next.
	var again Once
	var gate Semaphore
	th := begin(t, func() any { again.Do(func() { gate.Wait() }); return nil })
	sleeping(&gate.events, 1)
	th.Cancel()
	join(t, th, Canceled)
	done := false
	again.Do(func() { done = true })
	if !done {
		t.Error("the thread that was cancelled counts as done")
	}
}

func TestKeys(t *testing.T) {
	var order []string
	keep := 0
	var a, b, c, gone, none *Key
	a = NewKey(func(v any) {
		order = append(order, "a "+v.(string))
		if a.Get() != nil {
			t.Error("the value is still there")
		}
	})
	b = NewKey(func(v any) {
		order = append(order, "b "+v.(string))
		a.Set("of b") // whose turn is in the next round
	})
	c = NewKey(func(v any) { // for ever, were it not for the bound
		keep++
		c.Set(v)
	})
	gone = NewKey(func(any) { t.Error("a deleted key's destructor is called") })
	none = NewKey(nil)
	join(t, begin(t, func() any {
		for _, k := range []*Key{gone, none, c, b, a} {
			if k.Get() != nil || k.Set("own") != nil || k.Get() != "own" {
				t.Error("a key does not keep its value")
			}
		}
		join(t, begin(t, func() any { return a.Get() }), nil) // others have their own
		none.Set(nil)
		expect(t, "deleted", gone.Delete(), nil)
		expect(t, "deleted again", gone.Delete(), syscall.EINVAL)
		expect(t, "set after it was deleted", gone.Set(1), syscall.EINVAL)
		return gone.Get()
	}), nil)
	if want := []string{"a own", "b own", "a of b"}; !slices.Equal(order, want) {
		t.Errorf("destructors: %q", order)
	}
	if keep != DestructorRounds {
		t.Errorf("a destructor that sets its value again is called %d times, want %d", keep, DestructorRounds)
	}
	expect(t, "set by a goroutine", a.Set(1), syscall.ESRCH)
	if a.Get() != nil {
		t.Error("a goroutine has a value")
	}
}

// TestDestructors: every value that a thread leaves is destroyed, once.
func TestDestructors(t *testing.T) {
	var made, destroyed atomic.Int32
	var list []*Key
	for range 5 {
		list = append(list, NewKey(func(any) { destroyed.Add(1) }))
	}
	gang(t, 20, func(i int) {
		for n, k := range list {
			if i>>n&1 != 0 {
				k.Set(i)
				made.Add(1)
			}
		}
	})
	if made.Load() != destroyed.Load() {
		t.Errorf("%d values, %d destroyed", made.Load(), destroyed.Load())
	}
}

// TestCancellation cancels a thread in every cancellation point, while it sleeps there and
// before.
func TestCancellation(t *testing.T) {
	var m Mutex
	var c Cond
	var s, forever Semaphore
	other := begin(t, func() any { forever.Wait(); return nil })
	points := map[string]struct {
		wait   func()
		asleep *events // what it sleeps for; nil if it does not
	}{
		"TestCancel":          {TestCancel, nil},
		"Sleep":               {func() { Sleep(time.Hour) }, new(events)},
		"Semaphore.Wait":      {func() { s.Wait() }, &s.events},
		"Semaphore.WaitUntil": {func() { s.WaitUntil(time.Now().Add(time.Hour)) }, &s.events},
		"Cond.Wait":           {func() { m.Lock(); c.Wait(&m) }, &c.events},
		"Cond.WaitUntil":      {func() { m.Lock(); c.WaitUntil(&m, time.Now().Add(time.Hour)) }, &c.events},
		"Join":                {func() { other.Join() }, &other.ends},
	}
	for name, p := range points {
		for _, before := range []bool{true, false} {
			if !before && p.asleep == nil {
				continue
			}
			cleaned := false
			var gate Semaphore
			th := begin(t, func() any {
				PushCleanup(func() {
					cleaned = true
					if m.mine() {
						m.Unlock()
					}
				})
				was := EnableCancel(false)
				gate.Wait() // no cancellation point while it is disabled
				EnableCancel(was)
				p.wait()
				return "not cancelled"
			})
			if before {
				sleeping(&gate.events, 1)
				th.Cancel()
				gate.Post()
			} else {
				gate.Post()
				until(func() bool { e := th.asleep.Load(); return e != nil && e != &gate.events })
				th.Cancel()
			}
			if got, err := th.Join(); got != Canceled || err != nil || !cleaned {
				t.Errorf("%s, cancelled before is %v: %v, %v, cleaned %v", name, before, got, err, cleaned)
			}
			th.Cancel() // nobody minds
		}
	}
	if !m.mine() && m.TryLock() != nil {
		t.Error("the mutex was left locked")
	}
	forever.Post()
	join(t, other, nil) // those who were cancelled have not joined it
	_, err := SetCancelType(Asynchronous)
	expect(t, "asynchronous cancellation", err, syscall.ENOTSUP)
	_, err = SetCancelType(9)
	expect(t, "no such type", err, syscall.EINVAL)
	before, err := SetCancelType(Deferred)
	expect(t, "deferred cancellation", err, nil)
	if before != Deferred || EnableCancel(true) {
		t.Error("a goroutine can be cancelled")
	}
}

// TestCancelKeepsSignal: a signal that wakes a thread that is being cancelled is not
// lost to others.
func TestCancelKeepsSignal(t *testing.T) {
	var m Mutex
	var c Cond
	for range 200 {
		tickets := 0
		wait := func() any {
			m.Lock()
			PushCleanup(func() { m.Unlock() })
			for tickets == 0 {
				c.Wait(&m)
			}
			tickets--
			PopCleanup(true)
			return 1
		}
		a, b := begin(t, wait), begin(t, wait)
		sleeping(&c.events, 2)
		m.Lock()
		tickets = 1
		m.Unlock()
		c.Signal()
		a.Cancel()
		got, _ := a.Join()
		if got == 1 {
			m.Lock()
			tickets = 1
			m.Unlock()
			c.Signal()
		}
		join(t, b, 1)
	}
}

// TestCancelPassesSignal: a thread that is cancelled, but woken by a signal before
// Cancel could wake all, wakes another in its place.
func TestCancelPassesSignal(t *testing.T) {
	var m Mutex
	var c Cond
	ticket := false
	wait := func() any {
		m.Lock()
		PushCleanup(func() { m.Unlock() })
		for !ticket {
			c.Wait(&m)
		}
		ticket = false
		PopCleanup(true)
		return 1
	}
	a := begin(t, wait)
	sleeping(&c.events, 1)
	b := begin(t, wait)
	sleeping(&c.events, 2)
	m.Lock()
	ticket = true
	m.Unlock()
	a.cancelled.Store(true) // the first half of Cancel
	c.Signal()
	join(t, b, 1)
	a.Cancel()
	join(t, a, Canceled)
}

// TestEvents: what happens between a look and the sleep that follows ends the sleep.
func TestEvents(t *testing.T) {
	var e events
	count := e.count.Load()
	e.happen(1)
	expect(t, "slept for what has happened", e.sleep(count, time.Now().Add(time.Second), nil), nil)
	expect(t, "slept for nothing", e.sleep(e.count.Load(), soon(), nil), syscall.ETIMEDOUT)
}

func TestSleep(t *testing.T) {
	for _, sleep := range []func(time.Duration){Sleep, func(d time.Duration) {
		join(t, begin(t, func() any { Sleep(d); return nil }), nil)
	}} {
		began := time.Now()
		sleep(20 * time.Millisecond)
		if d := time.Since(began); d < 20*time.Millisecond {
			t.Errorf("slept %v", d)
		}
	}
}

func TestSchedule(t *testing.T) {
	for p, want := range map[Policy][2]int{Other: {0, 0}, FIFO: {1, 99}, RoundRobin: {1, 99}} {
		low, high, err := PriorityRange(p)
		if err != nil || low != want[0] || high != want[1] {
			t.Errorf("policy %d: priorities %d to %d, %v", p, low, high, err)
		}
	}
	_, _, err := PriorityRange(77)
	expect(t, "priorities of no policy", err, syscall.EINVAL)

	var gate Semaphore
	th := begin(t, func() any { gate.Wait(); return nil })
	got, err := th.Schedule()
	if err != nil || got != (Schedule{}) {
		t.Errorf("scheduled at first: %+v, %v", got, err)
	}
	for _, s := range []Schedule{{Other, 1}, {FIFO, 0}, {RoundRobin, 100}, {77, 1}, {FIFO, 1 << 40}, {-1, 0}} {
		expect(t, "a schedule that is none", th.SetSchedule(s), syscall.EINVAL)
		_, err := Create(func() any { return nil }, &Attributes{Schedule: &s})
		expect(t, "created with a schedule that is none", err, syscall.EINVAL)
	}
	high := Schedule{FIFO, 10}
	err = th.SetSchedule(high)
	gate.Post()
	join(t, th, nil)
	_, ended := th.Schedule()
	expect(t, "schedule of one that ended", ended, syscall.ESRCH)
	expect(t, "schedule for one that ended", th.SetSchedule(high), syscall.ESRCH)
	if err == syscall.EPERM {
		_, err := Create(func() any { return nil }, &Attributes{Schedule: &high})
		expect(t, "created with a schedule that is not for us", err, syscall.EPERM)
		t.Skip("fixed priorities are not for us here")
	}
	if err != nil {
		t.Fatal(err)
	}
	th, err = Create(func() any {
		mine, _ := Self().Schedule()
		child := begin(t, func() any { got, _ := Self().Schedule(); return got })
		join(t, child, mine) // inherited
		return mine
	}, &Attributes{Schedule: &high, Name: "a name of more than fifteen letters"})
	expect(t, "created with a priority", err, nil)
	join(t, th, high)
	// And nothing of it stays behind.
	join(t, begin(t, func() any { got, _ := Self().Schedule(); return got }), Schedule{})
}

func TestConcurrency(t *testing.T) {
	before := Concurrency()
	expect(t, "none", SetConcurrency(0), syscall.EINVAL)
	expect(t, "some", SetConcurrency(before+1), nil)
	if Concurrency() != before+1 {
		t.Errorf("%d", Concurrency())
	}
	SetConcurrency(before)
}

// TestYield: everybody gets on.
func TestYield(t *testing.T) {
	var turn atomic.Int32
	gang(t, 4, func(i int) {
		for n := range int32(100) {
			for turn.Load() != n*4+int32(i) {
				Yield()
			}
			turn.Add(1)
		}
	})
}
