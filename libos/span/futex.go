package span

import (
	"sync/atomic"

	"skerry/abi"
)

// A word of control.waiting says in one what a thread waits for, so that it changes
// by compare-and-swap alone: the address, the low bits of its ticket, which no other
// wait of that thread has had lately, and two flags.
const (
	looking   = 1 << 0 // it has yet to look at the word, or to say that it has
	announced = 1 << 1 // set in all that are not 0
	addresses = abi.SpanTop - 4
	tickets   = abi.SpanTop // times the ticket
)

// Wait announces that the thread of a slot is about to wait for a word at an address
// below abi.SpanTop, with bits. The caller looks at the word after that, and then
// calls Sleep or EndWait.
func (f *Frame) Wait(slot int, address uint64, bits uint32) {
	c := f.control()
	ticket := atomic.AddUint64(&c.tickets, 1)
	atomic.StoreUint32(&c.bits[slot], bits)
	atomic.StoreUint64(&c.ticket[slot], ticket)
	atomic.StoreUint64(&c.waiting[slot], ticket*tickets|address&addresses|announced|looking) // a full fence
}

// Sleep says that the thread of a slot, having looked at the word, waits. False: a
// wake-up came since Wait, which has not counted it. The word may have changed
// before that: whoever calls must begin again with Wait.
func (f *Frame) Sleep(slot int) bool {
	word := &f.control().waiting[slot]
	waits := atomic.LoadUint64(word)
	return waits != 0 && atomic.CompareAndSwapUint64(word, waits, waits&^looking)
}

// Key returns the address that the thread of a slot waits for, 0 if for none any
// more.
func (f *Frame) Key(slot int) uint64 {
	return atomic.LoadUint64(&f.control().waiting[slot]) & addresses
}

// Woken says whether somebody has claimed the sleeping thread of a slot.
func (f *Frame) Woken(slot int) bool { return atomic.LoadUint64(&f.control().waiting[slot]) == 0 }

// EndWait takes the announcement of a thread back. Of one that sleeps it says
// whether that was claimed before.
func (f *Frame) EndWait(slot int) (woken bool) {
	return atomic.SwapUint64(&f.control().waiting[slot], 0) == 0
}

// Now returns the ticket of who announced last. Who announces later sees what this
// dispatcher's program has stored before.
func (f *Frame) Now() (ticket uint64) {
	// The program has changed its word by whatever store: a full fence.
	atomic.AddUint64(&f.dispatcher(f.self).rung, 0)
	return atomic.LoadUint64(&f.control().tickets)
}

// Wake claims at most n threads that sleep at an address with one of the bits, in
// the order in which they came, and returns how many. Who has them readies them.
func (f *Frame) Wake(address uint64, bits uint32, n int) int {
	return f.claim(address, 0, bits, n, f.Now())
}

// Requeue wakes at most wake threads that sleep at an address and has at most move
// others sleep at another, both below abi.SpanTop. It returns how many these are
// together. Nothing happens to who has announced after a ticket.
func (f *Frame) Requeue(address, to uint64, wake, move int, ticket uint64) int {
	n := f.claim(address, 0, 1<<32-1, wake, ticket)
	if address != to {
		n += f.claim(address, to&addresses|announced, 1<<32-1, move, ticket)
	}
	return n
}

// claim gives at most n threads that sleep at an address another word of waiting,
// but for the ticket, or 0. Those that it finds looking begin again: what they have
// seen may be what was before, and they are not to be counted if they never sleep.
// It ends: nobody whom it has passed by comes back with an older ticket.
func (f *Frame) claim(address, to uint64, bits uint32, n int, ticket uint64) int {
	if address&^addresses != 0 {
		return 0 // nobody sleeps there
	}
	c := f.control()
	for claimed := 0; ; {
		if claimed >= n {
			return claimed
		}
		slot, waits := f.first(address|announced, bits, ticket)
		if slot < 0 {
			return claimed
		}
		becomes := to
		if waits&looking != 0 {
			becomes = 0
		} else if to != 0 {
			becomes |= waits &^ (tickets - 1)
		}
		if !atomic.CompareAndSwapUint64(&c.waiting[slot], waits, becomes) {
			continue // it has slept, gone, or been claimed meanwhile
		}
		if waits&looking == 0 {
			claimed++
			if to == 0 {
				f.Post(slot)
			}
		}
	}
}

// first returns the slot of the thread that has waited longest, up to a ticket, for
// what a word of waiting says but for its ticket and looking, with one of the bits,
// and its word; a slot of -1 if none does. The bits and the ticket that it has looked
// at are that wait's if the word is still the same.
func (f *Frame) first(what uint64, bits uint32, ticket uint64) (slot int, waits uint64) {
	c := f.control()
	slot = -1
	for i := range c.waiting[:f.used()] {
		w := atomic.LoadUint64(&c.waiting[i])
		if w&(tickets-1)&^looking != what || atomic.LoadUint32(&c.bits[i])&bits == 0 {
			continue
		}
		if t := atomic.LoadUint64(&c.ticket[i]); t <= ticket {
			slot, waits, ticket = i, w, t
		}
	}
	return slot, waits
}
