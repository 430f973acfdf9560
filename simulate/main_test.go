package simulate

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	oneSeed = flag.Uint64("seed", 0, "run this seed alone, and print its trace if it fails")
	long    = flag.Bool("long", false, "run 300,000 seeds of each protocol")
)

// Steps of a run, and how many seeds a test runs.
const (
	steps      = 300
	shortSeeds = 2000
	seeds      = 25_000
	longSeeds  = 300_000
)

// coverage counts what has happened, so that a test can tell that the interesting
// things have.
type coverage struct {
	mutex sync.Mutex
	count map[string]int
}

// add adds what one run counted.
func (c *coverage) add(count map[string]int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.count == nil {
		c.count = map[string]int{}
	}
	for what, n := range count {
		c.count[what] += n
	}
}

// require fails the test if something has never happened.
func (c *coverage) require(t *testing.T, list ...string) {
	t.Helper()
	if *oneSeed != 0 {
		return
	}
	for _, what := range list {
		if c.count[what] == 0 {
			t.Errorf("in no run: %s", what)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(c.count)) {
		t.Logf("%10d %s", c.count[what], what)
	}
}

// check runs a system with many seeds, on all processors.
func check[M any](t *testing.T, build func(*Network[M]) System[M]) {
	t.Helper()
	if *oneSeed != 0 {
		if f := Run(*oneSeed, steps, build); f != nil {
			t.Fatal(f)
		}
		return
	}
	n := uint64(seeds)
	switch {
	case *long:
		n = longSeeds
	case testing.Short():
		n = shortSeeds
	}
	if f := first(n, func(seed uint64) *Failure { return Run(seed, steps, build) }); f != nil {
		t.Fatalf("%v\nreplay it: go test ./simulate -run '^%s$' -seed %d", f, t.Name(), f.Seed)
	}
}

// first returns what failed with the least seed, of 1 to n; the processors take
// seeds in turn.
func first(n uint64, run func(seed uint64) *Failure) *Failure {
	var (
		group sync.WaitGroup
		next  atomic.Uint64
		mutex sync.Mutex
		found *Failure
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for seed := next.Add(1); seed <= n; seed = next.Add(1) {
				if f := run(seed); f != nil {
					mutex.Lock()
					if found == nil || f.Seed < found.Seed {
						found = f
					}
					mutex.Unlock()
					next.Store(n) // the others finish what they run
				}
			}
		})
	}
	group.Wait()
	return found
}

// broken collects what a system finds broken.
type broken struct{ err error }

func (b *broken) breaks(format string, arguments ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, arguments...)
	}
}

// pick returns one of a list by chance, and whether there is any.
func pick[M, T any](n *Network[M], list []T) (T, bool) {
	if len(list) == 0 {
		var none T
		return none, false
	}
	return list[n.Random.IntN(len(list))], true
}
