package driver

import (
	"math/bits"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// message does the native call in b's registers.
func (d *Driver) message(b *kcb.DCB) {
	r := &b.Regs
	given := capability.Reference(r.RAX &^ abi.NativeCall >> 32)
	delivered := false
	w, err := d.way(b)
	switch {
	case err != abi.OK:
	case r.RAX>>8&0xff_ffff > abi.MessageWords, int64(r.RBP) < 0, given != 0 && w.To == 0:
		err = abi.ErrArgument
	case w.To != 0:
		delivered, err = d.send(b, w, given)
	}
	if err != abi.OK {
		r.RDX = 0
		complete(b, err, 0)
		return
	}
	sent := uint64(0)
	if w.To != 0 {
		sent = 1
		b.Counts.Sent++
	}
	if w.From == 0 {
		complete(b, abi.OK, 0)
	} else {
		deadline := int64(r.RBP)
		r.RDX = sent
		if !d.receive(b, w.From) && d.mayWait(b, deadline) {
			b.Awaits = w.From
			if delivered {
				d.handOver(b, w.Target, deadline)
			} else {
				d.block(b, deadline)
			}
			return
		}
	}
	if delivered {
		d.ready(w.Target)
	}
}

// send sends the message in b's registers, and a capability if given is not 0. If its
// target waits for it, it is delivered: the target has it, and is to be made ready.
// Else it is in the buffer.
func (d *Driver) send(b *kcb.DCB, w *kcb.Way, given capability.Reference) (delivered bool, err abi.Error) {
	t, e, r := w.Target, w.Endpoint, &b.Regs
	if t.State == abi.DomainEnded {
		return false, abi.ErrPeer
	}
	delivered = awaits(t, w.To)
	if !delivered && e.Count == w.Room {
		d.want(b, w)
		return false, abi.ErrFull
	}
	words := r.RAX & quickWords >> 8
	header := words
	if given != 0 {
		if err := d.give(b, w, given); err != abi.OK {
			return false, err
		}
		header |= abi.MessageCapability
	}
	if delivered {
		moveWords(&t.Regs, r, words)
		came(t, e, header)
		t.Awaits = 0
		return true, abi.OK
	}
	*e.Put(w.Room) = kcb.Message{Words: wordsOf(r), Arrived: arrival(t, w.To), Header: header}
	d.notify(t)
	return false, abi.OK
}

// give puts a copy of what b gives along into the slot that the endpoint's owner has
// named.
func (d *Driver) give(b *kcb.DCB, w *kcb.Way, given capability.Reference) abi.Error {
	from, err := d.cap.Lookup(d.slot(b, kcb.SlotCSpace), given, capability.RightGrant)
	if err != abi.OK {
		return err
	}
	to, err := d.cap.Vacancy(d.slot(w.Target, kcb.SlotCSpace), w.Endpoint.Accept, d.cap.TypeOf(from))
	if err != abi.OK {
		d.want(b, w)
		return abi.ErrNoSlot
	}
	if err := d.cap.Copy(to, from, capability.AllRights); err != abi.OK {
		return err
	}
	w.Endpoint.Accept = 0
	return abi.OK
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
		setWords(&b.Regs, &message.Words)
		clearWords(&b.Regs, message.Header&0xf)
		came(b, e, message.Header)
		e.Drop()
		d.tellSenders(e)
	}
	if e.Count == 0 && e.EndedAt == 0 {
		b.Empty(place)
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

// came makes the call of b return with a message out of e, whose words are in its
// registers.
func came(b *kcb.DCB, e *kcb.Endpoint, header uint64) {
	b.Regs.RAX, b.Regs.RDI, b.Regs.RBP = uint64(abi.OK), e.Label, header
	b.Counts.Received++
}

// arrival counts something that can be received from an endpoint of t.
func arrival(t *kcb.DCB, at memory.Phys) uint64 {
	if place := kcb.Place(at); t.Messages.Filled>>place&1 == 0 {
		t.Fill(place)
	}
	t.Messages.Arrivals++
	return t.Messages.Arrivals
}
