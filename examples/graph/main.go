// Graph has many goroutines build, change and walk a large graph of small objects
// that point at each other, while the garbage collector is kept busy: most of
// what they allocate is garbage soon, and GOGC is low. It is an ordinary program;
// what it prints depends on its arguments alone, not on what ran when.
//
//	graph [NODES [ROUNDS [GOROUTINES]]]
//
// It prints a checksum of the graph, and to standard error how long all this took
// and how often the collector ran: NAME VALUE UNIT.
//
// Each goroutine has a part of the nodes, and in each phase of a round it writes
// to these alone, what no other goroutine reads in that phase.
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// node is an object of the graph.
type node struct {
	value uint64
	edges [degree]*node
}

const degree = 4

// collectAt is GOGC: a collection whenever the heap has grown by so many percent.
const collectAt = 15

// graph is the nodes by part.
type graph struct {
	parts [][]*node
	found [][]uint64 // by part and node: what a walk from it found
}

func main() {
	nodes, rounds, goroutines := 10_000, 6, 16
	for i, into := range []*int{&nodes, &rounds, &goroutines} {
		if len(os.Args) <= i+1 {
			break
		}
		n, err := strconv.Atoi(os.Args[i+1])
		if err != nil || n < 1 {
			fmt.Fprintln(os.Stderr, "usage: graph [NODES [ROUNDS [GOROUTINES]]]")
			os.Exit(2)
		}
		*into = n
	}
	debug.SetGCPercent(collectAt)
	each := (nodes + goroutines - 1) / goroutines

	began := time.Now()
	g := graph{parts: make([][]*node, goroutines), found: make([][]uint64, goroutines)}
	g.phase(0, func(part int, _ *rand.Rand) {
		g.parts[part], g.found[part] = make([]*node, each), make([]uint64, each)
		for i := range g.parts[part] {
			g.parts[part][i] = &node{value: uint64(part*each + i)}
		}
	})
	for round := range uint64(rounds) {
		g.phase(3*round+1, g.rewire)
		g.phase(3*round+2, g.walk)
		g.phase(3*round+3, g.renew)
	}
	took := time.Since(began)

	fmt.Printf("%d nodes, %d rounds, checksum %016x\n", goroutines*each, rounds, g.checksum())
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Fprintf(os.Stderr, "graph %d ns\ngraph_collections %d 1\n", took.Nanoseconds(), memory.NumGC)
}

// phase has a goroutine do something for each part, all at once, and returns when
// all have done it. Random numbers depend on the phase and the part alone.
func (g *graph) phase(number uint64, do func(part int, random *rand.Rand)) {
	var group sync.WaitGroup
	for part := range g.parts {
		group.Go(func() { do(part, rand.New(rand.NewPCG(number, uint64(part)))) })
	}
	group.Wait()
}

// rewire points most edges of a part's nodes at other nodes of any part.
func (g *graph) rewire(part int, random *rand.Rand) {
	for _, n := range g.parts[part] {
		for e := range n.edges {
			if random.IntN(4) == 0 && n.edges[e] != nil {
				continue // it goes on holding a node that may have been replaced
			}
			other := g.parts[random.IntN(len(g.parts))]
			n.edges[e] = other[random.IntN(len(other))]
		}
	}
}

// steps of a walk.
const steps = 24

// trail is where a walk has been.
type trail struct {
	at   *node
	back *trail
}

// walk walks from each node of a part and back again, and notes what it found.
func (g *graph) walk(part int, random *rand.Rand) {
	for i, n := range g.parts[part] {
		way := &trail{at: n}
		for range steps {
			next := way.at.edges[random.IntN(degree)]
			if next == nil {
				break // the last one was replaced
			}
			way = &trail{next, way}
		}
		found := uint64(0)
		for ; way != nil; way = way.back {
			found = found*31 + way.at.value
		}
		g.found[part][i] = found
	}
}

// renew gives a part's nodes the values that were found, and puts new nodes into
// the place of half of them, with the same edges. Edges keep a node that was
// replaced, but lead nowhere from there.
func (g *graph) renew(part int, random *rand.Rand) {
	for i, n := range g.parts[part] {
		if random.IntN(2) == 0 {
			old := n
			n = &node{edges: old.edges}
			g.parts[part][i], old.edges = n, [degree]*node{}
		}
		n.value = g.found[part][i]
	}
}

// checksum depends on every node, its place, and where its edges lead.
func (g *graph) checksum() uint64 {
	sum := uint64(0)
	for _, part := range g.parts {
		for _, n := range part {
			sum = (sum ^ n.value) * 0x100000001b3 // FNV
			for _, e := range n.edges {
				sum = (sum ^ e.value) * 0x100000001b3
			}
		}
	}
	return sum
}
