// Slope measures what a call by message and its answer cost on one core while others
// are busy with the same: it should be what they cost alone, and the cores' kernels
// should not meet in any cache line. It runs on Skerry alone and must be given
// manifest.Dispatch, once on each of the cores that are to be busy, all at once, in a
// machine that counts instructions.
//
//	slope [-mark] FROM TO
//
// It makes calls around and between two times, in seconds since the machine's
// boot, so that all cores are busy while any of them measures; those between the
// two it measures. It prints their median:
//
//	lmp_round_trip TICKS ticks
//
// With -mark it tells a QEMU plugin that counts by marks which calls these are.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/bench/mark"
	"skerry/bench/measure"
	"skerry/lib/native/bare"
	"skerry/lib/native/endpoint"
)

func main() {
	flag.Parse()
	from, err1 := strconv.ParseFloat(flag.Arg(0), 64)
	to, err2 := strconv.ParseFloat(flag.Arg(1), 64)
	if err1 != nil || err2 != nil || flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: slope [-mark] FROM TO")
		os.Exit(2)
	}
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	samples := make([]uint64, 1<<16)
	for i := range samples {
		samples[i] = 1 // so that no page of it is touched first when it counts
	}
	samples = samples[:0]

	call, err := connect()
	if err != nil {
		fmt.Fprintln(os.Stderr, "slope:", err)
		os.Exit(1)
	}
	late := sinceBoot() - from
	if late > 0 {
		fmt.Fprintf(os.Stderr, "slope: started %.2f s too late\n", late)
		os.Exit(1)
	}
	// The machine has one tick a nanosecond.
	first := measure.Counter() + uint64(-late*1e9)
	last := first + uint64((to-from)*1e9)
	time.Sleep(time.Duration(-late*1e9) - time.Duration(last-first)/2)
	for measure.Counter() < first-(last-first)/4 {
		roundTrip(call)
	}
	if measure.Marking() {
		mark.Warm()
	}
	for measure.Counter() < first {
		roundTrip(call)
	}
	if measure.Marking() {
		mark.Begin()
	}
	for at := first; at < last; {
		before := measure.Counter()
		roundTrip(call)
		at = measure.Counter()
		if len(samples) < cap(samples) {
			samples = append(samples, at-before)
		}
		if measure.Marking() {
			mark.One()
		}
	}
	if measure.Marking() {
		mark.End()
	}
	for measure.Counter() < last+(last-first)/2 {
		roundTrip(call)
	}
	slices.Sort(samples)
	fmt.Println("lmp_round_trip", samples[len(samples)/2]-empty(), "ticks")
}

// connection is to a server of this core's, in an address space of its own.
type connection struct {
	own    endpoint.Endpoint
	server capability.Reference
}

// connect starts a server.
func connect() (connection, error) {
	own, err := endpoint.New(1)
	if err != nil {
		return connection{}, err
	}
	server, err := bare.NewServer(capability.Reference(own), 256)
	if err != nil {
		return connection{}, err
	}
	return connection{own, server.Endpoint()}, server.Run()
}

// roundTrip calls the server.
func roundTrip(c connection) {
	m := endpoint.Message{Len: 4, Words: [abi.MessageWords]uint64{bare.ServerAnswer, 2, 3, 4}}
	if err := c.own.Call(c.server, &m, time.Time{}); err != nil {
		panic(err)
	}
}

// empty is what reading the counter takes.
func empty() uint64 {
	least := uint64(math.MaxUint64)
	for range 50 {
		before := measure.Counter()
		least = min(least, measure.Counter()-before)
	}
	return least
}

// sinceBoot is the time since the machine's boot in seconds, the same on all
// cores.
func sinceBoot() float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // there is no other clock
	}
	return float64(t.Nano()) / 1e9
}
