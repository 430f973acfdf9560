package transfers

import "testing"

// TestCaches goes through what can happen to a line, and to two.
func TestCaches(t *testing.T) {
	type step struct {
		core  int
		at    uint64
		size  int
		write bool
		want  Count // of the core that acts, by this step
	}
	read, write := false, true
	for name, steps := range map[string][]step{
		"a line that one core has to itself costs once": {
			{0, 0, 8, read, Count{Cold: 1}}, {0, 8, 8, write, Count{}}, {0, 56, 8, write, Count{}}, {0, 0, 8, read, Count{}},
		},
		"a message": {
			{0, 64, 8, write, Count{Cold: 1}}, {1, 120, 8, read, Count{Transfers: 1}}, {1, 64, 8, read, Count{}},
			{0, 64, 8, write, Count{Upgrades: 1}}, {0, 120, 8, write, Count{}}, {1, 120, 8, read, Count{Transfers: 1}},
		},
		"a lock": {
			{0, 0, 4, write, Count{Cold: 1}}, {1, 0, 4, write, Count{Transfers: 1}}, {0, 0, 4, write, Count{Transfers: 1}},
		},
		"both read": {
			{0, 0, 4, read, Count{Cold: 1}}, {1, 0, 4, read, Count{Transfers: 1}}, {0, 0, 4, read, Count{}}, {1, 0, 4, read, Count{}},
		},
		"an access across two lines": {
			{0, 60, 8, write, Count{Cold: 2}}, {1, 63, 2, read, Count{Transfers: 2}}, {1, 64, 1, read, Count{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c Caches
			for i, s := range steps {
				c.Reset()
				c.Access(s.core, s.at, s.size, s.write)
				if got := c.Count(s.core); got != s.want {
					t.Errorf("step %d: %+v, want %+v", i, got, s.want)
				}
				if got := c.Count(1 - s.core); got != (Count{}) {
					t.Errorf("step %d: the other core: %+v", i, got)
				}
			}
		})
	}
}
