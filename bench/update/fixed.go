package main

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"skerry/bench/mark"
	"skerry/lib/pause"
)

// warm says whether all have updated often enough for their caches to hold what they will.
func warm(all []progress) bool {
	for i := range all {
		if all[i].updates.Load() < warmUpdates {
			return false
		}
	}
	return true
}

// fixedUpdates are how many updates are counted of the core that has done them first; more
// where cores do many before others have a turn.
const (
	fixedUpdates       = 512
	fixedUpdatesUnfair = 4096
)

// settle is how long the threads of what came before are given to end.
const settle = 50 * time.Millisecond

// fixed has n cores update until one of them has done a number of updates, and returns how many
// ns passed from one update to the next, by whichever core. A plugin is told meanwhile.
func fixed(u updates, n, updates int) (float64, error) {
	var ready sync.WaitGroup
	var start, counting, stop, quit atomic.Bool
	updating := make(chan error, n)
	first, over := u.serving(&ready, &quit)
	all := make([]progress, n)
	total := func() (sum uint64) {
		for i := range all {
			sum += all[i].updates.Load()
		}
		return sum
	}
	one := func(core int) {
		u.update(core)
		all[core].updates.Add(1)
		mark.One()
	}
	// Written before counting begins, and by who ends it.
	var before uint64
	var began time.Time
	var perUpdate float64
	for core := first; core < n; core++ {
		ready.Add(1)
		go func() {
			err := pin(core)
			ready.Done()
			for err == nil && !start.Load() {
				pause.Times(1)
			}
			if core == first && err == nil {
				mark.Warm()
				for !warm(all[first:]) {
					one(core)
				}
				before, began = total(), time.Now()
				counting.Store(true)
				mark.Begin()
			}
			for done := 0; err == nil && !stop.Load(); {
				one(core)
				if !counting.Load() {
					continue
				}
				if done++; done == updates && stop.CompareAndSwap(false, true) {
					mark.End()
					perUpdate = float64(time.Since(began)) / float64(total()-before)
				}
			}
			updating <- err
		}()
	}
	ready.Wait()
	time.Sleep(settle)
	start.Store(true)
	var err error
	for core := first; core < n; core++ {
		failed := <-updating
		if failed != nil {
			stop.Store(true)
		}
		err = errors.Join(err, failed)
	}
	quit.Store(true)
	if err := errors.Join(err, <-over); err != nil {
		return 0, err
	}
	return perUpdate, u.check(total())
}
