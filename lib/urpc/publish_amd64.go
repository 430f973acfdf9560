//go:build !race

package urpc

// publish stores the header of a slot after the payload. Processors of this kind show
// stores in the order of the program (Intel SDM volume 3, section 9.2.2) and the
// compiler keeps that order, which test/transfers checks; so an ordinary store does.
// An atomic one would be a full fence, which waits until the slot's line has come from the
// peer. The race detector knows nothing of that: for it they are atomic.
func publish(header *uint64, value uint64) { *header = value }

// tell stores a word that another reads, in the same way.
func tell(word *uint32, value uint32) { *word = value }
