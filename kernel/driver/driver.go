package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// slice is how long a dispatcher runs, in ns, before the next ready one does.
const slice = 10_000_000

// retry is how soon, in ns, a notification is tried again that found its
// dispatcher inside the libos.
const retry = 100_000

// Driver is a core's CPU driver.
type Driver struct {
	k     *kcb.KCB
	timer amd64.Timer
	// armed is the time the timer is armed for, 0 if it is not.
	armed int64

	// template holds the tables that map the boot archive; every address
	// space shares its top-level slot.
	template amd64.Space
	libos    libosImage

	// loaded is the address space in CR3.
	loaded memory.Phys
	// running is the dispatcher in user mode or last there, nil when none,
	// and sliceEnd when its slice ends. resched says that it must give way
	// to another, upcall that it is to have a run upcall; retryAt is when to
	// try again to give it one, 0 if not.
	running  *kcb.DCB
	sliceEnd int64
	resched  bool
	upcall   bool
	retryAt  int64

	monitor *kcb.DCB
	options options

	// Buffers for events, so that none is allocated.
	arguments  arguments
	buffer     [256]byte
	port2k     [maxPort]byte
	coreInfo   abi.CoreInfo
	domainInfo abi.DomainInfo
	pool       [4]uint64
}

// New makes the CPU driver of the core whose state is k. It returns an error
// for a boot archive without what it needs.
func New(k *kcb.KCB) (*Driver, error) {
	d := &Driver{k: k, loaded: k.Root}
	d.timer = amd64.Timer{Hz: k.Machine.Clock.Hz, TickHz: k.Machine.TickHz}
	d.timer.Setup()
	d.options = parseOptions(string(k.Machine.CommandLine[:k.Machine.CommandLineLength]))
	if err := d.findArchive(); err != nil {
		return nil, err
	}
	return d, nil
}

// Run starts the core's monitor and serves for ever.
func (d *Driver) Run() {
	if err := d.startMonitor(); err != abi.OK {
		carry.Stop("cannot start the monitor: " + err.String())
	}
	k := d.k
	d.markReady()
	k.Counters.BootNs = carry.Now()
	console.SetState(abi.CoreRunning)
	for {
		d.housekeeping()
		b := k.Ready.First
		if b == nil {
			if k.Reclaim.First == nil {
				d.idle()
			}
			continue
		}
		k.Ready.Remove(b)
		d.dispatch(b)
	}
}

// housekeeping does a bounded piece of whatever is left to do between events.
func (d *Driver) housekeeping() {
	if d.k.Reclaim.First != nil {
		d.reclaim()
	}
}

// idle halts until an interrupt comes, and handles it.
func (d *Driver) idle() {
	d.arm()
	start := carry.Now()
	amd64.Idle()
	d.k.Counters.IdleNs += carry.Now() - start
	for v := amd64.TakePending(); v >= 0; v = amd64.TakePending() {
		d.interrupt(v)
	}
}

// dispatch runs b until it parks, ends, or must make room for another.
func (d *Driver) dispatch(b *kcb.DCB) {
	k := d.k
	start := carry.Now()
	d.running, d.resched, d.upcall = b, false, false
	d.sliceEnd = start + slice
	b.Dispatches++
	k.Counters.Dispatches++
	if d.loaded != b.Root {
		amd64.SetCR3(uintptr(b.Root))
		d.loaded = b.Root
	}
	d.setUser(b)
	carry.Current.Domain, carry.Current.Name = b.ID, b.Name
	if b.Resume == kcb.ResumeExact && d.page(b).HasWork != 0 {
		d.retryAt = start + retry
	}
	for b.State == abi.DomainReady && !d.resched {
		d.arm()
		amd64.EnterUser(d.resume(b))
		k.Counters.Events++
		t := amd64.LastTrap()
		switch {
		case t.Vector == amd64.NativeCall:
			b.Resume = kcb.ResumeCall
			d.native(b)
		case t.Vector >= 32:
			b.Resume = kcb.ResumeExact
			d.interrupt(t.Vector)
		default:
			b.Resume = kcb.ResumeExact
			d.exception(b, t)
		}
		if d.upcall && b.State == abi.DomainReady {
			d.interruptUser(b)
		}
	}
	b.CPU = d.cpu(b)
	d.running = nil
	if b.State == abi.DomainReady {
		k.Ready.Push(b)
	}
}

// setUser tells the entry code that b is about to run.
func (d *Driver) setUser(b *kcb.DCB) {
	amd64.SetUser(&amd64.User{
		Registers:  address(b),
		Vector:     b.Vector,
		Page:       d.k.Pages.At(b.Frame[0]),
		LinuxEntry: b.Entries.Linux,
	})
}

// cpu returns how long b has run, in ns, up to now if it is running.
func (d *Driver) cpu(b *kcb.DCB) int64 {
	if b != d.running {
		return b.CPU
	}
	return b.CPU + carry.Now() - (d.sliceEnd - slice)
}

// arm sets the timer to the first time at which something is to happen: a
// wake-up, the end of the slice if another dispatcher waits for it, or another
// try at a notification.
func (d *Driver) arm() {
	at := int64(0)
	if w := d.k.NextWakeup(); w != nil {
		at = w.WakeAt
	}
	if d.running != nil && d.k.Ready.First != nil && (at == 0 || d.sliceEnd < at) {
		at = d.sliceEnd
	}
	if d.retryAt != 0 && (at == 0 || d.retryAt < at) {
		at = d.retryAt
	}
	if at == d.armed {
		return
	}
	d.armed = at
	if at == 0 {
		d.timer.Arm(0)
		return
	}
	d.timer.Arm(carry.Ticks(&d.k.Machine.Clock, at))
}
