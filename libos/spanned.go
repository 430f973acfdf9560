package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/span"
	"skerry/libos/vspace"
)

// A domain with several dispatchers has a libos for each, with data, heap and RAM
// of its own. They share the program's memory and the frame that package span lays
// out, and tell each other by it what has to be told. Dispatcher 0 is home: it has
// the program's memory, files, timers and actions. The others, satellites, run
// threads, and serve those Linux calls that concern the thread alone or other
// threads (spanCalls). For any other call, a thread moves home, makes it there, and
// comes back.
//
// A thread is in the table of one libos at a time, in all under its slot's index.
// It moves only while it is in a Linux call: then it has no vector state, and all
// else fits into a message. One that was preempted stays until its next call.

// spanned is what a libos knows of the others.
var spanned struct {
	on        bool // there are several dispatchers
	satellite bool
	// replicated says that each has page tables of its own for the program's
	// memory: see replicated.go.
	replicated bool
	frame      span.Frame
	taken      uint64 // how often home, this one, has taken memory away
}

// passenger is what a libos keeps of a thread in its table besides, by index.
type passenger struct {
	waits bool // it has announced a wait for a futex
	again bool // its call is to be made again, as memory has come
	need  uint8
	tries uint8  // how often it has asked for the same memory, and it was there
	back  uint32 // the dispatcher, plus one, to which it goes when its call is done
	last  uint64 // the address that it asked for last
	taken uint64 // how often home had taken memory away by then
	// An exception that it is to be sent.
	signal, code int32
	fault        carrier.Fault
}

// What a thread needs memory for that home is to bring in.
const (
	needFault = iota // its own instruction
	needCall         // a call
	needFrame        // the frame of a signal
)

// maxTries bounds how often a thread asks in a row for memory that home says is
// there and has been all the time: what it is for cannot be done with it. Memory that
// is taken away between may be missed any number of times.
const maxTries = 64

const passengerSize = uint64(unsafe.Sizeof(passenger{}))

func passengerAt(slot int) *passenger {
	return at[passenger](heapPassengers + uint64(slot)*passengerSize)
}

// slotOf returns the slot of a thread.
func slotOf(th *carrier.Thread) int { return int(threads.Index(th)) }

// joinSpan attaches the frame if the domain has several dispatchers. It says whether
// this is home, or the only one.
func joinSpan(info *abi.Info) (home bool) {
	if info.Dispatchers < 2 {
		return true
	}
	s := &spanned
	s.on, s.satellite = true, info.Dispatcher != span.Home
	s.replicated = info.Flags&abi.InfoReplicated != 0
	s.frame.Init(abi.SpanBase, int(info.Dispatcher), int(info.Dispatchers))
	s.frame.SetClock(clocks.started, 0, 0)
	if !s.satellite {
		s.frame.Begin(processID())
		s.frame.NewThread(s.frame.All()) // slot 0, as the main thread's entry
		s.frame.Publish(signals.Actions())
	}
	return !s.satellite
}

// spanLinuxUpcall serves the Linux call of the current thread.
func spanLinuxUpcall() {
	spanned.frame.Enter()
	vspace.Replenish()
	th := at[carrier.Thread](dispatcher().Scratch[scratchCurrent])
	conclude(th, serve(th))
	spanLeave()
}

// serve makes the call of the current thread.
func serve(th *carrier.Thread) int64 {
	number := th.Regs.RAX
	if number < linux.NumCalls && spanCalls[number] != nil {
		return spanCalls[number](th)
	}
	if spanned.satellite {
		return travel(th)
	}
	switch {
	case number < linux.NumCalls && calls[number] != nil:
		return calls[number](th)
	case number-abi.LibosCall < uint64(len(libosCalls)):
		return libosCalls[number-abi.LibosCall](th)
	}
	countUnknown(number)
	return -linux.ENOSYS
}

// conclude does with a call's result what has to be done. It says whether the
// thread is still the current one.
func conclude(th *carrier.Thread, result int64) bool {
	switch result {
	case switched:
		return false
	case absent:
		askForMemory(th, needCall)
		return false
	case restored:
		prepare(th)
	default:
		th.Regs.RAX = uint64(result)
	}
	return true
}

// spanLeave has everything done that others wait for, and finds the thread that goes
// on. Whoever has something for this dispatcher after that rings.
func spanLeave() {
	for {
		th := threads.Current()
		switch {
		case th == nil:
			schedule()
			continue
		case signals.Deliverable(th):
			settle(th)
			prepare(th)
			deliver(th)
			continue
		case threads.HasReady() && threads.Preempts():
			settle(th)
			preempt()
			continue
		}
		balance()
		if threads.HasReady() && clocks.turnEnds == 0 {
			arm()
		}
		ringOthers()
		if spanned.frame.Leave() {
			return
		}
		attend()
	}
}

// spanPoll is poll with other dispatchers.
func spanPoll() {
	spanned.frame.Enter()
	dispatcher().HasWork = 0
	t := now()
	if clocks.armed != 0 && t >= clocks.armed {
		clocks.armed = 0
	}
	pollSupply()
	woken := threads.Expire(t) + attend()
	if !spanned.satellite {
		woken += pollFiles()
		expireTimers(t)
	}
	turn := clocks.turnEnds != 0 && t >= clocks.turnEnds
	if turn {
		clocks.turnEnds = 0
	}
	balance()
	th := threads.Current()
	if th != nil && (turn || woken > 0 && th.Level() == 0) && threads.HasReady() && !threads.Preempts() {
		settle(th)
		threads.Yield()
		schedule()
	}
	spanLeave()
	arm()
}

// spanSchedule is schedule with other dispatchers.
func spanSchedule() {
	for {
		th := threads.Next()
		if th == nil {
			if quiet() {
				park()
			}
			attend()
			continue
		}
		slot := slotOf(th)
		p := passengerAt(slot)
		endWait(th, slot, p)
		if th.Restart {
			th.Restart = false
			result := continueFile(th)
			if result == switched {
				continue
			}
			th.Regs.RAX = uint64(result)
		}
		if p.again {
			p.again = false
			if !conclude(th, serve(th)) {
				continue
			}
		}
		if to := destination(th, slot, p); to != spanned.frame.Self() {
			threads.SetAside()
			depart(th, slot, to, span.Move, 0)
			continue
		}
		prepare(th)
		if th.Turn != clocks.turn {
			startTurn(th)
		}
		if p.signal != 0 && !raise(th, p) {
			continue
		}
		if signals.Deliverable(th) {
			deliver(th)
			if threads.Current() != th {
				continue
			}
		}
		arm()
		return
	}
}

// quiet says whether there is nothing to do until something comes, for which this
// dispatcher is rung.
func quiet() bool {
	f := &spanned.frame
	f.SetLoad(0)
	f.SetClock(clocks.started, clocks.idle, now())
	ringOthers()
	if f.Leave() {
		return true
	}
	f.SetClock(clocks.started, clocks.idle, 0)
	return false
}

// ringOthers rings those to whom something was posted and who do not look.
func ringOthers() {
	f := &spanned.frame
	for {
		to, announcement := f.NextRing()
		if to < 0 {
			return
		}
		invoke(capability.Word(capability.Peer(capability.PeerDoorbells+uint32(to)), capability.RemoteDoorbellRing), 0, 0, 0, 0, 0)
		f.Rung(to, announcement)
	}
}

// attend looks at all that was posted. It returns how many threads that made
// ready.
func attend() (woken int) {
	f := &spanned.frame
	var request forgetRequest
	if spanned.replicated {
		request.take()
	}
	for slot := f.NextMail(); slot >= 0; slot = f.NextMail() {
		woken += lookAt(slot)
	}
	if request.is {
		request.serve()
	}
	if !spanned.satellite {
		endIfTold()
	}
	return woken
}

// endIfTold ends the domain if another dispatcher has told home to.
func endIfTold() {
	if kind, code, text, ok := spanned.frame.Ended(); ok {
		sayFor(text)
		end(uint64(kind), code)
	}
}

// lookAt does what a slot says. It returns how many threads that made ready.
func lookAt(slot int) (woken int) {
	vspace.Replenish() // each may touch new heap
	f := &spanned.frame
	p := passengerAt(slot)
	if m := f.Receive(slot); m != nil {
		switch m.Kind {
		case span.Move:
			th := arrive(slot, m)
			threads.Ready(th)
			woken++
		case span.Call:
			p.back = m.Back
			serveGuest(arrive(slot, m), slot)
			return 0
		case span.Fault:
			serveFault(m)
			m.Kind = span.FaultDone
			f.Send(slot, int(m.From))
			return 0
		case span.FaultDone:
			memoryCame(threads.At(carrier.Index(slot)), p, m)
			woken++
		}
	}
	if slot >= threads.Used() || threads.At(carrier.Index(slot)).State() == carrier.Free {
		// It has gone on, or it is on its way here and looked at when it comes.
		if f.Has(slot) && f.Location(slot) != f.Self() {
			f.Post(slot)
		}
		return woken
	}
	th := threads.At(carrier.Index(slot))
	if p.waits && th.State() == carrier.Blocked && f.Woken(slot) {
		threads.Ready(th)
		woken++
	}
	takeManner(th, slot)
	takeSignals(th, slot)
	return woken
}

// endWait ends the announcement of a thread that waits for a futex no longer.
func endWait(th *carrier.Thread, slot int, p *passenger) {
	if p.waits {
		p.waits = false
		if spanned.frame.EndWait(slot) {
			th.Regs.RAX = 0 // somebody counts on having woken it
		}
	}
}

// takeSignals makes the signals pending that others have sent to a thread.
func takeSignals(th *carrier.Thread, slot int) {
	sent, expired := spanned.frame.TakeSignals(slot)
	if sent|expired == 0 {
		return
	}
	refreshActions()
	for signal := 1; signal < linux.NSIG; signal++ {
		bit := carrier.SignalBit(signal)
		if sent&bit != 0 {
			signals.Send(th, signal, linux.SI_TKILL, uint64(processID()))
		}
		if expired&bit != 0 {
			signals.Send(th, signal, linux.SI_TIMER, uint64(processID()))
		}
	}
	if signals.Deliverable(th) {
		threads.Interrupt(th)
	}
}

// refreshActions brings a satellite's copy of what signals do up to date.
func refreshActions() {
	if spanned.satellite {
		spanned.frame.ReadActions(signals.Actions())
	}
}

// settleOthers waits until no other core has a translation any more that this one
// has taken away. Only kernels have a part in that, which answer interrupts: no
// thread of the program nor another libos can delay it. Where address spaces are
// replicated it is the other liboses that answer.
func settleOthers() {
	spanned.taken++
	if spanned.replicated {
		forgetElsewhere()
		return
	}
	settleKernels()
}

// settleKernels waits until the kernels of other cores have forgotten what this
// core's has taken away.
func settleKernels() {
	waited := false
	for native(abi.CallSettle, 0, 0) == capability.ErrPending {
		dispatcher().HasWork = 0
		if native(abi.CallSettle, 0, 0) != capability.ErrPending {
			break
		}
		native(abi.CallWait, 0, 0)
		waited = true
	}
	if waited {
		// Whatever else came meanwhile is poll's; the wait replaced the wake-up.
		dispatcher().HasWork, clocks.armed = 1, 0
	}
}
