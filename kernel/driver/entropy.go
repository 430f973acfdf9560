package driver

import (
	"encoding/binary"

	"skerry/kernel/amd64"
)

// entropy fills b with entropy of the processor's, stirred into what came
// before.
func (d *Driver) entropy(b []byte) {
	var w [8]byte
	for len(b) > 0 {
		v := amd64.Entropy()
		// A xoshiro-like step keeps earlier entropy in what comes out.
		p := &d.pool
		p[0] += v
		p[1] ^= p[0]<<13 | p[0]>>51
		p[2] += p[1] ^ v>>7
		p[3] ^= p[2]<<29 | p[2]>>35
		p[0] ^= p[3]
		v = p[0]*0x9e3779b97f4a7c15 ^ p[2]
		v ^= v >> 32
		binary.LittleEndian.PutUint64(w[:], v)
		b = b[copy(b, w[:]):]
	}
}
