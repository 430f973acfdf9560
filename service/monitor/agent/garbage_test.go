package agent_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/lib/supply"
	"skerry/service/monitor/wire"
)

// TestGarbage: what a program writes over its channels costs the agent a bounded
// number of polls, lets it sleep then, and harms no other program.
func TestGarbage(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		b := newBench(waits)
		b.spawn(t, 1, "wait")
		b.spawn(t, 2, "wait")
		b.run(true)
		bad, good := b.kernel.Running()[0], b.kernel.Running()[1]
		frame := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), bad.Channels.Address)), abi.ChannelsSize)
		for at := 0; at < len(frame); at += 8 {
			w := r.Uint64()
			if r.IntN(2) == 0 {
				// A message of a kind, a length and an epoch that there are, which
				// acknowledges little.
				w = r.Uint64N(2) | r.Uint64N(4)<<8 | r.Uint64N(2)*supply.PieceSize<<16 | r.Uint64N(8)<<32
			}
			binary.LittleEndian.PutUint64(frame[at:], w)
		}
		good.Ask(1, supply.Least)
		good.Sleep()
		polls := 0
		for b.Notified(); b.Poll(true) || b.kernel.Step(); polls++ {
			if polls > 1000 {
				t.Fatalf("seed %d: the agent has no end to do", seed)
			}
		}
		if !b.Announce(true) {
			t.Errorf("seed %d: the agent does not sleep", seed)
		}
		b.Withdraw()
		expectGiven(t, good, supply.Piece{Number: 1, Size: supply.Least})
		for number := range uint32(2) {
			b.Handle(&wire.Kill{Program: number + 1})
		}
		b.run(true)
		b.expectNothing(t)
	}
}
