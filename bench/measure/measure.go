// Package measure times operations for programs that are measurements. It runs
// unmodified on Skerry and on Linux.
//
// Programs in bench import it. It knows nothing of what it measures and must
// never depend on a system.
package measure

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"skerry/bench/mark"
)

// Row is one quantity to measure. Prepare returns an error where the system
// has no such thing.
type Row struct {
	Name    string
	Prepare func() (Operation, error)
}

// Operation is what a row does.
type Operation struct {
	// Run does it once.
	Run func()
	// Before, if not nil, is done before each Run and is not measured.
	Before func()
	// Units is how many of what the row's name says one Run does; 0: 1.
	Units int
	// Samples is how many Runs to measure, each alone; 0: enough for a median
	// of short operations, in batches if there is no Before.
	Samples int
	// Bytes is how much memory one unit is about. If it is not 0 there is
	// another line, NAME_per_byte.
	Bytes int
	// Done, if not nil, cleans up.
	Done func()
}

// How single operations are measured.
const (
	warm    = 50 // first ones that do not count
	samples = 101
	batches = 15
)

var (
	count  = flag.Bool("count", false, "report ticks of single operations, not time")
	marked = flag.Bool("mark", false, "tell a plugin of QEMU what is measured of each row")
	budget = flag.Duration("time", 200*time.Millisecond, "how long to measure each row")
)

// Run measures the rows that the command line names, all if it names none. It
// prints lines
//
//	NAME VALUE UNIT
//
// and for each NAME.spread, half the interquartile range in percent of the
// median. Flags are -count, for time-stamp counter ticks of single operations
// instead of time, and -time D, how long each row may take in which operations
// are measured in batches. In a machine that counts instructions (QEMU's
// -icount shift=0) a tick is an instruction, and the numbers are exact and
// repeatable. With -mark besides, a plugin of QEMU is told by package mark what is measured of
// each row. A row that cannot be measured is reported to standard error, and
// the program is to end with exit code 1.
func Run(rows []Row) (ok bool) {
	flag.Parse()
	ok = true
	for _, r := range rows {
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), r.Name) {
			continue
		}
		if err := r.measure(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", r.Name, err)
			ok = false
		}
	}
	return ok
}

// Counting reports whether Run reports ticks.
func Counting() bool { return *count }

// Marking reports whether a plugin is to be told what is measured, for programs that do not
// use Run.
func Marking() bool { return *marked }

// measure runs a row and prints its lines. Nothing is collected meanwhile: no
// row pays for another's garbage, and rows whose threads wait in the system
// unbeknown to the Go runtime cannot be stopped.
func (r Row) measure() error {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	o, err := r.Prepare()
	if err != nil {
		return err
	}
	if o.Done != nil {
		defer o.Done()
	}
	switch {
	case *count:
		fmt.Print(r.lines(&o, o.ticks(), "ticks"))
	case o.Before != nil || o.Samples != 0:
		fmt.Print(r.lines(&o, o.single(), "ns"))
	default:
		fmt.Print(r.lines(&o, times(o.Run), "ns"))
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
	measured := make([]float64, batches)
	for i := range measured {
		began := time.Now()
		for range size {
			operation()
		}
		measured[i] = float64(time.Since(began)) / float64(size)
	}
	return measured
}

// rounds returns how many operations to do before measuring, and how many to
// measure, one at a time.
func (o *Operation) rounds() (before, measured int) {
	if o.Samples != 0 {
		return min(1, o.Samples-1), o.Samples
	}
	return warm, samples
}

// prepare does what is not measured.
func (o *Operation) prepare() {
	if o.Before != nil {
		o.Before()
	}
}

// single returns nanoseconds of single operations.
func (o *Operation) single() []float64 {
	before, rounds := o.rounds()
	measured := make([]float64, 0, before+rounds)
	for range before + rounds {
		o.prepare()
		began := time.Now()
		o.Run()
		measured = append(measured, float64(time.Since(began)))
	}
	return measured[before:]
}

// ticks returns ticks of single operations, less what reading the counter
// takes.
func (o *Operation) ticks() []float64 {
	least := uint64(math.MaxUint64)
	for range warm {
		before := Counter()
		least = min(least, Counter()-before)
	}
	unmeasured, rounds := o.rounds()
	measured := make([]float64, 0, unmeasured+rounds)
	if *marked {
		mark.Warm()
	}
	for i := range unmeasured + rounds {
		if *marked && i == unmeasured {
			mark.Begin()
		}
		o.prepare()
		before := Counter()
		o.Run()
		measured = append(measured, float64(Counter()-before-least))
		if *marked {
			o.mark()
		}
	}
	if *marked {
		mark.End()
	}
	return measured[unmeasured:]
}

// mark says how many units have been done.
func (o *Operation) mark() {
	for range max(o.Units, 1) {
		mark.One()
	}
}

// lines says what the median of samples is, per unit, and their spread.
func (r Row) lines(o *Operation, samples []float64, unit string) string {
	slices.Sort(samples)
	middle := samples[len(samples)/2]
	spread := 50 * (samples[len(samples)*3/4] - samples[len(samples)/4]) / max(middle, 1)
	each := middle / float64(max(o.Units, 1))
	format := "%s %.4g %s\n"
	if unit == "ticks" {
		format = "%s %.0f %s\n" // exact
	}
	text := fmt.Sprintf(format+"%s.spread %.1f %%\n", r.Name, each, unit, r.Name, spread)
	if o.Bytes != 0 {
		name := r.Name + "_per_byte"
		text += fmt.Sprintf("%s %.4g %s\n%s.spread %.1f %%\n", name, each/float64(o.Bytes), unit, name, spread)
	}
	return text
}
