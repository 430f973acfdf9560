package files

import (
	"testing"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/lib/urpc"
)

// TestRoom: a program that has asked to be rung, and then fills its ring with output
// and waits, is rung for room, whatever the ring was like when it asked.
func TestRoom(t *testing.T) {
	m := newMachine(t, nil)
	b, at := m.room(4096)
	spawner := stdioPair(t, m)
	copy(b, "abc")
	for round := range 5 {
		m.Withdraw()
		m.Poll()
		if !m.Announce() {
			t.Fatalf("round %d: something to poll", round)
		}
		var r Result
		for n := 0; r.Wait == NoKey; n++ {
			if r = m.do(call(linux.SysWrite, 1, at, 3)); n > 1000 || r.Wait == NoKey && r.Value != 3 {
				t.Fatalf("round %d, write %d: %+v", round, n, r)
			}
		}
		m.NeedsDoorbell()
		spawner.NeedsDoorbell()
		var payload [urpc.PayloadSize]byte
		for _, _, ok := spawner.Receive(&payload); ok; _, _, ok = spawner.Receive(&payload) {
		}
		if !spawner.NeedsDoorbell() {
			t.Fatalf("round %d: nobody rings who waits for room", round)
		}
		m.Poll()
		if m.collect(); !m.woken(r.Wait) {
			t.Fatalf("round %d: nobody wakes who waits for room", round)
		}
	}
}

// TestPageFits: a page, which is written whole or not at all, takes no more slots than come
// free for certain (urpc.Channel.Free): who waited for more could wait for ever.
func TestPageFits(t *testing.T) {
	slots := urpc.Slots(abi.StdioSize)
	if page := (pageSize + urpc.PayloadSize - 1) / urpc.PayloadSize; page > 3*slots/4+1 {
		t.Errorf("a page takes %d slots, and of %d only %d come free for certain", page, slots, 3*slots/4+1)
	}
}
