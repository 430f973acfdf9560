package main

import (
	"sync/atomic"
	"unsafe"

	"skerry/lib/pause"
	"skerry/lib/urpc"
)

// row is one quantity. Here and there do it n times at the two ends at once; without
// there it is about this process alone.
type row struct {
	name        string
	here, there func(e *end, n int) error
}

var rows []row

func init() {
	rows = append([]row{
		{"raw_round_trip", rawHere, rawThere},
		{"urpc_round_trip", pingHere, pingThere},
		{"urpc_message", streamHere, streamThere},
	}, append(rivals, polls...)...)
}

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
