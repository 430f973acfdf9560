package baseline

import (
	"errors"
	"fmt"
	"time"
)

// Why a machine did not come up: it had to be ended, or it ended QEMU in good order, as Linux
// does when it panics.
var (
	errHung   = errors.New("it hung before it said anything")
	errGaveUp = errors.New("it gave up before it said anything")
)

// patience says when a machine that has not said anything yet has hung. Both limits are about
// what it did with the host's CPUs and not about the clock alone: a machine beside many others
// only takes its time.
type patience struct {
	ran  time.Duration // this much CPU time used
	idle time.Duration // for this long hardly any CPU time wanted
}

// bootPatience is Linux's: it comes up in about 10 s of CPU time, and is never idle before.
var bootPatience = patience{ran: 2 * time.Minute, idle: 20 * time.Second}

// guard ends the machine if it hangs before it says something. It returns when the machine
// has done either or has ended.
func (m *machine) guard(p patience) {
	tick := time.NewTicker(p.idle / 20)
	defer tick.Stop()
	var before usage
	since := time.Now()
	for {
		select {
		case <-m.spoke:
			return
		case <-m.ended:
			return
		case <-tick.C:
		}
		now, quiet := usageOf(m.process.Process.Pid), time.Since(since)
		wanted := now.ran + now.waited - before.ran - before.waited
		switch {
		case now == usage{}: // not known
		case now.ran > p.ran:
			m.cancel(fmt.Errorf("%w and used %v of CPU time", errHung, hundredths(now.ran)))
			return
		case wanted > quiet/10:
			before, since = now, time.Now()
		case quiet > p.idle:
			m.cancel(fmt.Errorf("%w and wanted only %v of CPU time in %v", errHung, hundredths(wanted), quiet.Round(time.Second)))
			return
		}
	}
}
