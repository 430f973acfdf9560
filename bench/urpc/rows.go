package main

import (
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"skerry/lib/pause"
	"skerry/lib/urpc"
)

// row is one quantity. Here and there do it n times at the two ends at once; without
// there it is about one thread alone.
type row struct {
	name        string
	here, there func(e *end, n int) error
	local       bool // the other end is a thread of this process, not the other process
	naps        bool // it is done once at a time, when the other end has slept for a while
}

var rows []row

func init() {
	rows = append([]row{
		{name: "raw_round_trip", here: rawHere, there: rawThere},
		{name: "line_round_trip", here: lineHere, there: lineThere},
		{name: "urpc_round_trip", here: pingHere(call), there: pingThere(call)},
		{name: "urpc_deep_round_trip", here: pingHere(deep), there: pingThere(deep)},
		{name: "urpc_message", here: streamHere, there: streamThere},
		{name: "stub_round_trip", here: callHere, there: callThere},
	}, slices.Concat(bells, rivals, polls)...)
	for _, r := range rows {
		if sleeper, ok := strings.CutSuffix(r.name, "_round_trip"); ok && slices.Contains(sleepers, sleeper) {
			r.name, r.naps = sleeper+"_wake", true
			rows = append(rows, r)
		}
	}
}

// sleepers are the ways by which an end to which nothing comes sleeps. Their round trips are
// measured after it has, too.
var sleepers = []string{"urpc_futex", "channel", "futex", "eventfd", "pipe", "socket"}

// word returns one of the words for rows without a channel: each has a line, and
// the line that processors fetch with it, to itself.
func (e *end) word(n uintptr) *atomic.Uint64 {
	return (*atomic.Uint64)(at(e.words + n*128))
}

// at is the pointer to an address outside the Go heap.
func at(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// await polls until a word has a value.
func await(w *atomic.Uint64, value uint64) {
	for w.Load() != value {
		pause.Times(1)
	}
}

// Raw: one line goes there and another comes back, and nothing else is done.
func rawHere(e *end, n int) error {
	there, back := e.word(0), e.word(1)
	for i := uint64(1); i <= uint64(n); i++ {
		there.Store(i)
		await(back, i)
	}
	return nil
}

func rawThere(e *end, n int) error {
	there, back := e.word(0), e.word(1)
	for i := uint64(1); i <= uint64(n); i++ {
		await(there, i)
		back.Store(i)
	}
	return nil
}

// payload is what a message carries, as words.
type payload [urpc.PayloadSize / 8]uint64

// line is one of a ring's lines, without the ring: a payload and a number, by which the
// reader knows that it has come.
type line struct {
	payload payload
	number  atomic.Uint64
}

func (l *line) write(p *payload, number uint64) {
	l.payload = *p
	l.number.Store(number)
}

func (l *line) read(p *payload, number uint64) {
	await(&l.number, number)
	*p = l.payload
}

// lines returns the lines that go there and those that come back: the slots of the channel for
// calls.
func (e *end) lines() (there, back [callSlots]*line) {
	for n := range callSlots {
		place := e.calls + urpc.Rings + urpc.Place(n, callSlots)
		there[n], back[n] = (*line)(at(place)), (*line)(at(place+callSlots*urpc.Pitch))
	}
	return there, back
}

// Lines: full ones, each from the next place, but nothing that makes a channel of them.
func lineHere(e *end, n int) error {
	var p payload
	there, back := e.lines()
	for i := uint64(1); i <= uint64(n); i++ {
		there[i%callSlots].write(&p, i)
		back[i%callSlots].read(&p, i)
	}
	return nil
}

func lineThere(e *end, n int) error {
	var p payload
	there, back := e.lines()
	for i := uint64(1); i <= uint64(n); i++ {
		there[i%callSlots].read(&p, i)
		back[i%callSlots].write(&p, i)
	}
	return nil
}

// call and deep are the channels of an end.
func call(e *end) *urpc.Channel { return &e.call }
func deep(e *end) *urpc.Channel { return &e.channel }

// send sends when there is room.
func send(s *urpc.Sender, payload *[urpc.PayloadSize]byte) {
	for !s.SendWhole(1, len(payload), payload) {
		pause.Times(1)
	}
}

func receive(r *urpc.Receiver, buf *[urpc.PayloadSize]byte) {
	for {
		if _, _, ok := r.Receive(buf); ok {
			return
		}
		pause.Times(1)
	}
}

// A message there and one back, each of a full payload. Whoever sends looks whether the
// other sleeps.
func pingHere(of func(*end) *urpc.Channel) func(*end, int) error {
	return func(e *end, n int) error {
		var buf [urpc.PayloadSize]byte
		s, r := of(e).Sender(), of(e).Receiver()
		for range n {
			send(s, &buf)
			s.PeerWaits()
			receive(r, &buf)
		}
		return nil
	}
}

func pingThere(of func(*end) *urpc.Channel) func(*end, int) error {
	return func(e *end, n int) error {
		var buf [urpc.PayloadSize]byte
		s, r := of(e).Sender(), of(e).Receiver()
		for range n {
			receive(r, &buf)
			send(s, &buf)
			s.PeerWaits()
		}
		return nil
	}
}

// Messages one way as fast as they go, each of a full payload and with a look whether
// the other sleeps; one comes back when all are there.
func streamHere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	s := e.channel.Sender()
	for range n {
		send(s, &buf)
		s.PeerWaits()
	}
	receive(e.channel.Receiver(), &buf)
	return nil
}

func streamThere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	for range n {
		receive(e.channel.Receiver(), &buf)
	}
	send(e.channel.Sender(), &buf)
	return nil
}
