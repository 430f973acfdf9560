package driver

import "runtime"

// memStats is what ReadMemStats fills, so that asking allocates nothing.
var memStats runtime.MemStats

// markReady notes the state of the kernel's heap at the end of its start.
func (d *Driver) markReady() {
	runtime.GC()
	runtime.ReadMemStats(&memStats)
	runtime.ReadMemStats(&memStats)
	d.k.Counters.BootMallocs, d.k.Counters.BootCollections = memStats.Mallocs, uint64(memStats.NumGC)
}
