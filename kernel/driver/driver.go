package driver

import (
	"math"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/capability"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/mailbox"
	"skerry/kernel/memory"
)

// retry is how soon, in ns, a notification is tried again that found its
// dispatcher inside the libos.
const retry = 100_000

// never is the time of what is not to happen.
const never = math.MaxInt64

// Driver is a core's CPU driver.
type Driver struct {
	k *kcb.KCB
	// cap is the core's capability system; it asks the driver through Zero and
	// Ended.
	cap   capability.System
	timer amd64.Timer
	// armed is the time the timer is armed for, or never.
	armed int64

	// loaded is the address space in CR3. stale says that the processor may
	// still know translations of it that no table has any longer: it is loaded
	// again before a user runs.
	loaded memory.Phys
	stale  bool
	// turn says who has the core.
	turn
	// upcall says that the running dispatcher is to have a run upcall; retryAt is
	// when to try again to give it one, checkAt when to look whether it gets on;
	// or never.
	upcall           bool
	retryAt, checkAt int64
	// workAt is when to go on with what the capability system has left to do
	// if nothing happens before, never if it has nothing; stuck says that it has
	// and cannot.
	workAt int64
	stuck  bool
	// awaited says that the monitor was told to wait for that.
	awaited bool
	// cspace is the slot with the L1 CNode of whoever makes the invocation
	// being done.
	cspace memory.Phys

	// boxes are the mailboxes between kernels. ringing says that some whose
	// doorbells were rung have not been notified yet.
	watched bool // of the running dispatcher it is to be noted when it runs: see watch
	boxes   mailbox.Boxes
	ringing bool

	monitor *kcb.DCB
	options options

	// Buffers for events, so that none is allocated.
	arguments   arguments
	buffer      [256]byte
	port2k      [maxPort]byte
	description abicap.Description
	coreInfo    abi.CoreInfo
	domainInfo  abi.DomainInfo
	pool        [4]uint64
}

// New makes the CPU driver of the core whose state is k, which lies in the
// kernel's window.
func New(k *kcb.KCB) *Driver {
	d := &Driver{k: k, loaded: k.Root, armed: never, retryAt: never, checkAt: never, workAt: never}
	d.until = never
	d.boxes = mailbox.Boxes{At: kcb.MailboxesAt, Cores: k.Machine.Cores}
	at := memory.Phys(uintptr(unsafe.Pointer(&k.Capabilities)) - k.Pages.Offset)
	capability.Init(&k.Capabilities, at, k.Pages.Offset, k.Machine.Core)
	d.cap = capability.System{State: &k.Capabilities, Kernel: d}
	d.timer = amd64.Timer{Hz: k.Machine.Clock.Hz, TickHz: k.Machine.TickHz}
	d.options = parseOptions(string(k.Machine.CommandLine[:k.Machine.CommandLineLength]))
	return d
}

// Run starts the core's monitor and serves for ever.
func (d *Driver) Run() {
	d.timer.Setup()
	if err := d.startMonitor(); err != nil {
		carry.Stop("cannot start the monitor: " + err.Error())
	}
	k := d.k
	d.markReady()
	k.Counters.BootNs = carry.Now()
	console.SetState(abi.CoreRunning)
	amd64.EventBegins()
	for {
		if d.changed {
			d.choose()
		}
		switch {
		case d.running != nil:
			d.run()
		case d.work():
			d.letIn(amd64.LetIn)
		case !d.changed:
			d.idle()
		}
	}
}

// idle halts until an interrupt comes, and handles it.
func (d *Driver) idle() {
	d.arm()
	start := carry.Now()
	d.letIn(amd64.Idle)
	d.k.Counters.IdleNs += carry.Time(&d.k.Machine.Clock, amd64.EventBegan()) - start
}

// letIn lets interrupts in by a function, and handles those that came.
func (d *Driver) letIn(by func()) {
	by()
	for v := amd64.TakePending(); v >= 0; v = amd64.TakePending() {
		d.interrupt(v)
	}
}

// run lets the dispatcher that has the core run, and serves its native calls, until
// there is something else; that it handles.
func (d *Driver) run() {
	b := d.running
	full := uint64(0)
	if b.Resume != kcb.ResumeCall {
		full = d.resume(b)
	}
	d.arm()
	if d.watched {
		d.letRun()
	}
	for {
		if d.stale || d.loaded != b.Root {
			d.load(b.Root)
		}
		amd64.EnterUser(full)
		d.k.Counters.Events++
		full = 0
		if !amd64.Called() {
			d.trapped(b, amd64.LastTrap())
			break
		}
		if b.Regs.RAX&^quickWords == quick && d.pass(b) {
			b = d.running
			continue
		}
		b.Resume = kcb.ResumeCall
		d.native(b)
		if d.changed || d.upcall || d.running != b || b.Resume != kcb.ResumeCall || d.pending() {
			break
		}
		if w := d.k.NextWakeup(); w != nil && w.WakeAt < d.armed || d.workAt < d.armed {
			d.arm() // the timer would be late for what the call has asked for
		}
	}
	for n := 0; n < workPieces && d.pending(); n++ {
		d.letIn(amd64.LetIn)
		d.work()
	}
	if d.upcall && d.running != nil && d.running.State == abi.DomainReady {
		d.interruptUser(d.running)
	}
}

// trapped handles what stopped b, an interrupt or an exception.
func (d *Driver) trapped(b *kcb.DCB, t amd64.Trap) {
	b.Resume = kcb.ResumeExact
	if t.Vector < 32 {
		d.exception(b, t)
		return
	}
	d.interrupt(t.Vector)
	d.watch(b)
}

// load loads an address space; the processor forgets what it knew of any.
func (d *Driver) load(root memory.Phys) {
	setCR3(uintptr(root))
	d.loaded, d.stale = root, false
}

// setUser tells the entry code that b is about to run.
func (d *Driver) setUser(b *kcb.DCB) {
	amd64.SetUser(&amd64.User{
		Registers:  uintptr(unsafe.Pointer(&b.Regs)),
		Vector:     b.Vector(),
		Page:       uintptr(unsafe.Pointer(b.Page())),
		LinuxEntry: b.Entries.Linux,
	})
}

// arm sets the timer to the first time at which something is to happen: a
// wake-up, the end of the turn, another try at a notification, a look whether the
// running dispatcher gets on, or more work on capabilities.
func (d *Driver) arm() {
	at := min(d.retryAt, d.checkAt, d.workAt, d.until)
	if w := d.k.NextWakeup(); w != nil {
		at = min(at, w.WakeAt)
	}
	if at != d.armed {
		d.armAt(at)
	}
}

// armAt sets the timer to a time.
func (d *Driver) armAt(at int64) {
	d.armed = at
	if at == never {
		d.timer.Arm(0)
		return
	}
	d.timer.Arm(carry.Ticks(&d.k.Machine.Clock, at))
}
