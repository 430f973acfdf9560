//go:build !amd64 || race

package urpc

import "sync/atomic"

// publish stores the header of a slot after the payload.
func publish(header *uint64, value uint64) { atomic.StoreUint64(header, value) }

// tell stores a word that another reads.
func tell(word *uint32, value uint32) { atomic.StoreUint32(word, value) }
