// Package mailbox lays out the declared channel memory by which kernels ring
// each other's dispatchers and have each other forget translations: one mailbox
// for each ordered pair of cores.
//
// The parts of the CPU driver import it. It runs over plain memory that all
// kernels map writable, never blocks and never waits for another kernel. Whatever
// is read from a mailbox is another kernel's word: a bit says no more than that
// somebody rang, a generation no more than that somebody wrote it.
//
// Mailboxes lie by receiver, so that one who was interrupted scans lines that lie
// side by side:
//
//	mailbox(from, to) = base + (to*cores + from) * 128
//
//	line 0   doorbells, a bit for each dispatcher number of the receiver: the
//	         sender sets them, the receiver takes them
//	line 1   0  requested: the generation of translations that the sender wants
//	            the receiver to have forgotten
//	         8  acknowledged: the last generation, of those that the receiver
//	            requested in its mailbox to the sender, that the sender has
//	            forgotten
//
// Line 1 is the sender's alone to write. Both lines change hands only when
// something is to be said.
package mailbox

import (
	"sync/atomic"
	"unsafe"

	"skerry/abi"
)

// Words is how many words of doorbells a mailbox has, with 64 in each.
const Words = abi.CoreDispatchers / 64

// Box is a mailbox, from one kernel to another.
type Box struct {
	bells                   [Words]uint64
	requested, acknowledged uint64
	_                       [6]uint64
}

// boxSize is the size of a Box in bytes: two lines of a cache.
const boxSize = 128

var _ [boxSize - unsafe.Sizeof(Box{})]byte
var _ [unsafe.Sizeof(Box{}) - boxSize]byte

// Ring rings the doorbell of one of the receiver's dispatchers, a number less
// than abi.CoreDispatchers. It reports whether the receiver must be interrupted:
// if there was a bit in the same word, an interrupt is on its way after which the
// receiver takes that word. For the sender.
func (b *Box) Ring(number uint64) (interrupt bool) {
	return atomic.OrUint64(&b.bells[number/64%Words], 1<<(number%64)) == 0
}

// Take takes the doorbells of a word, for dispatchers from 64*word on. For the
// receiver, once it was interrupted.
func (b *Box) Take(word int) uint64 {
	at := &b.bells[word%Words]
	if atomic.LoadUint64(at) == 0 {
		return 0 // and the line stays shared
	}
	return atomic.SwapUint64(at, 0)
}

// Request asks the receiver to forget translations, up to a generation that it
// acknowledges: all changes of page tables before Request are seen by who reads
// it. The sender interrupts the receiver then.
func (b *Box) Request(generation uint64) { atomic.StoreUint64(&b.requested, generation) }

// Requested returns what the sender asked for last. For the receiver.
func (b *Box) Requested() uint64 { return atomic.LoadUint64(&b.requested) }

// Acknowledge tells the receiver that the sender has forgotten what the receiver
// requested of it. The sender interrupts the receiver then.
func (b *Box) Acknowledge(generation uint64) { atomic.StoreUint64(&b.acknowledged, generation) }

// Acknowledged returns what the sender has acknowledged last. For both.
func (b *Box) Acknowledged() uint64 { return atomic.LoadUint64(&b.acknowledged) }

// Boxes are the mailboxes of all cores of a machine. The zero value is those of
// none.
type Boxes struct {
	At    uintptr // where they are mapped
	Cores uint32
}

// Size returns how many bytes the mailboxes of a number of cores take, in whole
// pages.
func Size(cores uint32) uint64 {
	n := uint64(cores) * uint64(cores) * boxSize
	return (n + abi.PageSize - 1) &^ (abi.PageSize - 1)
}

// Box returns the mailbox from one core to another: both are less than Cores.
func (b Boxes) Box(from, to uint32) *Box {
	return (*Box)(unsafe.Pointer(b.At + (uintptr(to)*uintptr(b.Cores)+uintptr(from))*boxSize))
}
