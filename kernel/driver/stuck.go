package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
)

// watchEvery is how often, in ns, it is looked whether the running dispatcher gets
// on, and how much of its time counts for each look. It is the time from when it was
// let run to when it was stopped: a core that is late itself, be it that its host ran
// others, must not look like a dispatcher that is stuck.
const watchEvery = abi.DisabledMost / 4

// letRun notes that the running dispatcher, which is watched, runs from now on.
func (d *Driver) letRun() {
	d.watched = false
	if b := d.running; b.QuietSince != 0 {
		b.QuietSince = carry.Now()
	}
}

// watch ends b, which the interrupt that is being handled has stopped, if it has been
// disabled for too long without having come into the kernel or served a Linux call.
func (d *Driver) watch(b *kcb.DCB) {
	if b != d.running || b.State != abi.DomainReady {
		return
	}
	d.account(carry.Now())
	c := &b.Counts
	seen := c.LinuxCalls + c.NativeCalls + c.PageFaults + c.NestedFaults + c.Traps + c.Runs
	stopped := carry.Time(&d.k.Machine.Clock, amd64.EventBegan())
	switch {
	case !disabled(b):
		b.QuietSince = 0
		return
	case b.QuietSince == 0 || seen != b.QuietSeen:
		b.QuietSeen, b.Quiet, b.QuietSince = seen, 0, stopped
	}
	d.watched = true
	if b.Quiet += min(stopped-b.QuietSince, watchEvery); b.Quiet >= abi.DisabledMost {
		s := d.place(b, amd64.Trap{})
		s.Kind = abi.ExitStuck
		d.end(b, s)
	}
}
