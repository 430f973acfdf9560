package baseline

import (
	"testing"
	"time"
)

// TestFrequency holds the frequency of the time-stamp counter against another, longer measurement.
func TestFrequency(t *testing.T) {
	if ticks() == 0 {
		t.Skip("no time-stamp counter")
	}
	at, from := moment()
	time.Sleep(100 * time.Millisecond) // what is measured
	end, to := moment()
	kHz := float64(to-from) * 1e6 / float64(end.Sub(at))
	if off := float64(frequency())/kHz - 1; off < -0.01 || off > 0.01 {
		t.Errorf("%d kHz, but %.0f kHz in 100 ms", frequency(), kHz)
	}
}
