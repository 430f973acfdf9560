package driver

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
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
	if w := &m.Way; (w.Endpoints != r.RDI || w.Emptied != d.cap.Emptied) && !d.findWay(b) {
		return false
	}
	t := m.Way.Target
	if !awaits(t, m.Way.To) || !t.Behind || t.WakeAt != t.Alarm || !b.Behind || m.Filled != 0 || b.Page().HasWork != 0 {
		return false
	}
	t.Regs.RAX, t.Regs.RDI, t.Regs.RBP = uint64(abi.OK), m.Way.Endpoint.Label, words
	moveWords(&t.Regs, r, words)
	r.RDX = 1 // it has been sent, whatever comes of the rest
	t.State, t.Awaits = abi.DomainReady, 0
	b.State, b.Awaits, b.Resume = abi.DomainParked, m.Way.From, kcb.ResumeCall

	k := d.k
	b.Counts.NativeCalls++
	b.Counts.Sent++
	t.Counts.Received++
	t.Counts.Dispatches++
	k.Counters.NativeCalls++
	k.Counters.Dispatches++
	d.account(carry.Time(&k.Machine.Clock, amd64.EventBegan()))
	d.running = t
	d.setUser(t)
	return true
}

// findWay looks up the endpoints of the call in b's registers, and reports whether
// they are there and b may use them so. It keeps what it has found.
func (d *Driver) findWay(b *kcb.DCB) bool {
	r, root := b.Regs.RDI, d.slot(b, kcb.SlotCSpace)
	to, err1 := d.cap.LookupType(root, capability.Reference(r), capability.Endpoint, capability.RightSend)
	from, err2 := d.cap.LookupType(root, capability.Reference(r>>32), capability.Endpoint, capability.RightControl)
	if err1 != abi.OK || err2 != abi.OK || d.target(from) != b {
		return false
	}
	b.Messages.Way = kcb.Way{
		Endpoints: r, Emptied: d.cap.Emptied, Target: d.target(to), Endpoint: d.endpointIn(to),
		To: memory.Phys(d.cap.BaseOf(to)), From: memory.Phys(d.cap.BaseOf(from)),
	}
	return true
}

// moveWords moves the first words of a message from registers to registers, and
// clears the others.
func moveWords(to, from *abi.Registers, words uint64) {
	to.RSI, to.RDX, to.R10, to.R8 = from.RSI, from.RDX, from.R10, from.R8
	if words > 4 {
		to.R9, to.RBX, to.R12, to.R13, to.R14, to.R15 = from.R9, from.RBX, from.R12, from.R13, from.R14, from.R15
	} else {
		to.R9, to.RBX, to.R12, to.R13, to.R14, to.R15 = 0, 0, 0, 0, 0, 0
	}
	if words != 4 {
		clearWords(to, words)
	}
}

// clearWords clears what is not among the first words of a message.
func clearWords(r *abi.Registers, words uint64) {
	switch words {
	case 0:
		r.RSI = 0
		fallthrough
	case 1:
		r.RDX = 0
		fallthrough
	case 2:
		r.R10 = 0
		fallthrough
	case 3:
		r.R8 = 0
		fallthrough
	case 4:
		r.R9 = 0
		fallthrough
	case 5:
		r.RBX = 0
		fallthrough
	case 6:
		r.R12 = 0
		fallthrough
	case 7:
		r.R13 = 0
		fallthrough
	case 8:
		r.R14 = 0
		fallthrough
	case 9:
		r.R15 = 0
	}
}
