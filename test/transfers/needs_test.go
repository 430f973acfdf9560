package transfers

import "testing"

// TestNeeds asks who must wait for whom.
func TestNeeds(t *testing.T) {
	var c Caches
	needs := func(core int, write, want bool) {
		t.Helper()
		if got := c.Needs(core, 0, 8, write); got != want {
			t.Errorf("core %d, write %v: %v, want %v", core, write, got, want)
		}
	}
	needs(0, true, false) // nobody has it
	c.Access(0, 0, 8, true)
	needs(0, true, false)
	needs(1, false, true)
	c.Access(1, 0, 8, false)
	c.Access(63, 0, 8, false)
	needs(0, false, false)
	needs(0, true, true) // two others have copies
	c.Access(0, 0, 8, true)
	needs(63, false, true)
	if all := c.All(); all != (Count{Transfers: 2, Cold: 1, Upgrades: 1}) {
		t.Errorf("all: %+v", all)
	}
}
