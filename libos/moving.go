package main

import (
	"skerry/carrier"
	"skerry/libos/span"
)

// Threads move for three reasons: to make a call at home, to where their affinity
// lets them run, and from a dispatcher with several that could run to one that has
// none. They are placed by what dispatchers last said of their load: a hint, which
// may be wrong, and costs time then.

// arrive puts a thread that has come into the table, set aside.
func arrive(slot int, m *span.Message) *carrier.Thread {
	process = spanned.frame.Process() // a satellite may start before home does
	th := threads.Enter(carrier.Index(slot), &m.Thread)
	giveVector(th)
	takeManner(th, slot)
	takeSignals(th, slot)
	return th
}

// depart sends a thread that is set aside to another dispatcher.
func depart(th *carrier.Thread, slot, to int, kind, back uint32) {
	f := &spanned.frame
	*passengerAt(slot) = passenger{}
	threads.Leave(th)
	f.SendThread(slot, to, kind, back, th)
	if kind == span.Move {
		f.Sent(to)
	}
}

// travel has the current thread make its call at home, and come back.
func travel(th *carrier.Thread) int64 {
	threads.SetAside()
	depart(th, slotOf(th), span.Home, span.Call, uint32(spanned.frame.Self())+1)
	return switched
}

// serveGuest makes the call of a thread that has come home for it. Whichever thread
// was current is so again after that, its state where the upcall left it.
func serveGuest(th *carrier.Thread, slot int) {
	host := threads.Switch(th)
	result := serve(th)
	if result != switched {
		th.Regs.RAX = uint64(result)
	}
	threads.Switch(host)
	switch {
	case result != switched:
		depart(th, slot, destination(th, slot, passengerAt(slot)), span.Move, 0)
	case signals.Deliverable(th):
		threads.Interrupt(th)
	}
}

// destination returns where a thread that could run is to do so.
func destination(th *carrier.Thread, slot int, p *passenger) int {
	f := &spanned.frame
	to := f.Self()
	if !movable(th, p) {
		return to
	}
	if p.back != 0 {
		to = int(p.back) - 1
	}
	if allowed := f.Affinity(slot); allowed>>to&1 == 0 {
		to, _ = f.Lightest(allowed)
	}
	return to
}

// movable says whether a thread that could run, or is current in a call, can do so
// elsewhere. One that is about to take a signal stays for that: it may be the
// program's, which is pending here.
func movable(th *carrier.Thread, p *passenger) bool {
	return th.Resume <= carrier.ResumeYield && !th.Restart && !p.again && p.signal == 0 &&
		(p.back != 0 || !signals.Deliverable(th))
}

// balance says how many threads could run here, and sends those away for which there
// is a dispatcher without any. It is called whenever the libos is left, so nothing
// waits here for longer than a turn while another dispatcher that may have it is idle.
func balance() {
	f := &spanned.frame
	n := threads.Runnable()
	f.SetLoad(n)
	if n > 1 {
		if to, load := f.Lightest(f.All()); load == 0 && to != f.Self() {
			f.SetLoad(giveAway(n))
		}
	}
}

// giveAway sends ready threads to dispatchers that have none, as long as there are
// others here, of n that could run. It returns how many are left.
func giveAway(n int) int {
	f := &spanned.frame
	for slot := 0; slot < threads.Used() && n > 1; slot++ {
		th := threads.At(carrier.Index(slot))
		p := passengerAt(slot)
		if th.State() != carrier.Ready || p.back != 0 || !movable(th, p) {
			continue
		}
		to, load := f.Lightest(f.Affinity(slot))
		if load != 0 || to == f.Self() {
			continue
		}
		endWait(th, slot, p)
		threads.Take(th)
		depart(th, slot, to, span.Move, 0)
		n--
	}
	return n
}
