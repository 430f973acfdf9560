package wait

import (
	"context"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"skerry/abi"
	"skerry/lib/native"
)

// TestHandOver gives turns to who is owed one, once each, the last of several.
func TestHandOver(t *testing.T) {
	s, _ := open(t, nil)
	if s.HandOver() {
		t.Error("gave a turn to nobody")
	}
	var given []string
	neighbour := func(name string) *Neighbour {
		return s.Neighbour(func() { given = append(given, name) })
	}
	a, b := neighbour("a"), neighbour("b")
	if s.HandOver() {
		t.Error("gave a turn that is not owed")
	}
	a.Owe()
	if !s.HandOver() || s.HandOver() {
		t.Error("a turn is given not at all, or twice")
	}
	a.Owe()
	b.Owe()
	s.HandOver()
	b.Owe()
	b.Leave()
	if s.HandOver() {
		t.Error("gave a turn to one that has left")
	}
	if want := []string{"a", "b"}; !slices.Equal(given, want) {
		t.Errorf("turns were given to %v, want %v", given, want)
	}
}

// TestOwnFirst has a goroutine answer that can run when another is about to wait: the
// neighbour has its turn after the answer, and who was the other waits.
func TestOwnFirst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s, _ := open(t, nil)
	var answered, before, given int
	n := s.Neighbour(func() { given, before = given+1, answered })
	for i := range 100 {
		go func() {
			answered++
			n.Owe()
		}()
		for !s.HandOver() {
		}
		if given != i+1 || before != answered {
			t.Fatalf("turn %d was given with %d of %d answers", given, before, answered)
		}
	}
}

// TestSleepAgain has one goroutine answer a neighbour all the time, and another look
// again whenever that one gives way: it finds nothing owed, and can sleep.
func TestSleepAgain(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s, _ := open(t, nil)
	var over atomic.Bool
	n := s.Neighbour(func() {})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !over.Load() {
			n.Owe()
			s.HandOver()
			runtime.Gosched()
		}
	}()
	given := 0
	for range 100 {
		if s.HandOver() {
			given++ // the other was preempted in between
		}
	}
	if given > 50 {
		t.Errorf("of 100 times it has given a turn that another owed %d times", given)
	}
	over.Store(true)
	<-done
}

// TestNotified has who looks find what has come without a hint, once the kernel says that
// something has, and ask nobody before.
func TestNotified(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	s, err := prepare(r, nil) // there is no pump that would ask as well
	if err != nil {
		t.Fatal(err)
	}
	d := new(abi.Dispatcher)
	s.Heed(native.PageOf(d), true)
	if s.Wanted() || s.Called() {
		t.Error("wanted, or called, by nobody")
	}
	if atomic.StoreUint32(&d.Wanted, 1); !s.Wanted() {
		t.Error("not wanted by others")
	}
	var came, asked atomic.Int32
	i, err := s.Add(func() bool { asked.Add(1); return came.Load() != 0 })
	if err != nil {
		t.Fatal(err)
	}
	waits, woken := make(chan struct{}), make(chan error)
	go func() {
		woken <- i.Wait(context.Background(), func() bool { close(waits); return true })
	}()
	<-waits
	came.Store(1)
	if s.Look(); asked.Load() != 0 {
		t.Error("asked though nothing was notified")
	}
	if atomic.AddUint64(&d.Notified, 1); !s.Called() {
		t.Error("not called")
	}
	for s.Called() {
		s.Look() // does nothing while the other is about to sleep
	}
	if err := <-woken; err != nil || asked.Load() == 0 {
		t.Error(err, asked.Load())
	}
}

// TestRousedFirst has something come for one goroutine while another goes on with a
// neighbour: the first soon runs, though the neighbour is owed turns all the time.
func TestRousedFirst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b := newBoard()
	s, _ := open(t, b)
	i, err := s.Add(nil)
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan struct{})
	var ran atomic.Bool
	go func() {
		if err := i.Wait(context.Background(), func() bool { close(waits); return true }); err != nil {
			t.Error(err)
		}
		ran.Store(true)
	}()
	<-waits
	turns := 0
	n := s.Neighbour(func() {
		if turns++; turns == 1 {
			b.bell(i.Number()).Hint()
		} else if turns == 6 && !ran.Load() {
			t.Error("the neighbour's turn goes before who was woken")
		}
	})
	for range 6 { // the other may not quite sleep, and the runtime may let others go first
		n.Owe()
		s.HandOver()
	}
	if turns != 6 {
		t.Errorf("%d turns", turns)
	}
}
