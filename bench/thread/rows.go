package main

import (
	"runtime"
	"sync/atomic"
	"syscall"

	"skerry/bench/measure"
	"skerry/lib/native/vdso"
	"skerry/lib/thread"
)

var rows = []measure.Row{
	{Name: "thread_switch", Prepare: func() (measure.Operation, error) {
		if f := vdso.Symbol(vdso.Yield); f != 0 {
			return yielding(func() { turns(f, many) }, many)
		}
		return yielding(yieldCall, 1)
	}},
	{Name: "thread_switch_call", Prepare: func() (measure.Operation, error) { return yielding(yieldCall, 1) }},
	{Name: "thread_yield", Prepare: func() (measure.Operation, error) { return yielding(thread.Yield, 1) }},
	{Name: "thread_mutex", Prepare: func() (measure.Operation, error) {
		var m thread.Mutex
		return measure.Operation{Run: func() {
			m.Lock()
			m.Unlock()
		}}, nil
	}},
	{Name: "thread_semaphore", Prepare: func() (measure.Operation, error) {
		var s thread.Semaphore
		return measure.Operation{Run: func() {
			s.Post()
			s.TryWait()
		}}, nil
	}},
	{Name: "thread_cond_pingpong", Prepare: condPingPong},
	{Name: "thread_join", Prepare: func() (measure.Operation, error) {
		return measure.Operation{Run: func() {
			t, err := thread.Create(func() any { return nil }, nil)
			if err != nil {
				panic(err)
			}
			t.Join()
		}}, nil
	}},
}

// pair begins a second thread and lets it and the caller, which becomes one too, have
// processors of their own. end is to be called when the second is about to end.
func pair(second func()) (end func(), err error) {
	before := thread.Concurrency()
	thread.SetConcurrency(2)
	runtime.LockOSThread()
	t, err := thread.Create(func() any { second(); return nil }, nil)
	if err != nil {
		return nil, err
	}
	return func() {
		t.Join()
		runtime.UnlockOSThread()
		thread.SetConcurrency(before)
	}, nil
}

// turns calls the system's function that yields, n times.
func turns(function uintptr, n int)

// many is how often turns yields for one operation.
const many = 1000

// yieldCall is the call that yields.
func yieldCall() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }

// yielding is two threads that yield to each other: one operation is so many yields,
// and two switches for each.
func yielding(yield func(), yields int) (measure.Operation, error) {
	var stop atomic.Bool
	end, err := pair(func() {
		for !stop.Load() {
			yield()
		}
	})
	if err != nil {
		return measure.Operation{}, err
	}
	return measure.Operation{Run: yield, Units: 2 * yields, Done: func() {
		stop.Store(true)
		end()
	}}, nil
}

// condPingPong is a round trip between two threads that wait for each other at
// condition variables.
func condPingPong() (measure.Operation, error) {
	var m thread.Mutex
	var there, back thread.Cond
	asked, answered, stop := 0, 0, false
	end, err := pair(func() {
		m.Lock()
		defer m.Unlock()
		for {
			for asked == answered && !stop {
				there.Wait(&m)
			}
			if stop {
				return
			}
			answered = asked
			back.Signal()
		}
	})
	if err != nil {
		return measure.Operation{}, err
	}
	return measure.Operation{
		Run: func() {
			m.Lock()
			asked++
			there.Signal()
			for answered != asked {
				back.Wait(&m)
			}
			m.Unlock()
		},
		Done: func() {
			m.Lock()
			stop = true
			there.Signal()
			m.Unlock()
			end()
		},
	}, nil
}
