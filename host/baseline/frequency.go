package baseline

import (
	"sync"
	"time"
)

// frequency returns how fast a machine's time-stamp counter counts, in kHz, by the host's
// clock; 0 if that is not known. It takes 20 ms, once.
var frequency = sync.OnceValue(func() uint64 {
	at, from := moment()
	time.Sleep(20 * time.Millisecond)
	end, to := moment()
	return (to - from) * 1e6 / uint64(end.Sub(at))
})

// moment reads clock and counter at nearly the same time: the pair of many whose reading took
// the least time.
func moment() (at time.Time, count uint64) {
	best := time.Hour
	for range 32 {
		before, now := time.Now(), ticks()
		if took := time.Since(before); took < best {
			best, at, count = took, before, now
		}
	}
	return at, count
}
