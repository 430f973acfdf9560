package measure

import "testing"

// TestRounds holds that every operation that is measured alone has its Before,
// and that the first ones do not count.
func TestRounds(t *testing.T) {
	for _, c := range []struct{ samples, measured, done int }{
		{0, samples, warm + samples}, {1, 1, 1}, {4, 4, 5},
	} {
		for name, take := range map[string]func(*Operation) []float64{"ticks": (*Operation).ticks, "single": (*Operation).single} {
			ready, done := 0, 0
			o := Operation{
				Samples: c.samples,
				Before:  func() { ready++ },
				Run: func() {
					if done++; ready != done {
						t.Errorf("%s: operation %d has been prepared %d times", name, done, ready)
					}
				},
			}
			if got := len(take(&o)); got != c.measured || done != c.done {
				t.Errorf("%s: %d samples of %d operations, want %d of %d", name, got, done, c.measured, c.done)
			}
		}
	}
}

func TestLines(t *testing.T) {
	for want, got := range map[string]string{
		"a 2.5 ns\na.spread 50.0 %\n": Row{Name: "a"}.lines(&Operation{}, []float64{1.5, 2.5, 4, 1}, "ns"),
		"a 2 ticks\na.spread 0.0 %\na_per_byte 0.25 ticks\na_per_byte.spread 0.0 %\n": Row{Name: "a"}.lines(&Operation{Units: 3, Bytes: 8}, []float64{6, 6, 6}, "ticks"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
