package main

import (
	"skerry/lib/pause"
	"skerry/lib/urpc"
)

// bells are lib/urpc where a receiver to whom nothing comes sleeps, and whoever sends to it
// then rings by a futex: what a doorbell is on Linux.
var bells = []row{
	{name: "urpc_futex_round_trip", here: bellHere, there: bellThere},
}

// patient is how often a receiver looks before it sleeps, if the other end is on another
// processor: for longer than an answer takes.
const patient = 1000

// The words of which each counts how often an end was rung.
const (
	bellHereAt  = 2
	bellThereAt = 3
)

func bellHere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	for range n {
		e.sendAndRing(&buf, bellThereAt)
		e.receiveOrSleep(&buf, bellHereAt)
	}
	return nil
}

func bellThere(e *end, n int) error {
	var buf [urpc.PayloadSize]byte
	for range n {
		e.receiveOrSleep(&buf, bellThereAt)
		e.sendAndRing(&buf, bellHereAt)
	}
	return nil
}

// sendAndRing sends, when there is room as there is where each message is answered, and
// rings if the receiver sleeps.
func (e *end) sendAndRing(payload *[urpc.PayloadSize]byte, theirs uintptr) {
	s := e.channel.Sender()
	s.SendWhole(1, len(payload), payload)
	if s.NeedsDoorbell() {
		bell := e.word(theirs)
		futexWake(bell, uint32(bell.Load())+1)
	}
}

func (e *end) receiveOrSleep(buf *[urpc.PayloadSize]byte, mine uintptr) {
	r, bell := e.channel.Receiver(), e.word(mine)
	looks := 1
	if !e.together {
		looks = patient
	}
	for {
		for range looks {
			if _, _, ok := r.Receive(buf); ok {
				return
			}
			pause.Times(1)
		}
		rung := uint32(bell.Load())
		if r.Announce() {
			futexSleep(bell, rung)
		}
		r.Withdraw()
	}
}
