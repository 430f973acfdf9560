package driver

import (
	"runtime"
	"runtime/metrics"
)

// statistics are what the kernel tells of its Go heap. Reading them allocates
// nothing and stops nobody.
var statistics = []metrics.Sample{
	{Name: "/gc/heap/allocs:objects"},
	{Name: "/gc/heap/tiny/allocs:objects"},
	{Name: "/gc/cycles/total:gc-cycles"},
}

// heap returns how many heap allocations and garbage collections there have
// been.
func heap() (allocations, collections uint64) {
	metrics.Read(statistics)
	return statistics[0].Value.Uint64() + statistics[1].Value.Uint64(), statistics[2].Value.Uint64()
}

// markReady notes the state of the kernel's heap at the end of its start.
func (d *Driver) markReady() {
	heap() // what the first reading allocates is the start's too
	runtime.GC()
	c := &d.k.Counters
	c.BootMallocs, c.BootCollections = heap()
}
