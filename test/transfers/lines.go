// Package transfers counts, to the last one, what messages between cores cost:
// instructions, and cache lines that go from one core to the other. It runs compiled
// code one instruction at a time and feeds what that does with shared memory to a
// model of two caches. The counts are exact and repeatable on any host, and hold
// for package lib/urpc what its time there cannot.
//
// Only its own tests use it. It must not know what the code that it counts is for.
package transfers

// LineSize is the size in bytes of a cache line.
const LineSize = 64

// Caches is a model of the private caches of two cores, without limits of size, kept
// coherent as MESI does: a line is written by one core alone, which takes it from the
// other, and read by both.
type Caches struct {
	lines map[uint64]*line
	count [2]Count
}

// line says which cores hold a line.
type line [2]bool

// Count is what the caches of a core have done since the last Reset.
type Count struct {
	Transfers int // lines fetched out of the other core's cache
	Cold      int // lines fetched that neither had
	Upgrades  int // lines that it held and took from the other core to write them
}

// Access is a core's read or write of size bytes at an address.
func (c *Caches) Access(core int, address uint64, size int, write bool) {
	for n := address / LineSize; n <= (address+uint64(max(size, 1))-1)/LineSize; n++ {
		c.access(core, n, write)
	}
}

func (c *Caches) access(core int, number uint64, write bool) {
	if c.lines == nil {
		c.lines = map[uint64]*line{}
	}
	l := c.lines[number]
	if l == nil {
		l = new(line)
		c.lines[number] = l
	}
	count, other := &c.count[core], 1-core
	switch {
	case l[core] && write && l[other]:
		count.Upgrades++
	case l[core]:
	case l[other]:
		count.Transfers++
	default:
		count.Cold++
	}
	l[core] = true
	if write {
		l[other] = false
	}
}

// Count returns what a core's caches have done since the last Reset.
func (c *Caches) Count(core int) Count { return c.count[core] }

// Reset forgets the counts; the lines stay where they are.
func (c *Caches) Reset() { c.count = [2]Count{} }
