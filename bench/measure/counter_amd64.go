package measure

// Counter reads the time-stamp counter after all that stands before it.
func Counter() uint64
