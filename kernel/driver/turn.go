package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/schedule"
)

// turn is who has the core, and what the scheduler knows of it.
//
// A dispatcher's State is the truth; the scheduler is told just before it is to
// pick. Until then those whose State has changed are kept in behind. So a
// dispatcher that hands the core to another, and has it back soon, costs the
// scheduler nothing: whoever was picked pays for all that runs meanwhile.
type turn struct {
	// running is the dispatcher that has the core, nil for none; its time is
	// counted up to since.
	running *kcb.DCB
	since   int64
	// changed says that the scheduler must pick again.
	changed bool

	// picked is whom the scheduler has picked, nil for nobody, until is until when,
	// charged up to when it knows that the core was used.
	picked         *kcb.DCB
	until, charged int64

	behind    [maxBehind]*kcb.DCB
	numBehind int
}

// maxBehind is how many dispatchers the scheduler can be behind with. If there are
// more it is told at once.
const maxBehind = 8

// choose has the scheduler pick a dispatcher, and gives it the core.
func (d *Driver) choose() {
	now := carry.Now()
	for d.changed {
		d.changed = false
		d.catchUp(now)
		d.picked = nil
		e, until := d.k.Scheduler.Pick(now)
		if d.until = until; e != nil {
			d.picked = kcb.Of(e)
		}
		for late := d.k.Scheduler.TakeMissed(); late != nil; late = d.k.Scheduler.TakeMissed() {
			d.missed(kcb.Of(late))
		}
	}
	b := d.picked
	if b != nil {
		b.Page().Wanted = uint32(d.k.Scheduler.Others())
	}
	if b == d.running {
		return
	}
	d.interrupted()
	d.switchTo(b, now)
	if b == nil {
		return
	}
	if d.checkAt == never {
		d.checkAt = now + watchEvery
	}
	if b.Page().HasWork != 0 && stopped(b) {
		d.retryAt = now + retry
	}
}

// stopped reports whether b is to go on where it was stopped, rather than in an
// upcall, or behind a call that it made disabled.
func stopped(b *kcb.DCB) bool {
	return b.Resume == kcb.ResumeExact || b.Resume == kcb.ResumeCall && !disabled(b)
}

// interrupted does what it means to the running dispatcher that another has the
// core next, if it could run on: if it ran enabled it learns of it by a run upcall.
func (d *Driver) interrupted() {
	b := d.running
	if b == nil || b.State != abi.DomainReady || b.Resume == kcb.ResumeRun {
		return
	}
	b.Counts.Preemptions++
	if stopped(b) && !disabled(b) {
		d.preempt(b)
	}
}

// switchTo gives the core to b, nil for nobody, from now on.
func (d *Driver) switchTo(b *kcb.DCB, now int64) {
	d.account(now)
	d.running, d.since, d.upcall = b, now, false
	if b == nil {
		return
	}
	b.Counts.Dispatches++
	d.k.Counters.Dispatches++
	d.watched = b.QuietSince != 0
	d.setUser(b)
}

// account adds to the running dispatcher's accounts what it has used up to now.
func (d *Driver) account(now int64) {
	if b := d.running; b != nil {
		b.CPU += now - d.since
		b.Counts.LinuxCalls += amd64.TakeLinuxCalls()
		d.since = now
	}
}

// cpu returns how long b has run, in ns, up to now if it is running.
func (d *Driver) cpu(b *kcb.DCB) int64 {
	if b == d.running {
		d.account(carry.Now())
	}
	return b.CPU
}

// catchUp tells the scheduler all that it does not know yet.
func (d *Driver) catchUp(now int64) {
	s := &d.k.Scheduler
	s.Ran(d.charged, now)
	d.charged = now
	if from, to := d.picked, d.running; from != to && from != nil && to != nil &&
		from.State == abi.DomainParked && to.State == abi.DomainReady {
		s.Ready(&to.Entry, now)
		if s.Donate(&from.Entry, &to.Entry) {
			d.picked = to
		}
	}
	for i, b := range d.behind[:d.numBehind] {
		b.Behind, d.behind[i] = false, nil
		if b.State == abi.DomainReady {
			s.Ready(&b.Entry, now)
		} else {
			s.Block(&b.Entry, now)
		}
	}
	d.numBehind = 0
}

// lags notes that b's State has changed.
func (d *Driver) lags(b *kcb.DCB) {
	if b.Behind {
		return
	}
	if d.numBehind == maxBehind {
		d.catchUp(carry.Now())
	}
	b.Behind = true
	d.behind[d.numBehind] = b
	d.numBehind++
}

// ready makes b, whatever it waits for, one of those that can run.
func (d *Driver) ready(b *kcb.DCB) {
	d.goesOn(b)
	d.changed = true
}

// block takes b off the core until it is made ready; until is the time at which that
// happens at the latest, or never.
func (d *Driver) block(b *kcb.DCB, until int64) {
	d.waits(b, until)
	d.changed = true
}

// handOver blocks from, which is running, and makes to, which is blocked, ready and
// gives it the core. It costs from what to uses, as long as from is blocked.
func (d *Driver) handOver(from, to *kcb.DCB, until int64) {
	d.waits(from, until)
	d.goesOn(to)
	d.switchTo(to, carry.Time(&d.k.Machine.Clock, amd64.EventBegan()))
}

func (d *Driver) goesOn(b *kcb.DCB) {
	b.State, b.Awaits = abi.DomainReady, 0
	if b.WakeAt != b.Alarm {
		d.k.WakeLater(b, b.Alarm)
	}
	d.lags(b)
}

func (d *Driver) waits(b *kcb.DCB, until int64) {
	b.State = abi.DomainParked
	at := b.Alarm
	if until != never && (at == 0 || until < at) {
		at = until
	}
	if b.WakeAt != at {
		d.k.WakeLater(b, at)
	}
	d.lags(b)
}

// stop takes b off the core for good, or until it is run again, in a state that is
// neither ready nor parked.
func (d *Driver) stop(b *kcb.DCB, state uint32) {
	if b.Awaits != 0 {
		d.messageInterrupted(b)
		b.Awaits = 0
	}
	b.State = state
	d.lags(b)
	d.changed = true
}

// forget drops a dispatcher whose memory is about to become something else.
func (d *Driver) forget(b *kcb.DCB) {
	now := carry.Now()
	d.catchUp(now)
	d.k.Leave(b, now)
	if b == d.running {
		d.switchTo(nil, now)
	}
	if b == d.picked {
		d.picked = nil
	}
	d.changed = true
}

// missed tells b that it has missed deadlines.
func (d *Driver) missed(b *kcb.DCB) {
	b.Page().Missed = b.Entry.Missed
	d.notify(b)
}

var _ [schedule.MaxEntries - kcb.MaxDispatchers]byte // there is an entry for each
