// Command toy has an entry for each rule that package check knows, and code
// that breaks it; it is never run.
package main

import "sync/atomic"

func keep()

func main() { keep() }

var (
	word    uint64
	number  int
	pointer *uint64
	list    []int
	table   [4]int
	lookup  = map[int]int{}
	channel = make(chan int, 1)
	text    = "text"
	call    = func() {}
)

// good is what freestanding code may look like.
func good() {
	atomic.AddUint64(&word, 1)
	table[number] = 1 // may panic
	number = table[0] / table[1]
	var large [40]uint64
	fill(&large, number)
	word = large[number&15]
	switch number {
	case 0:
		word = leaf(1)
	case 1:
		word = leaf(20)
	case 2:
		word += leaf(300)
	case 3:
		word += leaf(4000)
	case 4:
		word ^= leaf(50000)
	case 5:
		word ^= leaf(6)
	case 6:
		word -= leaf(77)
	case 7:
		word -= leaf(777)
	case 8:
		word *= leaf(7777)
	}
	var from, to [300]byte
	copy(to[:number], from[:])
	number = int(to[number])
}

//go:noinline
func fill(a *[40]uint64, n int) {
	for i := range a {
		a[i] = uint64(n)
	}
}

//go:noinline
func leaf(n uint64) uint64 { return n * word }

func allocates() { atomic.StoreUint64(new_(), 1) }

//go:noinline
func new_() *uint64 { return new(uint64) }

func grows() { list = append(list, 1) }

func barrier() { pointer = &word }

func recurses() { word = factorial(word) }

//go:noinline
func factorial(n uint64) uint64 {
	if n == 0 {
		return 1
	}
	return n * factorial(n-1)
}

func mutual() { even(number) }

//go:noinline
func even(n int) bool { return n == 0 || odd(n-1) && n > 0 }

//go:noinline
func odd(n int) bool { return n != 0 && even(n-1) || n < 0 }

func indirect() { call() }

func deep() { word = big(word) }

//go:noinline
func big(n uint64) uint64 {
	var a [700]uint64
	a[n] = n
	return a[n/2] + leaf(n)
}

func defers() {
	for range number {
		defer leaf(1)
	}
}

func maps() { lookup[1] = 2 }

func chans() { channel <- 1 }

func prints() { println(number) }

func concat() { text = text + text }

// handlers is a table of functions.
var handlers = [...]func(uint64) uint64{leaf, nil, big, factorial}

func dispatch() { word = handlers[number](word) }
