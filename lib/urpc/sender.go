package urpc

import (
	"sync/atomic"
	"unsafe"
)

// Sender is the half of a Channel that sends. One goroutine at a time may use
// it, while another uses the Receiver.
type Sender Channel

// Send is as Channel.Send.
func (s *Sender) Send(kind uint8, payload []byte) bool {
	if len(payload) > PayloadSize || !s.CanSend() {
		return false
	}
	fill(s.outSlot, payload)
	publish((*uint64)(at(s.outSlot+PayloadSize)), s.header(kind, len(payload)))
	s.advance()
	return true
}

// SendWhole is Send of the first n bytes of a payload, but quicker: others may be written too,
// and the peer can read them.
func (s *Sender) SendWhole(kind uint8, n int, payload *[PayloadSize]byte) bool {
	// The word about room only when it is needed, so that the peer may write it many
	// times before its line is asked for.
	if s.sent == s.limit && !s.look() {
		return false
	}
	if uint(n) > PayloadSize || !s.open() {
		return false
	}
	slot := s.outSlot
	moveSome((*words)(at(slot)), (*words)(unsafe.Pointer(payload)), n)
	publish((*uint64)(at(slot+PayloadSize)), s.header(kind, n))
	s.advance()
	return true
}

// header returns the header of a message of a kind whose payload, n bytes of it, is in the next slot.
func (s *Sender) header(kind uint8, n int) uint64 {
	return s.outEpoch |
		uint64(kind)<<kindShift |
		uint64(n)<<lengthShift |
		uint64(atomic.LoadUint32(&s.received))<<ackShift
}

// advance goes on to the slot after the one that has been written.
func (s *Sender) advance() {
	s.sent++
	place := next(s.outSlot-s.out, s.size, s.mask)
	if place == 0 {
		s.outEpoch ^= epochBit
	}
	s.outSlot = s.out + place
}

// Free is as Channel.Free.
func (s *Sender) Free() int {
	for s.look() {
		// Either way may know of more than the other.
	}
	if !s.open() {
		return 0
	}
	return int(s.free())
}

// CanSend is as Channel.CanSend.
func (s *Sender) CanSend() bool {
	return (s.sent != s.limit || s.look()) && s.open()
}

// open says whether what is sent can be received.
func (s *Sender) open() bool {
	return s.sound.Load() && atomic.LoadUint64((*uint64)(at(s.peer+closedWord))) == 0
}

// Broken is as Channel.Broken.
func (s *Sender) Broken() bool { return (*Channel)(s).Broken() }

// free returns how many slots are known to be free.
func (s *Sender) free() uint32 { return s.limit - s.sent }

// short says whether fewer slots are known to be free than will be when the peer
// has received all.
func (s *Sender) short() bool { return s.free() <= s.slots-s.step }

// look takes note of what the peer has received, and returns whether that is more
// than was known; then there may be more still.
func (s *Sender) look() (more bool) {
	// The word only if it is needed: its line is another's.
	return s.sound.Load() && (s.note(atomic.LoadUint32(&s.carried)) || s.note(atomic.LoadUint32((*uint32)(at(s.peer+ackWord)))))
}

// note takes note of one acknowledgement. The other of the two may have been
// further.
func (s *Sender) note(ack uint32) (more bool) {
	ahead := s.ahead(ack)
	if ahead <= 0 {
		return false
	}
	if uint32(ahead) > s.slots-s.free() {
		s.sound.Store(false)
		return false
	}
	s.limit += uint32(ahead)
	return true
}

// ahead returns by how many messages an acknowledgement is further than those that are known.
func (s *Sender) ahead(ack uint32) int32 { return int32(ack + s.slots - s.limit) }

// Pending says whether the peer has received more than Free, or a Send that returned
// false, last saw.
func (s *Sender) Pending() bool {
	return s.sound.Load() &&
		(s.ahead(atomic.LoadUint32(&s.carried)) > 0 || s.ahead(atomic.LoadUint32((*uint32)(at(s.peer+ackWord)))) > 0)
}

// Announce tells the peer that this side waits for room: the peer is to ring the
// doorbell when it has received a quarter of what fills the ring. It returns
// false, and announces nothing, when room has come since Free, or a Send that
// returned false, last looked. After it has returned true, Withdraw must be
// called before Announce is called again.
func (s *Sender) Announce() bool {
	if s.slots == 0 {
		return true
	}
	s.roomAsleep |= 1
	// A full fence, as in Receiver.Announce.
	atomic.StoreUint64((*uint64)(at(s.own+roomWord)), s.roomAsleep)
	if s.look() {
		s.Withdraw()
		return false
	}
	return true
}

// Withdraw takes an announcement back. Without one it does nothing.
func (s *Sender) Withdraw() {
	if s.roomAsleep&1 != 0 {
		s.roomAsleep++
		atomic.StoreUint64((*uint64)(at(s.own+roomWord)), s.roomAsleep)
	}
}

// NeedsDoorbell says whether the peer sleeps and must be woken because of what
// was sent since the last call. It says so once for each announcement: the
// caller must then ring.
func (s *Sender) NeedsDoorbell() bool {
	if !s.ask() {
		return false
	}
	return toRing(s.peer+messageWord, &s.messageRung)
}

// PeerWaits says whether the peer sleeps and must be woken because of what was sent
// since the last call, as NeedsDoorbell does, but each time while the announcement stands. It
// is for peers that are hinted on a Board: somebody else may take a hint away, and
// the peer then go on sleeping on an announcement for which it has been hinted once.
func (s *Sender) PeerWaits() bool {
	if !s.ask() {
		return false
	}
	return atomic.LoadUint64((*uint64)(at(s.peer+messageWord)))&1 != 0
}

// ask says whether something was sent that it has not yet said so of. The look at the
// peer's word that follows must not be made before the peer can see what was sent:
// the store is the full fence between them, since Send has none.
func (s *Sender) ask() bool {
	if s.asked == s.sent {
		return false
	}
	atomic.StoreUint32(&s.asked, s.sent)
	return true
}

// toRing says whether an announcement stands in a sleep word for which nobody has
// rung yet.
func toRing(word uintptr, rung *uint64) bool {
	// Odd words are announcements, each its own number.
	w := atomic.LoadUint64((*uint64)(at(word)))
	if w&1 == 0 || w == *rung {
		return false
	}
	*rung = w
	return true
}
