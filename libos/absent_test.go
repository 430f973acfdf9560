package main

import (
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/libos/span"
)

// TestMissedAgainAndAgain: a thread that finds memory missing, is told that it was
// there, and finds it missing again may go on doing so while home takes memory away;
// while home takes nothing away it is of no use, and the access fails in the end.
func TestMissedAgainAndAgain(t *testing.T) {
	memory := make([]uint64, abi.SpanSize(2)/8)
	spanned.on, spanned.satellite = true, true
	spanned.frame.Init(uintptr(unsafe.Pointer(&memory[0])), 1, 2)
	defer func() { spanned.on, spanned.satellite, spanned.frame = false, false, span.Frame{} }()
	for _, c := range []struct {
		name  string
		taken func(i uint64) uint64
		there uint32
		fails bool
	}{
		{"taken away each time", func(i uint64) uint64 { return i }, 1, false},
		{"taken away at times", func(i uint64) uint64 { return i / maxTries }, 1, false},
		{"just brought in", func(uint64) uint64 { return 7 }, 0, false},
		{"of no use", func(uint64) uint64 { return 7 }, 1, true},
	} {
		th := freshThreads(t)
		p := passengerAt(slotOf(th))
		*p = passenger{}
		for i := range uint64(10 * maxTries) {
			lacks(testBase, 1, linux.PROT_READ)
			askForMemory(th, needFault)
			m := spanned.frame.Message(slotOf(th))
			m.Code, m.Back, m.Taken = 0, c.there, c.taken(i)
			memoryCame(th, p, m)
			threads.Next()
			if p.signal != 0 {
				break
			}
		}
		if failed := p.signal != 0; failed != c.fails || failed && (p.signal != linux.SIGSEGV || p.code != linux.SEGV_ACCERR) {
			t.Errorf("memory that is %s: signal %d, code %d", c.name, p.signal, p.code)
		}
		*p = passenger{}
	}
}
