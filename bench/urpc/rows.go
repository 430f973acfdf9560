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
		{name: "urpc_round_trip", here: pingHere, there: pingThere},
		{name: "urpc_message", here: streamHere, there: streamThere},
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

// send sends as to a peer that may sleep: it looks whether it does.
func (e *end) send(payload []byte) {
	s := e.channel.Sender()
	for !s.Send(1, payload) {
		pause.Times(1)
	}
	s.PeerWaits()
}

func (e *end) receive(buf *[urpc.PayloadSize]byte) {
	for {
		if _, _, ok := e.channel.Receiver().Receive(buf); ok {
			return
		}
		pause.Times(1)
	}
}

// A message there and one back, each of a full payload.
func pingHere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	for range n {
		e.send(buf[:])
		e.receive(&buf)
	}
	return nil
}

func pingThere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	for range n {
		e.receive(&buf)
		e.send(buf[:])
	}
	return nil
}

// Messages one way as fast as they go, each of a full payload; one comes back when
// all are there.
func streamHere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	for range n {
		e.send(buf[:])
	}
	e.receive(&buf)
	return nil
}

func streamThere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	for range n {
		e.receive(&buf)
	}
	e.send(buf[:])
	return nil
}
