package main

import (
	"errors"
	"runtime"
	"time"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native/raw"
	"skerry/lib/pause"
)

// RAM that other cores may still reach is not made into anything: until they have
// forgotten what this core's kernel has taken away, on whose behalf ever, a Retype is
// refused with ErrInUse, as it is for good where something is made of it.

// settled reports whether other cores have forgotten all translations that this
// core has taken away. If not, the monitor is notified when they have.
func settled() bool {
	err, _ := raw.Call(abi.CallSettle, 0, 0, 0, 0, 0, 0)
	return err != capability.ErrPending
}

const (
	// attempts is how often something is tried that is refused though all cores have
	// forgotten: one of this core's programs may have taken something away just then.
	attempts = 100
	// mostSettling is for how long other cores are waited for. They are interrupted for
	// it, so that is a matter of microseconds, but where the host runs others; a core
	// that never answers is to be lost, not waited for.
	mostSettling = 10 * time.Second
)

// settling makes attempts at something for as long as other cores keep it from being
// done. It blocks, for mostSettling at most.
func settling(attempt func() error) error { return settlingBy(attempt, settled, time.Now) }

// settlingBy is settling by a clock and by what says whether cores have forgotten.
func settlingBy(attempt func() error, settled func() bool, now func() time.Time) error {
	began := now()
	for vain := 0; ; {
		err := attempt()
		switch {
		case !errors.Is(err, capability.ErrInUse):
			return err
		case settled():
			if vain++; vain == attempts {
				return err
			}
			continue
		}
		for first := true; first || !settled(); first = false {
			if now().Sub(began) > mostSettling {
				return err
			}
			pause.Times(1)
			runtime.Gosched()
		}
	}
}
