package carrier

// Freestanding Go code needs a g. The compiler's prologues compare the stack
// pointer with g.stackguard0, and the wrappers through which assembly calls Go
// load R14 from the runtime's TLS slot at FS:-8. Entry code therefore points
// FS base TLSOffset bytes behind a word that holds the address of a fake g:
// GSize zero bytes. Its stack guards are 0, so every stack is deep enough, and
// its m is nil, so a runtime panic (an index out of range, say) ends in a
// fault at an address below PageSize in package runtime instead of unwinding
// stacks that no runtime knows. X15 must be zero in Go code; the wrappers see
// to it.
const (
	// GSize is the size of a fake g: no less than the runtime's own.
	GSize = 1024
	// TLSOffset is how far below FS base the runtime keeps the g.
	TLSOffset = 8
)
