// Update measures what it costs cores to change state that they have in common: by
// locking memory that all of them share, or by asking the one core that has it, in
// messages. The state is a number of cache lines, all of which an update changes.
//
//	update [-cores N,...] [-lines L,...] [-ways WAY,...] [-for DURATION]
//	update -fixed [-cores N,...] [-lines L,...] [-ways WAY,...]
//	update -count [-cores N,...] [-lines L,...] [-ways WAY,...]
//
// The ways are spin (a spin lock that is taken in turns, and for which all look at one line), queue
// (one for which each core looks at a line of its own), mutex (sync.Mutex) and message (a URPC
// channel between each core and the first one, which does nothing but serve). It prints
//
//	update_WAY_LINES_on_CORES VALUE ns
//	update_WAY_LINES_on_CORES.spread PERCENT %
//
// the time that a core waits for one update while the others update too, the median
// over cores and rounds, and half their range. By message one core of them serves. It is
// an unmodified Go program: it runs on Linux, and on Skerry on as many cores as it is
// given.
//
// With -fixed it does a number of updates on each core and prints the time from one to the
// next, by whichever core: instructions of all cores together, in a machine that executes one a
// nanosecond. A plugin of QEMU is told which updates these are, by package mark.
//
// With -count it prints how many cache lines go from one core to another in an update,
//
//	update_WAY_LINES_on_CORES VALUE transfers
//
// for any number of cores, by a model of them: see count.go. It must then be on Linux and be
// allowed to trace processes; what sleeps in the kernel, as mutex does, is not counted.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"skerry/lib/pause"
	"skerry/test/transfers"
)

const (
	rounds   = 5
	maxLines = 64
)

func main() {
	cores := flag.String("cores", "", "on how many cores, from the first on; none: 1, 2, 4 and so on up to all")
	lines := flag.String("lines", "1,8", "how many cache lines one update changes")
	ways := flag.String("ways", "", "how; none: all that can be measured")
	length := flag.Duration("for", 100*time.Millisecond, "how long to measure each, a round")
	counting := flag.Bool("count", false, "count the cache lines that go from core to core instead, exactly, on Linux")
	flag.BoolVar(&dwell, "fixed", false, "do a fixed number of updates, and mark them for a plugin, in a machine that counts instructions")
	flag.Parse()
	if err := run(*cores, *lines, *ways, *length, *counting); err != nil {
		fmt.Fprintln(os.Stderr, "update:", err)
		os.Exit(1)
	}
}

func run(cores, lines, ways string, length time.Duration, counting bool) error {
	if text := os.Getenv(childVariable); text != "" {
		return child(text)
	}
	most := runtime.NumCPU()
	if counting {
		most = transfers.MaxCores
	}
	if ways == "" {
		ways = "spin,queue,mutex,message"
		if counting {
			ways = "spin,queue,message"
		}
	}
	if cores == "" {
		for n := 1; n <= runtime.NumCPU(); n *= 2 {
			cores += "," + strconv.Itoa(n)
		}
		cores = cores[1:]
	}
	numbers, err := list(cores, most)
	if err != nil {
		return fmt.Errorf("-cores: %w", err)
	}
	sizes, err := list(lines, maxLines)
	if err != nil {
		return fmt.Errorf("-lines: %w", err)
	}
	for way := range strings.SplitSeq(ways, ",") {
		switch _, ok := updaters[way]; {
		case !ok:
			return fmt.Errorf("-ways: there is no way %q, only spin, queue, mutex and message", way)
		case counting && way == "mutex":
			return fmt.Errorf("-ways: %s sleeps in the kernel, where nothing can be counted", way)
		}
	}
	if counting {
		return countAll(ways, sizes, numbers)
	}
	runtime.GOMAXPROCS(slices.Max(numbers) + 1) // one for the goroutine that waits
	debug.SetGCPercent(-1)
	for way := range strings.SplitSeq(ways, ",") {
		updater := updaters[way]
		for _, size := range sizes {
			for _, n := range numbers {
				if way == "message" && n == 1 {
					continue // nobody to ask
				}
				name := fmt.Sprintf("update_%s_%d_on_%d", way, size, n)
				if dwell {
					updates := fixedUpdates
					if way == "mutex" {
						updates = fixedUpdatesUnfair
					}
					each, err := fixed(updater(size, n), n, updates)
					if err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
					fmt.Printf("%s %.4g ns\n", name, each)
					continue
				}
				var samples []float64
				for range rounds {
					took, err := measure(updater(size, n), n, length)
					if err != nil {
						return fmt.Errorf("%s, %d lines on %d cores: %w", way, size, n, err)
					}
					samples = append(samples, took...)
				}
				slices.Sort(samples)
				median := samples[len(samples)/2]
				fmt.Printf("%s %.4g ns\n%s.spread %.1f %%\n", name, median, name, 50*(samples[len(samples)-1]-samples[0])/median)
			}
		}
	}
	return nil
}

// list reads numbers from 1 to most.
func list(text string, most int) (numbers []int, err error) {
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("%q is no number from 1 to %d", field, most)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// updates is one way to change state.
type updates struct {
	// update changes the state once, on behalf of a core.
	update func(core int)
	// serve does what others ask of core 0, if it is not nil, until stop is set.
	serve func(stop *atomic.Bool)
	// done returns how often each line has been changed.
	done func() []uint64
}

// serving has core 0 serve, if there is anything to be served, until stop is set. It returns the
// first core that is free to update, and where it is said, once, how serving ended. ready
// is done when core 0 has been taken.
func (u *updates) serving(ready *sync.WaitGroup, stop *atomic.Bool) (first int, over <-chan error) {
	served := make(chan error, 1)
	if u.serve == nil {
		served <- nil
		return 0, served
	}
	ready.Add(1)
	go func() {
		err := pin(0)
		ready.Done()
		if err == nil {
			u.serve(stop)
		}
		served <- err
	}()
	return 1, served
}

// measure has n cores update for a while and returns how many ns one update took each
// of them.
func measure(u updates, n int, length time.Duration) ([]float64, error) {
	var ready sync.WaitGroup
	var start, stop, quit atomic.Bool
	type result struct {
		updates uint64
		took    time.Duration
		err     error
	}
	results := make(chan result, n)
	first, served := u.serving(&ready, &quit)
	for core := first; core < n; core++ {
		ready.Add(1)
		go func() {
			r := result{err: pin(core)}
			ready.Done()
			if r.err != nil {
				results <- r
				return
			}
			for !start.Load() {
				pause.Times(1)
			}
			began := time.Now()
			for !stop.Load() {
				u.update(core)
				r.updates++
			}
			r.took = time.Since(began)
			results <- r
		}()
	}
	ready.Wait()
	start.Store(true)
	time.Sleep(length)
	stop.Store(true)
	var took []float64
	total, failed := uint64(0), error(nil)
	for range n - first {
		r := <-results
		if r.err != nil {
			failed = r.err
			continue
		}
		total += r.updates
		took = append(took, float64(r.took)/float64(r.updates))
	}
	quit.Store(true)
	if err := <-served; err != nil {
		failed = err
	}
	if failed != nil {
		return nil, failed
	}
	return took, u.check(total)
}

// check says whether each line has been changed once in each update.
func (u *updates) check(updates uint64) error {
	for i, have := range u.done() {
		if have != updates {
			return fmt.Errorf("line %d was changed %d times in %d updates", i, have, updates)
		}
	}
	return nil
}

// pin keeps the goroutine's thread, which is its own from now on and ends with it, on
// one of the cores that the program was given.
func pin(core int) error {
	runtime.LockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	for cpu := range len(all) * 64 {
		if !all.IsSet(cpu) {
			continue
		}
		if core == 0 {
			one.Set(cpu)
			break
		}
		core--
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	return nil
}
