package baseline

// ticks returns the host's time-stamp counter. Under emulation without counting, a machine's
// is the same but for an offset.
func ticks() uint64
