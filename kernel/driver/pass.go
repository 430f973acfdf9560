package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
)

// quick is RAX of the calls that pass looks at, but for the number of words.
const quick, quickWords = abi.NativeCall | abi.CallMessage, 0xf << 8

// pass does what message does where a call and its answer come that all is ready for:
// b sends words to one who waits for them, and waits itself for as long as it takes.
// Then nothing is to be decided, and the scheduler, which is behind with both, need
// not know: they hand the core to each other. It reports whether it was so; if not it
// has done nothing.
func (d *Driver) pass(b *kcb.DCB) bool {
	r, m := &b.Regs, &b.Messages
	words := r.RAX & quickWords >> 8
	if words > abi.MessageWords || r.RBP != abi.WaitForever {
		return false
	}
	w := &m.Way
	if !d.known(w, r) && d.findWay(w, b) != abi.OK {
		return false
	}
	t := w.Target
	if !w.Both || !awaits(t, w.To) || !t.Behind || t.WakeAt != t.Alarm || !b.Behind || m.Filled != 0 || b.Page().HasWork != 0 {
		return false
	}
	moveWords(&t.Regs, r, words)
	came(t, w.Endpoint, words)
	r.RDX = 1 // it has been sent, whatever comes of the rest
	t.State, t.Awaits = abi.DomainReady, 0
	b.State, b.Awaits, b.Resume = abi.DomainParked, w.From, kcb.ResumeCall

	k := d.k
	b.Counts.NativeCalls++
	b.Counts.Sent++
	t.Counts.Dispatches++
	k.Counters.NativeCalls++
	k.Counters.Dispatches++
	d.account(carry.Time(&k.Machine.Clock, amd64.EventBegan()))
	d.running = t
	d.setUser(t)
	return true
}
