package main

import (
	"errors"
	"testing"
	"time"

	"skerry/abi/capability"
)

// TestSettling: what other cores hold back is waited for, however often that is; what
// is in use is not; and a core that never answers ends the wait.
func TestSettling(t *testing.T) {
	type world struct {
		now      time.Time
		pending  int // looks until all have forgotten
		attempts int
	}
	run := func(attempt func(w *world) error) (*world, error) {
		w := &world{now: time.Unix(1, 0)}
		err := settlingBy(
			func() error { w.attempts++; return attempt(w) },
			func() bool { w.pending = max(w.pending-1, 0); return w.pending == 0 },
			func() time.Time { w.now = w.now.Add(time.Millisecond); return w.now })
		return w, err
	}
	for _, c := range []struct {
		name     string
		attempt  func(w *world) error
		want     error
		attempts int
	}{
		{"at once", func(*world) error { return nil }, nil, 1},
		{"another error", func(*world) error { return capability.ErrRange }, capability.ErrRange, 1},
		{"held back for long", func(w *world) error {
			if w.attempts == 1 {
				w.pending = 9000
				return capability.ErrInUse
			}
			return nil
		}, nil, 2},
		{"held back again and again", func(w *world) error {
			if w.attempts <= 10*attempts {
				w.pending = 3
				return capability.ErrInUse
			}
			return nil
		}, nil, 10*attempts + 1},
		{"in use", func(*world) error { return capability.ErrInUse }, capability.ErrInUse, attempts},
		{"a core never answers", func(w *world) error { w.pending = 1 << 40; return capability.ErrInUse }, capability.ErrInUse, 1},
	} {
		w, err := run(c.attempt)
		if !errors.Is(err, c.want) || w.attempts != c.attempts {
			t.Errorf("%s: %v after %d attempts; want %v after %d", c.name, err, w.attempts, c.want, c.attempts)
		}
		if waited := w.now.Sub(time.Unix(1, 0)); waited > mostSettling+time.Second {
			t.Errorf("%s: waits for %v", c.name, waited)
		}
	}
}
