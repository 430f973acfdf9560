// Package transfers counts, to the last one, what messages between cores cost:
// instructions, and cache lines that go from one core to the other. It runs compiled
// code one instruction at a time and feeds what that does with shared memory to a
// model of two caches, or more. The counts are exact and repeatable on any host, and hold
// for package lib/urpc what its time there cannot.
//
// Its own tests use it, and bench/update. It must not know what the code that it counts
// is for.
package transfers

// LineSize is the size in bytes of a cache line.
const LineSize = 64

// MaxCores is the most cores whose caches are modelled.
const MaxCores = 64

// Caches is a model of the private caches of cores, without limits of size, kept
// coherent as MESI does: a line is written by one core alone, which takes it from the
// others, and read by all.
type Caches struct {
	lines map[uint64]uint64 // the cores that hold a line, a bit each
	count [MaxCores]Count
}

// Count is what the caches of a core have done since the last Reset.
type Count struct {
	Transfers int // lines fetched out of another core's cache
	Cold      int // lines fetched that none had
	Upgrades  int // lines that it held and took from other cores to write them
}

// Access is a core's read or write of size bytes at an address.
func (c *Caches) Access(core int, address uint64, size int, write bool) {
	for n := address / LineSize; n <= (address+uint64(max(size, 1))-1)/LineSize; n++ {
		c.access(core, n, write)
	}
}

func (c *Caches) access(core int, number uint64, write bool) {
	if c.lines == nil {
		c.lines = map[uint64]uint64{}
	}
	own := uint64(1) << core
	holders, count := c.lines[number], &c.count[core]
	switch {
	case holders&own != 0 && holders != own && write:
		count.Upgrades++
	case holders&own != 0:
	case holders != 0:
		count.Transfers++
	default:
		count.Cold++
	}
	if write {
		holders = 0
	}
	c.lines[number] = holders | own
}

// Needs says whether a core must wait for another one before such an access: for a line, or
// until the other has given up its copy.
func (c *Caches) Needs(core int, address uint64, size int, write bool) bool {
	own := uint64(1) << core
	for n := address / LineSize; n <= (address+uint64(max(size, 1))-1)/LineSize; n++ {
		if holders := c.lines[n]; holders&^own != 0 && (write || holders&own == 0) {
			return true
		}
	}
	return false
}

// Count returns what a core's caches have done since the last Reset.
func (c *Caches) Count(core int) Count { return c.count[core] }

// All returns what the caches of all cores have done since the last Reset.
func (c *Caches) All() (all Count) {
	for i := range c.count {
		all.Transfers += c.count[i].Transfers
		all.Cold += c.count[i].Cold
		all.Upgrades += c.count[i].Upgrades
	}
	return all
}

// Reset forgets the counts; the lines stay where they are.
func (c *Caches) Reset() { c.count = [MaxCores]Count{} }
