// Command urpc measures messages between two processes on two processors of a host
// over memory that they share: package lib/urpc beside the bare transfer of cache
// lines, which is what no message can undercut, and beside what a host offers. It
// prints lines
//
//	NAME VALUE UNIT
//
// the medians of several runs, for each NAME.spread, half the interquartile range in
// percent of the median, and the ratios by which lib/urpc is judged. All rows are
// measured in turn, again and again, so that what else the host does meets all alike.
//
// It runs on Linux with two processors, and on one if both ends are told to be there: then
// only rows in which nobody polls say anything, and they are to be named. bench/cmd runs it in
// a virtual machine beside Skerry. It measures and must never be imported.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"time"
)

func main() {
	runs := flag.Int("runs", 11, "how often to measure each row")
	budget := flag.Duration("time", 60*time.Millisecond, "how long to measure a row each time")
	depth := flag.Int("depth", 64, "slots of each ring")
	here := flag.Int("cpu", 0, "the processor of this process")
	there := flag.Int("peer", 1, "the processor of the other process")
	flag.Parse()
	// No collection stops a thread that polls.
	debug.SetGCPercent(-1)
	// A thread that waits in the kernel keeps what others need to run goroutines.
	runtime.GOMAXPROCS(max(runtime.NumCPU(), 3))
	var err error
	if os.Getenv(roleVariable) != "" {
		signal.Ignore(os.Interrupt) // ends with its parent
		err = serve(*here, *there, *depth)
	} else {
		err = measure(*runs, *budget, *depth, *here, *there, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "urpc:", err)
		os.Exit(1)
	}
}

// wakes is how often what wakes a sleeper is measured in each run, since it is done once at
// a time.
const wakes = 5

// measure runs all rows, or those named, and prints what came out.
func measure(runs int, budget time.Duration, depth, here, there int, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	peer, err := start(here, there, depth)
	if err != nil {
		return err
	}
	defer peer.stop()
	samples := map[string][]float64{}
	counts := map[string]int{}
	for run := range runs {
		for _, r := range chosen {
			if run == 0 {
				if counts[r.name], err = peer.calibrate(&r, budget); err != nil {
					return err
				}
			}
			times := 1
			if r.naps {
				times = wakes
			}
			for range times {
				took, err := peer.run(&r, counts[r.name])
				if err != nil {
					return err
				}
				samples[r.name] = append(samples[r.name], float64(took)/float64(counts[r.name]))
			}
		}
	}
	for _, r := range chosen {
		fmt.Print(lines(r.name, samples[r.name], "ns"))
	}
	fmt.Print(ratios(samples))
	return nil
}

// choose returns the rows of those names, all for none.
func choose(names []string) ([]row, error) {
	if len(names) == 0 {
		return rows, nil
	}
	var chosen []row
	for _, n := range names {
		found := false
		for _, r := range rows {
			if r.name == n {
				chosen, found = append(chosen, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no row %q; leave names out to see all", n)
		}
	}
	return chosen, nil
}
