package wait

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"skerry/lib/urpc"
)

// board is a board's memory.
type board struct{ hints, sleep []uint64 }

func newBoard() *board {
	return &board{make([]uint64, urpc.BoardSize/8), make([]uint64, 8)}
}

func (b *board) addresses() (hints, sleep uintptr) {
	return uintptr(unsafe.Pointer(&b.hints[0])), uintptr(unsafe.Pointer(&b.sleep[0]))
}

// owner returns the owner's view.
func (b *board) owner() *urpc.Board {
	if b == nil {
		return nil
	}
	o := new(urpc.Board)
	o.Attach(b.addresses())
	return o
}

// bell returns a peer's.
func (b *board) bell(number int) *urpc.Bell {
	p := new(urpc.Bell)
	hints, sleep := b.addresses()
	p.Attach(hints, sleep, number)
	return p
}

// open returns a Set and a function that rings.
func open(t testing.TB, b *board) (*Set, func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s, err := On(r, b.owner())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close()
		s.Close()
		runtime.KeepAlive(b)
	})
	return s, func() { w.Write([]byte{1}) }
}

// source is something to wait for: a number that grows, and whether its reader
// sleeps.
type source struct {
	item            *Item
	bell            *urpc.Bell // nil: none
	sent, announced atomic.Uint64
	received        uint64
}

func add(t testing.TB, s *Set, b *board) *source {
	t.Helper()
	o := &source{}
	i, err := s.Add(func() bool { return o.sent.Load() > o.received })
	if err != nil {
		t.Fatal(err)
	}
	o.item = i
	if b != nil {
		o.bell = b.bell(i.Number())
	}
	return o
}

func (o *source) arm() bool {
	o.announced.Store(1)
	if o.sent.Load() > o.received {
		o.announced.Store(0)
		return false
	}
	return true
}

// receive waits for the number to have grown.
func (o *source) receive(ctx context.Context) error {
	for o.sent.Load() == o.received {
		if err := o.item.Wait(ctx, o.arm); err != nil {
			return err
		}
		o.announced.Store(0)
	}
	o.received++
	return nil
}

// send has it grow, and reports whether the program is to be rung.
func (o *source) send() bool {
	o.sent.Add(1)
	return o.announced.Load() != 0 && (o.bell == nil || o.bell.Hint())
}

// TestNoLostWakeup has many wait while others send at random, with a board, with
// one that a hostile peer scribbles on, and without.
func TestNoLostWakeup(t *testing.T) {
	messages := 200_000
	if testing.Short() {
		messages = 20_000
	}
	for _, items := range []int{1, 10, 100, 1000} {
		for _, with := range []string{"hints", "hostile hints", "no hints"} {
			t.Run(fmt.Sprintf("%d items, %s", items, with), func(t *testing.T) {
				lostWakeup(t, items, messages/items+1, with)
			})
		}
	}
}

func lostWakeup(t *testing.T, items, messages int, with string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var b *board
	if with != "no hints" {
		b = newBoard()
	}
	s, ring := open(t, b)
	sources := make([]*source, items)
	for i := range sources {
		sources[i] = add(t, s, b)
	}
	var receivers, others sync.WaitGroup
	var failed atomic.Uint64
	for _, o := range sources {
		receivers.Go(func() {
			for range messages {
				if err := o.receive(ctx); err != nil {
					failed.Add(1)
					return
				}
			}
		})
	}
	const senders = 4
	for n := range senders {
		others.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			// Each sends to its own: a source has one sender.
			for left := (items - n + senders - 1) / senders * messages; left > 0; {
				o := sources[n+random.IntN((items-n+senders-1)/senders)*senders]
				if o.sent.Load() == uint64(messages) {
					continue
				}
				if o.send() {
					ring()
				}
				left--
				if random.IntN(4) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	stop := make(chan struct{})
	var hostile sync.WaitGroup
	if with == "hostile hints" {
		hostile.Go(func() {
			random := rand.New(rand.NewPCG(1, 2))
			for {
				select {
				case <-stop:
					return
				default:
				}
				w := &b.hints[random.IntN(len(b.hints))]
				if random.IntN(4) == 0 {
					atomic.StoreUint64(w, random.Uint64())
				} else {
					atomic.StoreUint64(w, 0)
				}
				runtime.Gosched()
			}
		})
	}
	others.Wait()
	receivers.Wait()
	close(stop)
	hostile.Wait()
	if n := failed.Load(); n != 0 {
		t.Errorf("%d of %d wait for ever", n, items)
	}
}

// TestWait checks what ends a wait.
func TestWait(t *testing.T) {
	b := newBoard()
	s, ring := open(t, b)
	o := add(t, s, b)
	asleep := make(chan struct{})
	arm := func() bool { close(asleep); return true }
	wait := func(ctx context.Context) chan error {
		asleep = make(chan struct{})
		ended := make(chan error, 1)
		go func() { ended <- o.item.Wait(ctx, arm) }()
		return ended
	}
	expect := func(what string, ended chan error, want error) {
		t.Helper()
		select {
		case err := <-ended:
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: still waits", what)
		}
	}
	bg := context.Background()

	if err := o.item.Wait(bg, func() bool { return false }); err != nil {
		t.Error("arm said not to sleep:", err)
	}
	o.item.Wake()
	expect("woken before", wait(bg), nil)

	ended := wait(bg)
	<-asleep
	o.item.Wake()
	expect("woken", ended, nil)

	ended = wait(bg)
	<-asleep
	o.bell.Hint()
	ring()
	expect("hinted", ended, nil)

	ended = wait(bg)
	<-asleep
	o.bell.Hint()
	for {
		s.Look()
		select {
		case err := <-ended:
			ended <- err
		default:
			runtime.Gosched()
			continue
		}
		break
	}
	expect("hinted and looked", ended, nil)

	ended = wait(bg)
	<-asleep
	o.sent.Add(1)
	ring()
	expect("pending", ended, nil)
	o.received++

	ctx, cancel := context.WithCancel(bg)
	ended = wait(ctx)
	<-asleep
	cancel()
	expect("cancelled", ended, context.Canceled)
	expect("cancelled before", wait(ctx), context.Canceled)

	ctx, cancel = context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	expect("deadline", wait(ctx), context.DeadlineExceeded)

	ended = wait(bg)
	<-asleep
	s.Close()
	expect("closed", ended, ErrClosed)
	expect("closed before", wait(bg), ErrClosed)
	if _, err := s.Add(nil); !errors.Is(err, ErrClosed) {
		t.Error("added to a closed set:", err)
	}
}

// TestStaleHint checks that a hint for one that does not wait wakes nobody later.
func TestStaleHint(t *testing.T) {
	b := newBoard()
	s, ring := open(t, b)
	idle, o := add(t, s, b), add(t, s, b)
	idle.bell.Hint()
	o.bell.Hint()
	ring()
	// The pump has been through when the later one is woken.
	o.sent.Add(1)
	if err := o.receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := idle.item.Wait(ctx, idle.arm); !errors.Is(err, context.Canceled) {
		t.Error("a hint from before ended a wait:", err)
	}
}

// TestNumbers checks that places are used again, and numbers shared.
func TestNumbers(t *testing.T) {
	b := newBoard()
	s, ring := open(t, b)
	var all []*source
	for i := range urpc.Hints + 10 {
		o := add(t, s, b)
		if o.item.Number() != i%urpc.Hints {
			t.Fatalf("item %d has number %d", i, o.item.Number())
		}
		all = append(all, o)
	}
	all[33].item.Remove()
	all[33].item.Remove()
	times := map[int]int{}
	for len(all) < 2*urpc.Hints+1 {
		all = append(all, add(t, s, b))
	}
	for _, o := range all {
		if o != all[33] {
			times[o.item.Number()]++
		}
	}
	for n := range urpc.Hints {
		if times[n] != 2 {
			t.Errorf("number %d has %d items, as all numbers together have twice as many as there are", n, times[n])
		}
	}
	twin, err := all[5].item.Twin(nil)
	if err != nil {
		t.Fatal(err)
	}
	// All of a number are woken.
	ended := make(chan error, 3)
	var asleep sync.WaitGroup
	asleep.Add(3)
	for _, i := range []*Item{all[5].item, all[urpc.Hints+5].item, twin} {
		go func() { ended <- i.Wait(t.Context(), func() bool { asleep.Done(); return true }) }()
	}
	asleep.Wait()
	all[5].bell.Hint()
	ring()
	for range 3 {
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("still waits")
		}
	}
}

// TestNotPolled checks that a file the runtime cannot poll is refused.
func TestNotPolled(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if s, err := On(f, nil); err == nil {
		s.Close()
		t.Error("a plain file can be slept on")
	}
}

// TestAllocations holds a wait at no allocations.
func TestAllocations(t *testing.T) {
	b := newBoard()
	s, ring := open(t, b)
	o := add(t, s, b)
	go func() {
		for t.Context().Err() == nil {
			if o.sent.Load() == 0 || o.announced.Load() != 0 {
				if o.send() {
					ring()
				}
			}
			runtime.Gosched()
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if n := testing.AllocsPerRun(2000, func() {
		if err := o.receive(ctx); err != nil {
			t.Fatal(err)
		}
	}); n >= 0.5 {
		t.Errorf("%v allocations a wait", n)
	}
}

// BenchmarkAsk tells what it takes the pump to look at all that wait.
func BenchmarkAsk(b *testing.B) {
	for _, items := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(items), func(b *testing.B) {
			hints := newBoard()
			s, ring := open(b, hints)
			var asleep sync.WaitGroup
			for range items {
				o := add(b, s, hints)
				asleep.Add(1)
				go o.item.Wait(b.Context(), func() bool { asleep.Done(); return true })
			}
			asleep.Wait()
			o := add(b, s, hints)
			for b.Loop() {
				if o.send() {
					ring()
				}
				if err := o.receive(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestPoll counts those who may poll.
func TestPoll(t *testing.T) {
	s, _ := open(t, nil)
	s.most = 2
	for range 2 {
		if !s.Poll() || !s.Poll() {
			t.Error("two may poll")
		}
		if s.Poll() || s.Poll() {
			t.Error("a third may poll")
		}
		s.Polled()
		s.Polled()
	}
}
