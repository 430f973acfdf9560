// Victim watches over itself while others misbehave. Goroutines fill memory
// with known values, compute integers, floating point and hashes whose results
// are known, and check all of it again and again. It ends with the line
// "victim ok" and exit code 0, or names what it noticed and exits with 1.
//
//	victim ROUNDS   checks ROUNDS times
//	victim          checks until standard input ends, at least once
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

const (
	workers = 3
	words   = 64 << 10 // of 8 bytes, kept by each worker
)

func main() {
	rounds := math.MaxInt
	ended := make(chan struct{})
	if len(os.Args) > 1 {
		var err error
		if rounds, err = strconv.Atoi(os.Args[1]); err != nil || rounds < 1 {
			fmt.Fprintln(os.Stderr, "usage: victim [ROUNDS]")
			os.Exit(2)
		}
	} else {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			close(ended)
		}()
	}
	fmt.Println("victim started")

	memory := make([][]uint64, workers)
	for w := range memory {
		memory[w] = make([]uint64, words)
		for i := range memory[w] {
			memory[w][i] = expected(w, 0, i)
		}
	}
	began := time.Now()
	done := 0
	for done < rounds {
		var group sync.WaitGroup
		for w := range memory {
			group.Go(func() { check(memory[w], w, done) })
		}
		group.Wait()
		runtime.GC()
		if time.Since(began) < 0 {
			notice("time went backwards")
		}
		done++
		select {
		case <-ended:
			rounds = done
		default:
		}
	}
	fmt.Printf("victim checked itself %d times\n", done)
	fmt.Println("victim ok")
}

// expected is what word i of a worker's memory holds in a round.
func expected(worker, round, i int) uint64 {
	return uint64(worker+1)*0x9e3779b97f4a7c15 ^ uint64(round)<<48 ^ uint64(i)
}

// check verifies a worker's memory, writes the next round's values, and
// verifies what the processor computes.
func check(memory []uint64, worker, round int) {
	for i := range memory {
		if memory[i] != expected(worker, round, i) {
			notice(fmt.Sprintf("word %d of worker %d changed to %#x in round %d", i, worker, memory[i], round))
		}
		memory[i] = expected(worker, round+1, i)
	}

	product := uint64(1)
	for i := range uint64(20_000) {
		product = product*6364136223846793005 + i
	}
	if product != 0x72e05072ef5ea771 {
		notice(fmt.Sprintf("integer arithmetic came to %#x", product))
	}

	sum := 0.0
	for i := range 5_000 {
		sum += math.Sqrt(float64(i)) / 3
	}
	if bits := math.Float64bits(sum); bits != 0x40f32db90e01f35d {
		notice(fmt.Sprintf("floating point came to %#x", bits))
	}

	hash := sha256.Sum256(bytes.Repeat([]byte("skerry"), 1000))
	if got := fmt.Sprintf("%x", hash[:4]); got != "a24cc648" {
		notice("SHA-256 came to " + got)
	}
}

// notice reports that something has changed that only this program may change.
func notice(what string) {
	fmt.Println("victim noticed:", what)
	os.Exit(1)
}
