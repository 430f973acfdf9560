// Micro measures what system calls and runtime operations cost an ordinary Go
// program. It runs unmodified on Skerry and on Linux and prints lines
//
//	NAME VALUE UNIT
//
// and for each NAME.spread, half the interquartile range in percent of the
// median. Every row is bounded in time.
//
//	micro [-count] [-time D] [NAME ...]
//
// With -count it reports time-stamp counter ticks of single operations
// instead. In a machine that counts instructions (QEMU's -icount shift=0) a
// tick is an instruction, and the numbers are exact and repeatable.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// row is one operation to measure. prepare returns the operation, how many
// units of what the name says one call of it does, and how to clean up; it
// returns an error where the system has no such thing.
type row struct {
	name    string
	prepare func() (operation func(), units int, done func(), err error)
}

const batches = 15

var (
	count  = flag.Bool("count", false, "report ticks of single operations, not time")
	budget = flag.Duration("time", 200*time.Millisecond, "how long to measure each row")
)

func main() {
	flag.Parse()
	failed := false
	for _, r := range rows {
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), r.name) {
			continue
		}
		if err := r.measure(); err != nil {
			fmt.Fprintf(os.Stderr, "micro: %s: %v\n", r.name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// measure runs a row and prints its lines. Nothing is collected meanwhile: no
// row pays for another's garbage, and rows whose threads wait in the system
// unbeknown to the Go runtime cannot be stopped.
func (r row) measure() error {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	operation, units, done, err := r.prepare()
	if err != nil {
		return err
	}
	defer done()
	if *count {
		r.print(ticks(operation), float64(units), "ticks")
	} else {
		r.print(times(operation), float64(units), "ns")
	}
	return nil
}

// times returns nanoseconds per operation of several batches.
func times(operation func()) []float64 {
	size := 1
	for { // find how many operations fill a batch
		began := time.Now()
		for range size {
			operation()
		}
		took := time.Since(began)
		want := *budget / (batches + 2)
		if took >= want/2 || size >= 1<<24 {
			break
		}
		size = min(max(2*size, int(float64(size)*float64(want)/float64(took+1))), 16*size)
	}
	samples := make([]float64, batches)
	for i := range samples {
		began := time.Now()
		for range size {
			operation()
		}
		samples[i] = float64(time.Since(began)) / float64(size)
	}
	return samples
}

// ticks returns ticks of single operations, less what reading the counter
// takes.
func ticks(operation func()) []float64 {
	const warm, measured = 50, 101
	samples := make([]float64, 0, warm+measured)
	least := uint64(math.MaxUint64)
	for range warm {
		before := counter()
		least = min(least, counter()-before)
	}
	for range warm + measured {
		before := counter()
		operation()
		samples = append(samples, float64(counter()-before-least))
	}
	return samples[warm:]
}

// print prints the median of samples, per unit, and their spread.
func (r row) print(samples []float64, units float64, unit string) {
	slices.Sort(samples)
	median := samples[len(samples)/2]
	spread := (samples[len(samples)*3/4] - samples[len(samples)/4]) / 2
	if *count {
		fmt.Printf("%s %.0f %s\n", r.name, median/units, unit)
	} else {
		fmt.Printf("%s %.4g %s\n", r.name, median/units, unit)
	}
	fmt.Printf("%s.spread %.1f %%\n", r.name, 100*spread/max(median, 1))
}
