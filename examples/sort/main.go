// Sort sorts random numbers on all CPUs it is given: parts of them at once, each
// by a goroutine of its own, and then merges the parts, again at once. It is an
// ordinary program; what it prints depends on its arguments alone.
//
//	sort [COUNT [SEED]]
//
// It prints a checksum of the sorted numbers, and to standard error how long the
// sorting took: NAME VALUE UNIT.
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"
)

func main() {
	count, seed, err := arguments(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "sort:", err, "\nusage: sort [COUNT [SEED]]")
		os.Exit(2)
	}
	numbers := make([]uint64, count)
	random := rand.New(rand.NewPCG(seed, uint64(count)))
	var sum uint64
	for i := range numbers {
		// One in a few is there more than once.
		numbers[i] = random.Uint64N(4 * uint64(count))
		sum += numbers[i]
	}
	room := make([]uint64, count)

	began := time.Now()
	parallelSort(numbers, room, runtime.GOMAXPROCS(0))
	took := time.Since(began)

	for i, n := range numbers {
		if i > 0 && numbers[i-1] > n {
			fmt.Fprintf(os.Stderr, "sort: number %d is less than the one before it\n", i)
			os.Exit(1)
		}
		sum -= n
	}
	if sum != 0 {
		fmt.Fprintln(os.Stderr, "sort: these are not the numbers that were to be sorted")
		os.Exit(1)
	}
	fmt.Printf("sorted %d numbers, checksum %016x\n", count, checksum(numbers))
	fmt.Fprintf(os.Stderr, "sort %d ns\n", took.Nanoseconds())
}

// arguments reads the command line.
func arguments(args []string) (count int, seed uint64, err error) {
	count, seed = 200_000, 1
	if len(args) > 2 {
		return 0, 0, fmt.Errorf("%d arguments", len(args))
	}
	if len(args) > 0 {
		if count, err = strconv.Atoi(args[0]); err == nil && count < 1 {
			err = fmt.Errorf("%d numbers", count)
		}
	}
	if len(args) > 1 && err == nil {
		seed, err = strconv.ParseUint(args[1], 0, 64)
	}
	return count, seed, err
}

// least is how many numbers are worth a goroutine.
const least = 1 << 10

// parallelSort sorts numbers with so many goroutines at once. Room is as long.
func parallelSort(numbers, room []uint64, workers int) {
	if workers < 2 || len(numbers) < least {
		slices.Sort(numbers)
		return
	}
	half, share := len(numbers)*(workers/2)/workers, workers/2
	both(
		func() { parallelSort(numbers[:half], room[:half], share) },
		func() { parallelSort(numbers[half:], room[half:], workers-share) })
	merge(room, numbers[:half], numbers[half:], workers)
	divide(workers, len(numbers), func(from, to int) { copy(numbers[from:to], room[from:to]) })
}

// merge puts two sorted slices together into one, which is as long as both, with
// so many goroutines at once: all that is less than the middle of the longer one
// goes before it, all else after, and the two sides have nothing in common.
func merge(into, a, b []uint64, workers int) {
	if workers < 2 || len(into) < least {
		mergeAlone(into, a, b)
		return
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	i := len(a) / 2
	j, _ := slices.BinarySearch(b, a[i])
	both(
		func() { merge(into[:i+j], a[:i], b[:j], workers/2) },
		func() { merge(into[i+j:], a[i:], b[j:], workers-workers/2) })
}

func mergeAlone(into, a, b []uint64) {
	for i := range into {
		if len(b) == 0 || len(a) > 0 && a[0] < b[0] {
			into[i], a = a[0], a[1:]
		} else {
			into[i], b = b[0], b[1:]
		}
	}
}

// divide has so many goroutines do n steps, each a stretch of them.
func divide(workers, n int, stretch func(from, to int)) {
	if workers < 2 {
		stretch(0, n)
		return
	}
	half := workers / 2
	middle := n * half / workers
	both(
		func() { divide(half, middle, stretch) },
		func() { divide(workers-half, n-middle, func(from, to int) { stretch(middle+from, middle+to) }) })
}

// both does two things at once and returns when both are done.
func both(one, other func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		one()
	}()
	other()
	<-done
}

// checksum depends on every number and its place.
func checksum(numbers []uint64) uint64 {
	sum := uint64(0)
	for _, n := range numbers {
		sum = (sum ^ n) * 0x100000001b3 // FNV
	}
	return sum
}
