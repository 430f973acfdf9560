package driver

import (
	"math/bits"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// letter is what a CallMessage asks for. What it names has been looked up.
type letter struct {
	// to is the endpoint it sends to, of size bytes and of the dispatcher target;
	// 0 if it sends nothing.
	to     memory.Phys
	size   uint64
	target *kcb.DCB
	// words is how many go along, capability the slot with what else does, or 0.
	words      uint64
	capability memory.Phys
	// from is as kcb.DCB.Awaits, deadline the time until which it waits.
	from     memory.Phys
	deadline int64
}

// message does the native call in b's registers.
func (d *Driver) message(b *kcb.DCB) {
	l, err := d.letter(b)
	delivered := false
	if err == abi.OK && l.to != 0 {
		delivered, err = d.send(b, &l)
	}
	if err != abi.OK {
		b.Regs.RDX = 0
		complete(b, err, 0)
		return
	}
	sent := uint64(0)
	if l.to != 0 {
		sent = 1
		b.Counts.Sent++
	}
	if l.from == 0 {
		complete(b, abi.OK, 0)
	} else {
		b.Regs.RDX = sent
		if !d.receive(b, l.from) && d.mayWait(b, l.deadline) {
			b.Awaits = l.from
			if delivered {
				d.handOver(b, l.target, l.deadline)
			} else {
				d.block(b, l.deadline)
			}
			return
		}
	}
	if delivered {
		d.ready(l.target)
	}
}

// letter takes the call in b's registers apart. It looks everything up before
// anything is done.
func (d *Driver) letter(b *kcb.DCB) (l letter, err abi.Error) {
	r := &b.Regs
	root := d.slot(b, kcb.SlotCSpace)
	to, from := capability.Reference(r.RDI), capability.Reference(r.RDI>>32)
	l.words = r.RAX >> 8 & 0xff_ffff
	l.deadline = int64(r.RBP)
	if l.words > abi.MessageWords || l.deadline < 0 {
		return l, abi.ErrArgument
	}
	if to != 0 {
		slot, err := d.cap.LookupType(root, to, capability.Endpoint, capability.RightSend)
		if err != abi.OK {
			return l, err
		}
		l.to, l.size = memory.Phys(d.cap.BaseOf(slot)), d.cap.SizeOf(slot)
		l.target = d.dispatcherAt(l.to)
	}
	if given := capability.Reference(r.RAX &^ abi.NativeCall >> 32); given != 0 {
		if to == 0 {
			return l, abi.ErrArgument
		}
		if l.capability, err = d.cap.Lookup(root, given, capability.RightGrant); err != abi.OK {
			return l, err
		}
	}
	switch from {
	case 0:
	case abi.AnyEndpoint:
		l.from = kcb.AwaitsAny
	default:
		slot, err := d.cap.LookupType(root, from, capability.Endpoint, capability.RightControl)
		if err != abi.OK {
			return l, err
		}
		l.from = memory.Phys(d.cap.BaseOf(slot))
		if d.dispatcherAt(l.from) != b {
			return l, abi.ErrArgument
		}
	}
	return l, abi.OK
}

// send sends the message in b's registers. If its target waits for it, it is
// delivered: the target has it, and is to be made ready. Else it is in the buffer.
func (d *Driver) send(b *kcb.DCB, l *letter) (delivered bool, err abi.Error) {
	t, e := l.target, d.endpoint(l.to)
	if t.State == abi.DomainEnded {
		return false, abi.ErrPeer
	}
	delivered = awaits(t, l.to)
	room := kcb.Room(l.size)
	if !delivered && uint64(e.Count) == room {
		d.want(b, t, l.to)
		return false, abi.ErrFull
	}
	header := l.words
	if l.capability != 0 {
		to, err := d.cap.Vacancy(d.slot(t, kcb.SlotCSpace), e.Accept, d.cap.TypeOf(l.capability))
		if err != abi.OK {
			d.want(b, t, l.to)
			return false, abi.ErrNoSlot
		}
		if err := d.cap.Copy(to, l.capability, capability.AllRights); err != abi.OK {
			return false, err
		}
		e.Accept = 0
		header |= abi.MessageCapability
	}
	words := wordsOf(&b.Regs)
	clear(words[l.words:])
	if delivered {
		deliver(t, e, &words, header)
		t.Awaits = 0
		return true, abi.OK
	}
	*e.Put(room) = kcb.Message{Words: words, Arrived: arrival(t, l.to), Header: header}
	d.notify(t)
	return false, abi.OK
}

// receive takes the first message that has come to the endpoints from of b into its
// registers, or the news that what one of them watches has ended. It reports
// whether there was one.
func (d *Driver) receive(b *kcb.DCB, from memory.Phys) bool {
	m := &b.Messages
	filled := m.Filled
	if from != kcb.AwaitsAny {
		filled &= 1 << kcb.Place(from)
	}
	if filled == 0 {
		return false
	}
	place := uint(bits.TrailingZeros64(uint64(filled)))
	e := b.EndpointAt(place)
	arrived, ended := e.Next()
	for rest := filled & (filled - 1); rest != 0; rest &= rest - 1 {
		p := uint(bits.TrailingZeros64(uint64(rest)))
		other := b.EndpointAt(p)
		if a, o := other.Next(); a < arrived {
			place, e, arrived, ended = p, other, a, o
		}
	}
	if ended {
		e.EndedAt = 0
		complete(b, abi.ErrPeer, e.Label)
	} else {
		message := e.Oldest()
		deliver(b, e, &message.Words, message.Header)
		e.Drop()
		d.tellSenders(e)
	}
	if e.Count == 0 && e.EndedAt == 0 {
		m.Filled &^= 1 << place
	}
	return true
}

// mayWait reports whether b is to wait for a message until a deadline. If not, its
// call has returned.
func (d *Driver) mayWait(b *kcb.DCB, deadline int64) bool {
	switch {
	case deadline == 0:
		complete(b, abi.ErrAgain, 0)
	case deadline != abi.WaitForever && deadline <= carry.Now():
		complete(b, abi.ErrTimeout, 0)
	case b.Page().HasWork != 0:
		complete(b, abi.ErrInterrupted, 0)
		if !disabled(b) {
			d.upcall = true // before it sees that
		}
	default:
		return true
	}
	return false
}

// awaits reports whether b waits for a message from an endpoint of its own.
func awaits(b *kcb.DCB, at memory.Phys) bool { return b.Awaits == at || b.Awaits == kcb.AwaitsAny }

// messageInterrupted ends the wait of b, which has been notified.
func (d *Driver) messageInterrupted(b *kcb.DCB) { complete(b, abi.ErrInterrupted, 0) }

// messageExpired ends the wait of b, whose deadline has come.
func (d *Driver) messageExpired(b *kcb.DCB) { complete(b, abi.ErrTimeout, 0) }

// complete makes the call of b return without a message.
func complete(b *kcb.DCB, err abi.Error, label uint64) {
	b.Regs.RAX, b.Regs.RDI, b.Regs.RBP = uint64(err), label, 0
}

// deliver makes the call of b return with a message out of e.
func deliver(b *kcb.DCB, e *kcb.Endpoint, words *[abi.MessageWords]uint64, header uint64) {
	r := &b.Regs
	r.RAX, r.RDI, r.RBP = uint64(abi.OK), e.Label, header
	r.RSI, r.RDX, r.R10, r.R8, r.R9 = words[0], words[1], words[2], words[3], words[4]
	r.RBX, r.R12, r.R13, r.R14, r.R15 = words[5], words[6], words[7], words[8], words[9]
	b.Counts.Received++
}

// wordsOf returns the words of a message in registers.
func wordsOf(r *abi.Registers) [abi.MessageWords]uint64 {
	return [...]uint64{r.RSI, r.RDX, r.R10, r.R8, r.R9, r.RBX, r.R12, r.R13, r.R14, r.R15}
}

// arrival counts something that can be received from an endpoint of t.
func arrival(t *kcb.DCB, at memory.Phys) uint64 {
	m := &t.Messages
	m.Filled |= 1 << kcb.Place(at)
	m.Arrivals++
	return m.Arrivals
}
