package thread

import (
	"errors"
	"os"
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
