package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
)

// watchEvery is how often, in ns, it is looked whether the running dispatcher gets
// on, and how much of its time counts for each look: a core that is late itself
// must not look like a dispatcher that is stuck.
const watchEvery = abi.DisabledMost / 4

// watch ends b, which an interrupt has just stopped, if it has been disabled for
// too long without having come into the kernel or served a Linux call.
func (d *Driver) watch(b *kcb.DCB) {
	if b != d.running || b.State != abi.DomainReady {
		return
	}
	d.account(carry.Now())
	c := &b.Counts
	seen := c.LinuxCalls + c.NativeCalls + c.PageFaults + c.NestedFaults + c.Traps + c.Runs
	spent := min(b.CPU-b.QuietCPU, watchEvery)
	b.QuietCPU = b.CPU
	if !disabled(b) || seen != b.QuietSeen {
		b.QuietSeen, b.Quiet = seen, 0
		return
	}
	if b.Quiet += spent; b.Quiet >= abi.DisabledMost {
		s := d.place(b, amd64.Trap{})
		s.Kind = abi.ExitStuck
		d.end(b, s)
	}
}
