package main

import (
	"skerry/abi/linux"
	"skerry/carrier"
)

// Timers that send signals: the three of setitimer, then those of timer_create.
const (
	maxTimers   = 64
	firstPOSIX  = 3
	noSignal    = 0
	notifyNone  = 1 // SIGEV_NONE
	notifyTID   = 4 // SIGEV_THREAD_ID
	sigeventLen = 64
)

// timer is a timer that may be armed.
type timer struct {
	used     bool
	running  bool  // it counts processor time: it fires for a thread that runs
	signal   int32 // noSignal for none
	thread   int32 // the thread it signals, 0 for the program
	code     int32
	deadline int64 // 0 when it is not armed
	interval int64
}

var timers struct {
	list [maxTimers]timer
	used int   // entries below are or were in use
	next int64 // the earliest deadline, 0 if none is armed
}

// nextTimer returns when the next timer fires, 0 if none is armed.
func nextTimer() int64 { return timers.next }

// setTimer arms a timer, or disarms it if value is 0.
func setTimer(t *timer, value, interval int64) {
	t.deadline, t.interval = 0, interval
	if value != 0 {
		t.deadline = after(value)
	}
	findNextTimer()
	arm()
}

func findNextTimer() {
	timers.next = 0
	for i := range timers.used {
		if d := timers.list[i].deadline; d != 0 && (timers.next == 0 || d < timers.next) {
			timers.next = d
		}
	}
}

// expireTimers fires the timers whose time has come. One that counts processor
// time does so in real time while its thread runs.
func expireTimers(t int64) {
	if timers.next == 0 || t < timers.next {
		return
	}
	current := threads.Current()
	for i := range timers.used {
		w := &timers.list[i]
		if w.deadline == 0 || t < w.deadline {
			continue
		}
		w.deadline = 0
		if w.interval != 0 {
			w.deadline = t + w.interval
		}
		switch {
		case w.signal == noSignal:
		case w.thread == 0 && (!w.running || current != nil):
			send(nil, int(w.signal), w.code)
		case w.thread != 0 && spanned.on:
			expireElsewhere(w, current)
		case w.thread != 0:
			if th := threads.Find(w.thread); th != nil && (!w.running || th == current) {
				send(th, int(w.signal), w.code)
			}
		}
	}
	findNextTimer()
}

// expireElsewhere fires a timer for a thread, wherever that is. One that is not at
// home is taken to run.
func expireElsewhere(w *timer, current *carrier.Thread) {
	f := &spanned.frame
	slot := f.Find(w.thread)
	if slot < 0 {
		return
	}
	if !w.running || f.Location(slot) != f.Self() || current != nil && slotOf(current) == slot {
		f.Signal(slot, carrier.SignalBit(int(w.signal)), true)
	}
}

// remaining returns how long until a timer fires, 0 if it is not armed.
func (t *timer) remaining() int64 {
	if t.deadline == 0 {
		return 0
	}
	return max(t.deadline-now(), 1)
}

// initTimers sets up the timers of setitimer.
func initTimers() {
	for i, signal := range [firstPOSIX]int32{linux.SIGALRM, linux.SIGVTALRM, linux.SIGPROF} {
		timers.list[i] = timer{used: true, running: i != linux.ITIMER_REAL, signal: signal, code: linux.SI_KERNEL}
	}
	timers.used = firstPOSIX
}

func toTimeval(ns int64) linux.Timeval {
	t := toTimespec(ns)
	return linux.Timeval{Sec: t.Sec, Usec: t.Nsec / microsecond}
}

func fromTimeval(t *linux.Timeval) (int64, bool) {
	return fromTimespec(&linux.Timespec{Sec: t.Sec, Nsec: t.Usec * microsecond})
}

func callGetitimer(th *carrier.Thread) int64 {
	which, address := th.Regs.RDI, th.Regs.RSI
	if which >= firstPOSIX {
		return -linux.EINVAL
	}
	if !writable(address, 32) {
		return -linux.EFAULT
	}
	t := &timers.list[which]
	*at[linux.Itimerval](address) = linux.Itimerval{Interval: toTimeval(t.interval), Value: toTimeval(t.remaining())}
	return 0
}

func callSetitimer(th *carrier.Thread) int64 {
	which, address, old := th.Regs.RDI, th.Regs.RSI, th.Regs.RDX
	if which >= firstPOSIX {
		return -linux.EINVAL
	}
	if address != 0 && !readable(address, 32) || old != 0 && !writable(old, 32) {
		return -linux.EFAULT
	}
	t := &timers.list[which]
	before := linux.Itimerval{Interval: toTimeval(t.interval), Value: toTimeval(t.remaining())}
	var value, interval int64
	if address != 0 {
		set := *at[linux.Itimerval](address)
		var ok, okToo bool
		value, ok = fromTimeval(&set.Value)
		interval, okToo = fromTimeval(&set.Interval)
		if !ok || !okToo {
			return -linux.EINVAL
		}
	}
	setTimer(t, value, interval)
	if old != 0 {
		*at[linux.Itimerval](old) = before
	}
	return 0
}

// sigevent says how a timer of timer_create tells that it fired.
type sigevent struct {
	value  uint64
	signal int32
	notify int32
	thread int32
}

func callTimerCreate(th *carrier.Thread) int64 {
	clock, event, id := th.Regs.RDI, th.Regs.RSI, th.Regs.RDX
	if _, ok := readClock(clock); !ok {
		return -linux.EINVAL
	}
	t := timer{
		used: true, signal: linux.SIGALRM, code: linux.SI_TIMER,
		running: clock == linux.CLOCK_PROCESS_CPUTIME_ID || clock == linux.CLOCK_THREAD_CPUTIME_ID,
	}
	if event != 0 {
		if !readable(event, sigeventLen) {
			return -linux.EFAULT
		}
		e := *at[sigevent](event)
		t.signal = e.signal
		switch e.notify {
		case notifyNone:
			t.signal = noSignal
		case notifyTID:
			if !exists(e.thread) {
				return -linux.EINVAL
			}
			t.thread = e.thread
		}
		if t.signal < 0 || t.signal >= linux.NSIG {
			return -linux.EINVAL
		}
	}
	if !writable(id, 4) {
		return -linux.EFAULT
	}
	for i := firstPOSIX; i < maxTimers; i++ {
		if !timers.list[i].used {
			timers.list[i] = t
			timers.used = max(timers.used, i+1)
			*at[int32](id) = int32(i)
			return 0
		}
	}
	return -linux.EAGAIN
}

// timerOf returns the timer of timer_create with a number, nil if none has it.
func timerOf(id uint64) *timer {
	if id < firstPOSIX || id >= maxTimers || !timers.list[id].used {
		return nil
	}
	return &timers.list[id]
}

func callTimerSettime(th *carrier.Thread) int64 {
	r := &th.Regs
	t := timerOf(r.RDI)
	if t == nil {
		return -linux.EINVAL
	}
	if !readable(r.RDX, 32) || r.R10 != 0 && !writable(r.R10, 32) {
		return -linux.EFAULT
	}
	set := *at[linux.Itimerspec](r.RDX)
	value, ok := fromTimespec(&set.Value)
	interval, okToo := fromTimespec(&set.Interval)
	if !ok || !okToo {
		return -linux.EINVAL
	}
	if r.RSI&linux.TIMER_ABSTIME != 0 && value != 0 {
		value = max(value-now(), 1)
	}
	if r.R10 != 0 {
		*at[linux.Itimerspec](r.R10) = linux.Itimerspec{Interval: toTimespec(t.interval), Value: toTimespec(t.remaining())}
	}
	setTimer(t, value, interval)
	return 0
}

func callTimerGettime(th *carrier.Thread) int64 {
	t := timerOf(th.Regs.RDI)
	if t == nil {
		return -linux.EINVAL
	}
	if !writable(th.Regs.RSI, 32) {
		return -linux.EFAULT
	}
	*at[linux.Itimerspec](th.Regs.RSI) = linux.Itimerspec{Interval: toTimespec(t.interval), Value: toTimespec(t.remaining())}
	return 0
}

func callTimerDelete(th *carrier.Thread) int64 {
	t := timerOf(th.Regs.RDI)
	if t == nil {
		return -linux.EINVAL
	}
	*t = timer{}
	findNextTimer()
	return 0
}
