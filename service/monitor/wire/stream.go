package wire

import (
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/lib/urpc"
)

// MaxMessage bounds the body of a message in bytes: that of a Spawn with the
// largest Info.
const MaxMessage = abi.InfoMax + abi.PageSize

// fragment is the bit of a slot's kind which says that the message goes on in
// the next slot.
const fragment = 0x80

// ErrBroken says that the peer has violated the rules of the channel.
var ErrBroken = errors.New("the other monitor broke the rules of the channel")

// Stream carries messages over one side of a channel. It never blocks: what
// does not fit waits in memory. It is not safe for concurrent use.
type Stream struct {
	channel *urpc.Channel
	queue   []byte // bodies that are not sent yet, one after the other
	next    []head // their kinds and lengths
	body    []byte // of the message that comes in

	sent, received uint64 // messages
}

type head struct {
	kind uint8
	size int
}

// NewStream returns a Stream over a channel that is attached and that nothing
// else uses.
func NewStream(channel *urpc.Channel) *Stream { return &Stream{channel: channel} }

// Send queues a message and sends what fits. Messages larger than MaxMessage
// are refused.
func (s *Stream) Send(m Message) error {
	before := len(s.queue)
	s.queue = m.append(s.queue)
	size := len(s.queue) - before
	if size > MaxMessage {
		s.queue = s.queue[:before]
		return fmt.Errorf("%T of %d bytes, at most %d can be sent", m, size, MaxMessage)
	}
	s.sent++
	s.next = append(s.next, head{m.kind(), size})
	s.Flush()
	return nil
}

// Counts returns how many messages have been sent, queued ones included, and
// received.
func (s *Stream) Counts() (sent, received uint64) { return s.sent, s.received }

// Queued returns how many bytes wait because the ring is full.
func (s *Stream) Queued() int { return len(s.queue) }

// Flush sends what is queued as far as the ring has room.
func (s *Stream) Flush() {
	sent := 0
	for len(s.next) > 0 {
		h := &s.next[0]
		kind, n := h.kind, h.size
		if n > urpc.PayloadSize {
			kind, n = kind|fragment, urpc.PayloadSize
		}
		if !s.channel.Send(kind, s.queue[sent:sent+n]) {
			break
		}
		sent += n
		if h.size -= n; kind&fragment == 0 {
			s.next = s.next[1:]
		}
	}
	s.queue = append(s.queue[:0], s.queue[sent:]...)
}

// Receive returns the next message, nil when there is none yet. The message's
// byte slices are valid until the next call. ErrBroken, or what is wrong with
// a message, ends the stream: the peer cannot be understood any more.
func (s *Stream) Receive() (Message, error) {
	var slot [urpc.PayloadSize]byte
	if s.body == nil {
		s.body = make([]byte, 0, 1024)
	}
	for {
		kind, n, ok := s.channel.Receive(&slot)
		if !ok {
			if s.channel.Broken() {
				return nil, ErrBroken
			}
			return nil, nil
		}
		if len(s.body)+n > MaxMessage {
			return nil, ErrBroken
		}
		s.body = append(s.body, slot[:n]...)
		if kind&fragment != 0 {
			continue
		}
		m, err := Decode(kind, s.body)
		s.body = s.body[:0]
		s.received++
		return m, err
	}
}
