package vspace

import "testing"

// TestHeldBack: RAM that is held back for other cores is waited for, and none of it
// is given up as lost, however often that is.
func TestHeldBack(t *testing.T) {
	const n = 1000
	made := func(held bool) (retypes, awaited int, free uint64) {
		m := newMachine(t, 8<<20)
		m.mmap(low, n, readWrite)
		for p := range uint64(n) {
			m.held = held
			m.write(low+pages(p), p)
		}
		m.held = false
		m.check()
		return m.calls["Retype"], m.awaited, space.freeBlocks
	}
	retypes, _, free := made(false)
	heldRetypes, awaited, heldFree := made(true)
	if heldFree != free {
		t.Errorf("%d blocks are left, and %d where none was held back", heldFree, free)
	}
	if awaited == 0 || heldRetypes != retypes+awaited {
		t.Errorf("%d objects took %d attempts, with %d waits", retypes, heldRetypes, awaited)
	}
}
