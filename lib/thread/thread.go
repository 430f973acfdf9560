package thread

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Most is how many threads there may be at a time that Create has made.
const Most = 256

// Attributes say how a thread is to be made. The zero value is as nil.
type Attributes struct {
	// Detached threads cannot be joined.
	Detached bool
	// Name is what those who look into the program see: its first 15 bytes.
	Name string
	// Schedule is how it is scheduled; nil is as the creating thread is.
	Schedule *Schedule
}

// Thread is a thread that Create or Attach has made.
type Thread struct {
	id    int32 // the system's number, 0 before it runs
	start func() any
	begun chan error // whether it could be made as it was to be, before start

	lock  Mutex // of the two next, and of what is asked of the system about id
	state joinState
	ended bool
	ends  events
	value any // what it left, once ended

	cancelled atomic.Bool
	asleep    atomic.Pointer[events] // what it sleeps for in a cancellation point

	// Only the thread itself touches the rest.
	disabled bool // cancellation is
	exiting  bool
	cleanups []func()
	values   map[*Key]any
}

// joinState says who may join a thread.
type joinState uint8

const (
	joinable joinState = iota
	joining            // somebody does
	detached           // or joined: nobody may
)

var (
	// live counts the threads of Create that have not ended.
	live atomic.Int32
	// registry has all threads by what self returns in them.
	registry = struct {
		sync.RWMutex
		threads map[uintptr]*Thread
	}{threads: make(map[uintptr]*Thread)}
)

// Create makes a thread that calls start, and ends when that returns; what it returns
// is what Join gets. If attributes is nil it is a joinable thread, scheduled as its
// creator is. Create blocks until the thread runs. It fails with EAGAIN when there are
// Most threads, with EPERM if the system does not let the program schedule a thread
// so, and with EINVAL if there is no such schedule.
//
// Unlike POSIX's, a new thread does not inherit a signal mask: signals are the Go
// runtime's.
func Create(start func() any, attributes *Attributes) (*Thread, error) {
	if live.Add(1) > Most {
		live.Add(-1)
		return nil, syscall.EAGAIN
	}
	var a Attributes
	if attributes != nil {
		a = *attributes
	}
	if a.Schedule == nil {
		s, err := scheduleOf(0)
		if err != nil {
			live.Add(-1)
			return nil, err
		}
		a.Schedule = &s
	}
	t := &Thread{start: start, begun: make(chan error)}
	if a.Detached {
		t.state = detached
	}
	go t.run(a)
	if err := <-t.begun; err != nil {
		return nil, err
	}
	return t, nil
}

// run is what the thread does.
func (t *Thread) run(a Attributes) {
	runtime.LockOSThread() // and never unlocked: the OS thread ends with the goroutine
	defer live.Add(-1)
	t.id = int32(syscall.Gettid())
	if err := setSchedule(0, *a.Schedule); err != nil {
		t.begun <- err
		return
	}
	if a.Name != "" {
		setName(a.Name)
	}
	t.register()
	defer t.end()
	t.begun <- nil
	t.value = t.start()
}

// register makes t what Self returns from now on.
func (t *Thread) register() {
	registry.Lock()
	defer registry.Unlock()
	registry.threads[self()] = t
}

// end is the last that the calling thread does.
func (t *Thread) end() {
	t.exiting = true
	t.clean()
	t.destroy()
	registry.Lock()
	delete(registry.threads, self())
	registry.Unlock()
	t.lock.Lock()
	t.ended = true
	t.lock.Unlock()
	t.ends.happen(all)
}

// Attach makes the calling goroutine, that of main for instance, a detached thread:
// it is bound to its OS thread, Self returns the Thread, and it may have values for
// keys and be cancelled. The goroutine must call detach before it ends, unless it
// ends by Exit: that runs what is left of its cleanup handlers, and the destructors
// of its values, and makes it a plain goroutine again. Attach fails with EINVAL if the caller is a Thread.
func Attach() (t *Thread, detach func(), err error) {
	if Self() != nil {
		return nil, nil, syscall.EINVAL
	}
	runtime.LockOSThread()
	t = &Thread{id: int32(syscall.Gettid()), state: detached}
	t.register()
	return t, func() {
		t.end()
		runtime.UnlockOSThread()
	}, nil
}

// Self returns the calling thread, nil if the caller is a goroutine that is none.
func Self() *Thread {
	registry.RLock()
	defer registry.RUnlock()
	return registry.threads[self()]
}

// Equal says whether two threads are the same.
func Equal(a, b *Thread) bool { return a == b }

// ID returns the number by which the system knows the thread.
func (t *Thread) ID() int { return int(t.id) }

// Exit ends the calling thread, as if what it began with had returned value. Cleanup
// handlers run, the last first; then deferred functions, as of runtime.Goexit; then the
// destructors of its values. It does not return. When the main goroutine ends this way
// the program goes on, until no goroutine is left.
func Exit(value any) { Self().exit(value) }

// exit is Exit in the calling thread, nil if it is none.
func (t *Thread) exit(value any) {
	if t != nil {
		t.exiting = true
		t.value = value
		t.clean()
		if t.begun == nil {
			t.end() // attached: nobody else does
		}
	}
	runtime.Goexit()
}

// Join blocks until the thread has ended, and returns what it left: what start
// returned, what it gave to Exit, or Canceled. A thread can be joined once: Join fails
// with EINVAL if it is detached, has been joined, or another thread is joining it; with
// EDEADLK if it is the caller. It is a cancellation point; if the caller is cancelled,
// the thread can still be joined.
func (t *Thread) Join() (value any, err error) {
	me := Self()
	if t == me {
		return nil, syscall.EDEADLK
	}
	me.testCancel()
	if !t.move(joinable, joining) {
		return nil, syscall.EINVAL
	}
	if err := t.ends.await(t.hasEnded, time.Time{}, me); err != nil {
		t.move(joining, joinable)
		me.exit(Canceled)
	}
	t.move(joining, detached)
	return t.value, nil
}

// Detach says that nobody will join the thread. It fails with EINVAL if it cannot be
// joined.
func (t *Thread) Detach() error {
	if !t.move(joinable, detached) {
		return syscall.EINVAL
	}
	return nil
}

// move changes who may join the thread, and says whether that was as expected.
func (t *Thread) move(from, to joinState) bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.state != from {
		return false
	}
	t.state = to
	return true
}

// hasEnded says whether the thread has ended.
func (t *Thread) hasEnded() bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.ended
}
