package pause

// Times executes PAUSE n times. One takes some 40 to 140 cycles on processors of
// today.
//
//go:noescape
func Times(n uint32)
