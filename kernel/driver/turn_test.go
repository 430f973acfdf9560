package driver

import (
	"math/rand/v2"
	"slices"
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/schedule"
)

// newDomains makes a core with n domains that are parked. Domain i has its slots from
// slotOf(i) on.
func newDomains(t *testing.T, n int) (c *core, ds []*kcb.DCB) {
	c = newCore(t, 8)
	for i := range n {
		b := c.newDomain(slotOf(i), uint64(i)*domainSize, 0)
		b.Entries.Run = 0x1000
		c.block(b, never)
		ds = append(ds, b)
	}
	c.choose()
	return c, ds
}

func slotOf(i int) uint32 { return dom + uint32(i)*domFree }

// TestHandOver has two dispatchers call each other: the scheduler learns nothing of
// it until it must pick, and then the one that was picked pays.
func TestHandOver(t *testing.T) {
	c, ds := newDomains(t, 3)
	a, b, other := ds[0], ds[1], ds[2]
	c.ready(a)
	if c.choose(); c.running != a {
		t.Fatal("the one that is ready does not run")
	}
	for range 10 {
		amd64.EventBegins()
		c.handOver(a, b, never)
		if c.running != b || a.State != abi.DomainParked || b.State != abi.DomainReady || c.changed {
			t.Fatalf("states %d and %d", a.State, b.State)
		}
		amd64.EventBegins()
		c.handOver(b, a, never)
	}
	if c.running != a || c.picked != a || c.numBehind != 2 || b.Entry.IsReady() {
		t.Fatal("the scheduler was told")
	}
	if a.Counts.Dispatches != 11 || b.Counts.Dispatches != 10 || a.CPU <= 0 || b.CPU <= 0 {
		t.Errorf("%d and %d dispatches, %d and %d ns", a.Counts.Dispatches, b.Counts.Dispatches, a.CPU, b.CPU)
	}

	// Another comes while b runs in a's turn: b goes on, at a's expense.
	amd64.EventBegins()
	c.handOver(a, b, never)
	c.ready(other)
	c.choose()
	if c.running != b || a.Entry.IsReady() || !b.Entry.IsReady() || !other.Entry.IsReady() {
		t.Fatal("it has lost its turn")
	}
	// The turn that b was lent ends with b: a is not ready.
	c.block(b, never)
	if c.choose(); c.running != other {
		t.Fatal("the core is given to one that waits")
	}
	c.sound()
}

// TestReplyGoesOn sends an answer to one that called, and goes on: the one that was
// called has no longer its caller's turn, and both have their own.
func TestReplyGoesOn(t *testing.T) {
	c, ds := newDomains(t, 2)
	a, b := ds[0], ds[1]
	c.ready(a)
	c.choose()
	amd64.EventBegins()
	c.handOver(a, b, never)
	c.ready(a)
	c.choose()
	if !a.Entry.IsReady() || !b.Entry.IsReady() {
		t.Fatal("not both are ready")
	}
	if c.running != a {
		t.Error("the turn is not that of the one that lent it")
	}
	c.sound()
}

// TestManyChanges has more dispatchers change at once than the scheduler can be
// behind with.
func TestManyChanges(t *testing.T) {
	c, ds := newDomains(t, 2*maxBehind+1)
	for _, b := range ds {
		c.ready(b)
	}
	if got := c.queued(); !slices.Equal(got, ds) {
		t.Errorf("%d are ready, not %d", len(got), len(ds))
	}
	for _, b := range ds[1:] {
		c.stop(b, abi.DomainNew)
	}
	if got := c.queued(); !slices.Equal(got, ds[:1]) {
		t.Errorf("%d are ready, not one", len(got))
	}
	c.sound()
}

// TestRandomTurns does at random what can happen to dispatchers, and checks that the
// scheduler has it right.
func TestRandomTurns(t *testing.T) {
	for seed := range uint64(20) {
		c, ds := newDomains(t, maxBehind+3)
		r := rand.New(rand.NewPCG(seed, 7))
		for range 400 {
			amd64.EventBegins()
			b := ds[r.IntN(len(ds))]
			run := c.running
			until := []int64{never, never, carry.Now() - 1, carry.Now() + 1e12}[r.IntN(4)]
			switch what := r.IntN(10); {
			case what < 4 && run != nil && run.State == abi.DomainReady:
				if b.State == abi.DomainParked {
					c.handOver(run, b, until)
				} else {
					c.block(run, until)
				}
			case what < 7:
				c.notify(b)
			case what == 7:
				c.expire(carry.Now())
			case what == 8:
				c.stop(b, abi.DomainNew)
				if r.IntN(4) > 0 {
					c.ready(b)
				}
			case run != nil && run.State == abi.DomainReady:
				run.Page().Disabled = 1
				c.call(run, abi.CallYield, 0)
			}
			if r.IntN(3) > 0 && c.changed {
				c.choose()
			}
			if run := c.running; run != nil && run.State == abi.DomainReady {
				run.Resume = kcb.ResumeExact
			}
			if err := c.check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

// TestAlarm lets the time come for one that waits, with or without a deadline, and
// has asked to be woken, or not.
func TestAlarm(t *testing.T) {
	for name, test := range map[string]struct {
		alarm, until int64
		first, then  int64 // when it is to be woken, and when next; 0: never
		result       abi.Error
	}{
		"deadline":              {0, 100, 100, 0, abi.ErrTimeout},
		"alarm":                 {100, never, 100, 0, abi.ErrInterrupted},
		"deadline before alarm": {200, 100, 100, 200, abi.ErrTimeout},
		"alarm before deadline": {100, 200, 100, 0, abi.ErrInterrupted},
		"both at once":          {100, 100, 100, 0, abi.ErrInterrupted},
		"neither":               {0, never, 0, 0, abi.OK},
	} {
		c, ds := newDomains(t, 1)
		b := ds[0]
		c.ready(b)
		c.choose()
		b.Page().Disabled = 0
		c.call(b, abi.CallWakeup, uint64(test.alarm))
		b.Awaits = kcb.AwaitsAny
		if c.block(b, test.until); b.WakeAt != test.first {
			t.Errorf("%s: it is to be woken at %d", name, b.WakeAt)
		}
		c.expire(99)
		if b.State != abi.DomainParked {
			t.Errorf("%s: woken early", name)
		}
		if c.expire(100); test.first == 0 {
			continue
		}
		r := &b.Regs
		if b.Resume == kcb.ResumePreempted {
			r = &b.Page().Enabled
		}
		if b.State != abi.DomainReady || b.Awaits != 0 || abi.Error(r.RAX) != test.result || b.WakeAt != test.then {
			t.Errorf("%s: state %d, %v, next at %d", name, b.State, abi.Error(r.RAX), b.WakeAt)
		}
		if upcall := b.Resume == kcb.ResumePreempted; upcall != (test.result == abi.ErrInterrupted) {
			t.Errorf("%s: a run upcall: %v", name, upcall)
		}
		c.sound()
	}
}

// TestStoppedWaiting stops one that waits for a message, and runs it again.
func TestStoppedWaiting(t *testing.T) {
	c, ds := newDomains(t, 1)
	b := ds[0]
	b.Awaits = kcb.AwaitsAny
	c.must(ref(dom+domDispatcher), abicap.DispatcherStop)
	if b.Awaits != 0 || abi.Error(b.Regs.RAX) != abi.ErrInterrupted {
		t.Errorf("it waits at %d, %v", b.Awaits, abi.Error(b.Regs.RAX))
	}
	c.must(ref(dom+domDispatcher), abicap.DispatcherRun)
	if b.State != abi.DomainReady {
		t.Error("it does not run again")
	}
	c.sound()
}

// TestDirectedYield gives the rest of a turn to whoever is behind an endpoint.
func TestDirectedYield(t *testing.T) {
	const caller, first, second = 0, 1, 2
	for _, to := range []int{caller, first, second} {
		c, ds := newDomains(t, 3)
		b := ds[caller]
		b.Page().Disabled = 1
		c.ready(b)
		c.choose()
		c.ready(ds[second])
		c.choose()
		c.ready(ds[first])
		if c.choose(); c.running != b {
			t.Fatal("it lost the core to those who came")
		}
		if _, err := c.call(b, abi.CallYield, ref(slotOf(to)+domEndpoint)); err != abi.OK || b.Resume != kcb.ResumeRun {
			t.Fatal(err)
		}
		c.choose()
		want := ds[to]
		if to == caller {
			want = ds[first]
			if c.running == ds[second] {
				want = ds[second]
			}
		}
		if c.running != want || b.Counts.Preemptions != 0 {
			t.Errorf("to %d: domain %d runs", to, c.running.Domain)
		}
		c.sound()
	}
	// Where the one that is named cannot run nobody gets anything.
	c, ds := newDomains(t, 3)
	b := ds[caller]
	b.Page().Disabled = 1
	c.ready(b)
	c.choose()
	c.ready(ds[second])
	c.choose()
	if c.call(b, abi.CallYield, ref(slotOf(first)+domEndpoint)); b.Resume != kcb.ResumeRun || c.changed || c.running != b {
		t.Errorf("the core goes from domain %d", c.running.Domain)
	}
	c.sound()
}

// TestRecall has something come for one that lends its turn: a doorbell gives it back its
// turn, and a message, of the one that runs on it, does not, nor a time it has asked for.
func TestRecall(t *testing.T) {
	for name, test := range map[string]struct {
		come func(c *core, giver, receiver *kcb.DCB)
		back bool
	}{
		"doorbell": {func(c *core, _, _ *kcb.DCB) { c.ring(c.at(ref(slotOf(0) + domBell))) }, true},
		"alarm": {func(c *core, giver, _ *kcb.DCB) {
			giver.Alarm = 1
			c.k.WakeLater(giver, 1)
			c.expire(carry.Now())
		}, false},
		"message":                   {func(c *core, giver, _ *kcb.DCB) { c.notify(giver) }, false},
		"a doorbell of the other's": {func(c *core, _, _ *kcb.DCB) { c.ring(c.at(ref(slotOf(1) + domBell))) }, false},
	} {
		c, ds := newDomains(t, 3)
		giver, receiver := ds[0], ds[1]
		giver.Page().Disabled = 1
		c.ready(giver)
		c.choose()
		for _, b := range ds[1:] {
			c.ready(b)
			c.choose()
		}
		c.call(giver, abi.CallYield, ref(slotOf(1)+domBell))
		if c.choose(); c.running != receiver {
			t.Fatal("the turn is not lent")
		}
		if test.come(c, giver, receiver); c.changed {
			c.choose()
		}
		if back := c.running == giver; back != test.back || !back && c.running != receiver {
			t.Errorf("%s: domain %d runs", name, c.running.Domain)
		}
		c.sound()
	}
}

// TestWanted tells who runs whether others can.
func TestWanted(t *testing.T) {
	c, ds := newDomains(t, 3)
	wanted := func(b *kcb.DCB, want uint32) {
		t.Helper()
		if c.choose(); c.running != b || b.Page().Wanted != want {
			t.Errorf("domain %d runs and is told %d, want %d", c.running.Domain, c.running.Page().Wanted, want)
		}
	}
	c.ready(ds[0])
	wanted(ds[0], 0)
	c.ready(ds[1])
	wanted(ds[0], 1)
	c.block(ds[0], never)
	wanted(ds[1], 0)
	c.ready(ds[2])
	wanted(ds[1], 1)
	c.stop(ds[2], abi.DomainNew)
	wanted(ds[1], 0)
}

// TestYieldRefused names endpoints that are none.
func TestYieldRefused(t *testing.T) {
	c, ds := newDomains(t, 1)
	b := ds[0]
	b.Page().Disabled = 1
	c.ready(b)
	c.choose()
	c.must(ref(base), abicap.L2CNodeMint, 190, ref(dom+domEndpoint), uint64(abicap.RightControl))
	for name, test := range map[string]struct {
		to   uint64
		want abi.Error
	}{
		"no endpoint":   {ref(dom + domNumber), abicap.ErrType},
		"no right Send": {ref(190), abicap.ErrRights},
		"empty":         {ref(spare), abicap.ErrEmpty},
		"no slot":       {1 << 50, abicap.ErrReference},
	} {
		b.Resume = kcb.ResumeCall
		if _, err := c.call(b, abi.CallYield, test.to); err != test.want || b.Resume != kcb.ResumeCall || c.changed {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// TestPreemption takes the core from one that could run on: one that was enabled
// learns of it, another goes on where it was.
func TestPreemption(t *testing.T) {
	for _, disabled := range []uint32{0, 1} {
		c, ds := newDomains(t, 2)
		a, b := ds[0], ds[1]
		c.ready(a)
		c.choose()
		a.Page().Disabled = disabled
		a.Regs.RIP, a.Resume = 0x5555, kcb.ResumeExact
		vectorArea(a.Vector())[100] = 0x5a
		// One with a reservation comes first.
		now := carry.Now()
		c.k.Scheduler.Admit(&b.Entry, schedule.Reservation{Period: 1e9, Budget: 1e6, Deadline: 1e9}, now)
		c.ready(b)
		if c.choose(); c.running != b || a.Counts.Preemptions != 1 || a.State != abi.DomainReady {
			t.Fatalf("disabled %d: %d preemptions", disabled, a.Counts.Preemptions)
		}
		if c.until > now+10e6 {
			t.Error("its turn is longer than its budget")
		}
		c.block(b, never)
		if c.choose(); c.running != a {
			t.Fatal("it is forgotten")
		}
		full := c.resume(a)
		if disabled == 1 && (full != 1 || a.Regs.RIP != 0x5555 || a.Counts.Runs != 0) {
			t.Errorf("it goes on at %#x", a.Regs.RIP)
		}
		if p := a.Page(); disabled == 0 && (a.Regs.RIP != 0x1000 || a.Regs.RSI != 1 || p.Enabled.RIP != 0x5555 ||
			vectorArea(a.SharedVector(1))[100] != 0x5a || a.Counts.Runs != 1) {
			t.Errorf("it goes on at %#x, having been at %#x", a.Regs.RIP, p.Enabled.RIP)
		}
		c.sound()
	}
}

// TestMissed has the core come too late for a reservation.
func TestMissed(t *testing.T) {
	c, ds := newDomains(t, 2)
	b := ds[0]
	past := carry.Now() - 1e9
	c.k.Scheduler.Admit(&b.Entry, schedule.Reservation{Period: 50e6, Budget: 10e6, Deadline: 20e6}, past)
	c.k.Scheduler.Ready(&b.Entry, past)
	c.ready(b)
	c.ready(ds[1])
	c.choose()
	n := b.Page().Missed
	if n < 18 || n != b.Entry.Missed || b.Counts.Notified == 0 || b.Page().HasWork == 0 {
		t.Errorf("told of %d of %d missed deadlines, %d times", n, b.Entry.Missed, b.Counts.Notified)
	}
	c.sound()
}

// TestWakeMost lets many wake-up times come at once: the first event wakes some, and
// the timer comes again for the rest.
func TestWakeMost(t *testing.T) {
	c, ds := newDomains(t, wakeMost+2)
	for _, b := range ds {
		c.ready(b)
		c.block(b, 100)
	}
	for _, want := range []int{wakeMost, wakeMost + 2} {
		c.expire(100)
		if n := len(c.queued()); n != want {
			t.Fatalf("%d are ready, want %d", n, want)
		}
	}
}

// TestStuck holds a dispatcher that is disabled to its time.
func TestStuck(t *testing.T) {
	const looks = abi.DisabledMost / watchEvery
	start := func(t *testing.T) (*core, *kcb.DCB, func() bool) {
		c, ds := newDomains(t, 1)
		b := ds[0]
		c.ready(b)
		c.choose()
		b.Page().Disabled = 1
		b.Regs.RIP = 0x5555
		amd64.EventBegins()
		c.watch(b)
		return c, b, func() bool {
			if c.watched {
				c.letRun()
			}
			b.QuietSince -= 10 * watchEvery // a core that stood still itself
			amd64.EventBegins()
			c.watch(b)
			return b.State == abi.DomainEnded
		}
	}
	// However long a core takes over its interrupts, who does not get to run meanwhile
	// is not stuck.
	c, b, look := start(t)
	for range 3 * looks {
		b.QuietSince -= 10 * watchEvery
		b.CPU += 10 * watchEvery
		if c.watched {
			c.letRun()
		}
		amd64.EventBegins()
		c.watch(b)
	}
	if b.State == abi.DomainEnded {
		t.Fatal("ended though it never ran")
	}
	for i := range looks - 1 {
		if look() {
			t.Fatalf("ended at look %d", i+1)
		}
	}
	if !look() || b.Status.Kind != abi.ExitStuck || b.Status.FaultRIP != 0x5555 {
		t.Fatalf("state %d, %+v", b.State, b.Status)
	}
	c.sound()
	for name, progress := range map[string]func(c *core, b *kcb.DCB){
		"a native call": func(c *core, b *kcb.DCB) { c.call(b, abi.CallNop) },
		"a nested fault": func(c *core, b *kcb.DCB) {
			b.Entries.NestedFault = 0x2000
			b.Page().Nested = 0
			c.exception(b, amd64.Trap{Vector: amd64.PageFault, Address: abi.LibosHeap})
		},
		"a Linux call": func(c *core, b *kcb.DCB) { b.Counts.LinuxCalls++ },
		"being enabled": func(c *core, b *kcb.DCB) {
			b.Page().Disabled = 0
			c.watch(b)
			b.Page().Disabled = 1
			c.watch(b)
		},
	} {
		c, b, look := start(t)
		for range 3 * looks {
			progress(c, b)
			for range looks - 1 {
				if look() {
					t.Fatalf("%s is no progress", name)
				}
			}
		}
	}
}
