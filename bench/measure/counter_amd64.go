package measure

// counter reads the time-stamp counter after all that stands before it.
func counter() uint64
