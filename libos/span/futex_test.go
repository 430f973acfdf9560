package span

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"skerry/abi"
)

// views returns the views of so many dispatchers of one frame, with a thread in each
// of the first slots. The memory must be kept.
func views(dispatchers, threads int) (frames []Frame, memory []uint64) {
	memory = make([]uint64, abi.SpanSize(uint64(dispatchers))/8)
	frames = make([]Frame, dispatchers)
	for i := range frames {
		frames[i].Init(uintptr(unsafe.Pointer(&memory[0])), i, dispatchers)
	}
	frames[Home].Begin(1)
	for range threads {
		frames[Home].NewThread(1)
	}
	return frames, memory
}

const everyBit = 1<<32 - 1

// TestNobodyWakesWhoLooks: a wake-up passes by who has announced and looks at the word
// yet, and goes to one that sleeps; who looks has to look again.
func TestNobodyWakesWhoLooks(t *testing.T) {
	frames, memory := views(2, 2)
	home, other := &frames[0], &frames[1]
	home.Wait(0, 0x1000, everyBit)
	if n := other.Wake(0x1000, everyBit, 1); n != 0 {
		t.Errorf("%d are woken and nobody sleeps", n)
	}
	if home.Sleep(0) {
		t.Error("it sleeps though a wake-up has come since it looked")
	}
	home.Wait(0, 0x1000, everyBit)
	home.Wait(1, 0x1000, everyBit)
	if !home.Sleep(1) {
		t.Error("it does not sleep though nothing has happened")
	}
	if n := other.Wake(0x1000, everyBit, 1); n != 1 || !home.Woken(1) {
		t.Errorf("%d are woken of one that sleeps behind one that looks", n)
	}
	if home.Sleep(0) {
		t.Error("it sleeps though a wake-up has passed by")
	}
	home.Wait(0, 0x1000, everyBit)
	if n := other.Requeue(0x1000, 0x2000, 0, 5, other.Now()); n != 0 || home.Sleep(0) {
		t.Errorf("%d are moved and nobody sleeps", n)
	}
	runtime.KeepAlive(memory)
}

// TestNobodyWaitsForNothing: wake-ups where nobody can wait find nobody, and end.
func TestNobodyWaitsForNothing(t *testing.T) {
	frames, memory := views(1, 3)
	f := &frames[0]
	for _, address := range []uint64{0, 1, 2, 0x1001, 0x1002, abi.SpanTop, abi.SpanTop + 0x1000, 1 << 63} {
		f.Wait(1, 0x1000, everyBit)
		f.Sleep(1)
		if n := f.Wake(address, everyBit, 1<<30) + f.Requeue(address, 0x2000, 1, 1, f.Now()); n != 0 {
			t.Errorf("at %#x %d are woken", address, n)
		}
		if f.EndWait(1) {
			t.Errorf("a wake-up at %#x wakes one that waits elsewhere", address)
		}
	}
	runtime.KeepAlive(memory)
}

// TestRequeueTakesOnlyOlder: who came after the requeue looked at the word stays.
func TestRequeueTakesOnlyOlder(t *testing.T) {
	frames, memory := views(1, 2)
	f := &frames[0]
	f.Wait(0, 0x1000, everyBit)
	f.Sleep(0)
	ticket := f.Now()
	f.Wait(1, 0x1000, everyBit)
	f.Sleep(1)
	if n := f.Requeue(0x1000, 0x2000, 0, 5, ticket); n != 1 || f.Key(0) != 0x2000 || f.Key(1) != 0x1000 {
		t.Errorf("%d moved, to %#x and %#x", n, f.Key(0), f.Key(1))
	}
	if n := f.Wake(0x2000, everyBit, 5); n != 1 || !f.Woken(0) || f.Woken(1) {
		t.Errorf("%d woken at where one was moved to", n)
	}
	runtime.KeepAlive(memory)
}

// TestWaitsDiffer: whoever found a wait cannot claim the next one of that thread for it.
func TestWaitsDiffer(t *testing.T) {
	frames, memory := views(1, 1)
	f, seen := &frames[0], map[uint64]bool{}
	for range 1000 {
		f.Wait(0, 0x1000, everyBit)
		if !f.Sleep(0) || seen[f.control().waiting[0]] {
			t.Fatal("two waits are the same word")
		}
		seen[f.control().waiting[0]] = true
		f.EndWait(0)
	}
	runtime.KeepAlive(memory)
}

// TestCounts has dispatchers wait and wake at the same time, for real: each wake-up
// that is counted ends one sleep that waits for its bit, and no other ends by one.
func TestCounts(t *testing.T) {
	const sleepers, kinds, rounds = 4, 2, 20_000
	frames, memory := views(sleepers+kinds, sleepers)
	var word atomic.Uint32
	var slept, counted [kinds]atomic.Int64
	var waiting, waking sync.WaitGroup
	var over atomic.Bool
	for slot := range sleepers {
		waiting.Go(func() {
			f := &frames[slot]
			for round := range rounds {
				value, kind := word.Load(), round%kinds
				f.Wait(slot, 0x1000, 1<<kind)
				if word.Load() != value || !f.Sleep(slot) {
					f.EndWait(slot)
					continue
				}
				for range round % 50 {
					if f.Woken(slot) {
						break
					}
					runtime.Gosched()
				}
				if f.EndWait(slot) {
					slept[kind].Add(1)
				}
			}
		})
	}
	for kind := range kinds {
		waking.Go(func() {
			for !over.Load() {
				word.Add(1)
				counted[kind].Add(int64(frames[sleepers+kind].Wake(0x1000, 1<<kind, 1+kind)))
				runtime.Gosched()
			}
		})
	}
	waiting.Wait()
	over.Store(true)
	waking.Wait()
	for kind := range kinds {
		if s, c := slept[kind].Load(), counted[kind].Load(); s != c || s == 0 {
			t.Errorf("%d sleeps for bit %d ended by wake-ups, of which %d were counted", s, kind, c)
		}
	}
	runtime.KeepAlive(memory)
}
