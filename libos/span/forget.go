package span

import (
	"math/bits"
	"sync/atomic"
)

// forget is what satellites are to forget, where each has page tables of its own:
// what they have mapped in [start, end). Home writes it when all who were asked for
// the generation before have done that.
type forget struct {
	generation uint64
	start, end uint64
}

// Forget asks the satellites of a set to forget what they have mapped in [start,
// end). Home alone calls it, when Forgotten says true of what it asked before, and
// when it has nothing mapped there itself any more, or nothing but with less
// protection: what it answers to a fault from now on may be mapped again.
func (f *Frame) Forget(start, end, set uint64) {
	c := f.control()
	f.asked = set & f.All() &^ (1 << Home)
	c.forget.start, c.forget.end = start, end
	atomic.StoreUint64(&c.forget.generation, c.forget.generation+1)
	for s := f.asked; s != 0; s &= s - 1 {
		atomic.OrUint64(&f.dispatcher(uint32(bits.TrailingZeros64(s))).mail, mailForget)
	}
	f.toRing |= f.asked
}

// Forgotten says whether all who were asked last have forgotten.
func (f *Frame) Forgotten() bool {
	generation := f.control().forget.generation
	for ; f.asked != 0; f.asked &= f.asked - 1 {
		if atomic.LoadUint64(&f.dispatcher(uint32(bits.TrailingZeros64(f.asked))).forgot) != generation {
			return false
		}
	}
	return true
}

// Listen announces that this dispatcher must be rung from now on, whatever mail
// there is: it waits for one thing, and looks for that after Listen. Enter must
// follow.
func (f *Frame) Listen() {
	if d := f.dispatcher(f.self); d.announce&1 == 0 {
		atomic.StoreUint64(&d.announce, d.announce+1) // a full fence, as in Leave
	}
}

// ToForget takes what this dispatcher, a satellite, is asked to forget; ok is false
// if there is nothing. It must do all mail that has come by then, and then forget,
// and then call Forgot: an answer of home's from before its request is among that
// mail.
func (f *Frame) ToForget() (generation, start, end uint64, ok bool) {
	d := f.dispatcher(f.self)
	if atomic.LoadUint64(&d.mail)&mailForget == 0 {
		return 0, 0, 0, false
	}
	atomic.AndUint64(&d.mail, ^uint64(mailForget))
	c := f.control()
	return atomic.LoadUint64(&c.forget.generation), c.forget.start, c.forget.end, true
}

// Forgot says that this dispatcher has done what ToForget said, and that its
// processor has no translation of it any more.
func (f *Frame) Forgot(generation uint64) {
	atomic.StoreUint64(&f.dispatcher(f.self).forgot, generation)
	f.toRing |= 1 << Home
}
