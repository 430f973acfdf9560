package urpc

import (
	"math/bits"
	"sync/atomic"
)

// Hints is how many numbers a Board has: 0 to Hints-1.
const Hints = (BoardSize/8 - 1) * 64

// BoardSize is the size in bytes of a board's hints: one line. Word 0 is the
// summary, in which bit w says that word w holds hints; bit b of word w is the hint
// of number (w-1)*64 + b.
const BoardSize = SlotSize

// Board is where an owner of many channels learns which of them to look at: a
// peer whose channel the owner does not poll hints on it, and the owner looks at one
// word whatever the number of channels. The hints lie where all peers can write,
// the sleep word where they can only read: so a peer can neither make the owner
// look asleep or awake.
//
// Hints are only hints: a hostile peer can set, clear and scatter them. So that it
// cannot take away another's, the owner looks at all its channels, hinted or not,
// after Announce and before it sleeps, and when it wakes without a hint; and peers hint for
// each message while the owner does not poll the channel (Sender.PeerWaits).
//
// A Board is for one goroutine. Its zero value is attached to nothing and must not
// be used.
type Board struct {
	hints, sleep uintptr
	summary      uint64 // bits of words not yet taken
	looked       bool   // at the summary, and Next has not yet said that it is through
	word         int    // the word that taken is of
	taken        uint64 // hints of it that Next has not yet returned
	asleep       uint64 // what the sleep word holds; odd while an announcement stands
}

// Attach makes b the board with its hints and its sleep word at those addresses,
// multiples of SlotSize. Both must be zero and stay mapped.
func (b *Board) Attach(hints, sleep uintptr) { *b = Board{hints: hints, sleep: sleep} }

// Poll says whether there may be hints. It reads one word.
func (b *Board) Poll() bool {
	return b.taken != 0 || b.summary != 0 || atomic.LoadUint64((*uint64)(at(b.hints))) != 0
}

// Hinted is Poll for goroutines other than the board's own: it does not know of hints that
// have been taken and not yet returned.
func (b *Board) Hinted() bool { return atomic.LoadUint64((*uint64)(at(b.hints))) != 0 }

// Next takes a hint and returns its number; ok is false when there is none left of
// those that stood when it looked: after at most Hints of them, however fast peers
// set new ones. What was sent before that hint was given is there to be received.
func (b *Board) Next() (n int, ok bool) {
	if b.taken == 0 && !b.take() {
		return 0, false
	}
	bit := bits.TrailingZeros64(b.taken)
	b.taken &= b.taken - 1
	return (b.word-1)*64 + bit, true
}

// take takes the hints of the next word that has any.
func (b *Board) take() bool {
	if !b.looked {
		if atomic.LoadUint64((*uint64)(at(b.hints))) == 0 {
			return false
		}
		b.summary = atomic.SwapUint64((*uint64)(at(b.hints)), 0) & summaryMask
		b.looked = true
	}
	for b.summary != 0 {
		b.word = bits.TrailingZeros64(b.summary)
		b.summary &= b.summary - 1
		if b.taken = atomic.SwapUint64((*uint64)(at(b.hints+uintptr(b.word)*8)), 0); b.taken != 0 {
			return true
		}
	}
	b.looked = false
	return false
}

// summaryMask are the bits of the summary that stand for words.
const summaryMask = 1<<(BoardSize/8) - 2

// Announce tells the peers that the owner is about to sleep: from now on whoever
// hints is to ring. It returns false, and announces nothing, when there are hints.
// After it has returned true the owner looks at all its channels once more, sleeps if
// there is nothing in any, and calls Withdraw in any case.
func (b *Board) Announce() bool {
	b.asleep |= 1
	// A full fence between the announcement and the last look at the hints, as
	// between a hint and the look at the announcement.
	atomic.StoreUint64((*uint64)(at(b.sleep)), b.asleep)
	if b.Poll() {
		b.Withdraw()
		return false
	}
	return true
}

// Withdraw takes an announcement back. Without one it does nothing.
func (b *Board) Withdraw() {
	if b.asleep&1 != 0 {
		b.asleep++
		atomic.StoreUint64((*uint64)(at(b.sleep)), b.asleep)
	}
}

// Asleep says whether an announcement stands.
func (b *Board) Asleep() bool { return b.asleep&1 != 0 }

// Bell is a peer's view of a board: one number on it. Both halves of a channel may
// use it at the same time. Its zero value is attached to nothing and must not be
// used.
type Bell struct {
	word, bit    uintptr // where the hint stands, and its bit
	hints, sleep uintptr
	rung         atomic.Uint64 // the announcement for which the owner was rung
}

// Attach makes b the number n of the board with its hints and its sleep word at
// those addresses, multiples of SlotSize. The first must be writable; both must stay
// mapped. It returns false, and attaches nothing, when there is no such number.
func (b *Bell) Attach(hints, sleep uintptr, n int) bool {
	if n < 0 || n >= Hints {
		return false
	}
	b.hints, b.sleep = hints, sleep
	b.word, b.bit = uintptr(n/64+1), uintptr(n%64)
	b.rung.Store(0)
	return true
}

// Hint sets the hint, after PeerWaits has said that the owner does not poll the
// channel. It returns true when the owner sleeps and is to be rung: once for each
// announcement, or twice when both halves of a channel hint at the same time.
func (b *Bell) Hint() (ring bool) {
	// Where it stands already the owner has yet to take it, and sees then what was
	// sent before this.
	set(b.hints+b.word*8, 1<<b.bit)
	set(b.hints, 1<<b.word)
	// PeerWaits was a full fence after what was sent, if these were none. Odd words are
	// announcements, each its own number.
	w := atomic.LoadUint64((*uint64)(at(b.sleep)))
	if w&1 == 0 || w == b.rung.Load() {
		return false
	}
	b.rung.Store(w)
	return true
}

// set sets a bit of a word.
func set(word uintptr, bit uint64) {
	if p := (*uint64)(at(word)); atomic.LoadUint64(p)&bit == 0 {
		atomic.OrUint64(p, bit)
	}
}
