package bulk

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"skerry/lib/channel"
	"skerry/lib/urpc"
)

// ends returns both ends of a region.
func ends(t rapid.TB, l Layout) [2]*Region {
	memory := make([]byte, l.Size())
	var r [2]*Region
	for side := range r {
		var err error
		if r[side], err = NewRegion(memory, l, urpc.Side(side)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// drawLayout draws a layout of a few small buffers.
func drawLayout(t *rapid.T) Layout {
	l := Layout{BufferSize: rapid.IntRange(1, 9).Draw(t, "size")}
	l.Buffers[0] = rapid.IntRange(0, 4).Draw(t, "A's")
	l.Buffers[1] = rapid.IntRange(1-min(l.Buffers[0], 1), 4).Draw(t, "B's")
	return l
}

// TestRegionModel passes buffers at random between two ends that keep the rules, by
// queues, and holds who has what against a model. Whoever has a buffer writes
// into it what the one that gets it must find.
func TestRegionModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLayout(t)
		r := ends(t, l)
		type passed struct {
			Token
			home  bool // a return
			first byte
		}
		var (
			queue [2][]passed // by sender
			has   [2][]Buffer // in use
			free  = l.Buffers
		)
		home := func(b Buffer) int {
			if int(b.number) < l.Buffers[0] {
				return 0
			}
			return 1
		}
		pick := func(side int, own bool) (Buffer, bool) {
			var can []int
			for i, b := range has[side] {
				if (home(b) == side) == own {
					can = append(can, i)
				}
			}
			if len(can) == 0 {
				return Buffer{}, false
			}
			i := can[rapid.IntRange(0, len(can)-1).Draw(t, "which")]
			b := has[side][i]
			has[side] = slices.Delete(has[side], i, i+1)
			return b, true
		}
		side := rapid.IntRange(0, 1)
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				s := side.Draw(t, "side")
				b, ok := r[s].Take()
				if ok != (free[s] > 0) {
					t.Fatalf("side %d takes: %v, and %d are free", s, ok, free[s])
				}
				if ok {
					free[s]--
					has[s] = append(has[s], b)
				}
			},
			"release": func(t *rapid.T) {
				s := side.Draw(t, "side")
				b, ok := pick(s, true)
				if !ok {
					return
				}
				if err := r[s].Release(b); err != nil {
					t.Fatal(err)
				}
				free[s]++
				if r[s].Release(b) != ErrNotHere {
					t.Fatal("released twice")
				}
			},
			"pass": func(t *rapid.T) {
				s, grants := side.Draw(t, "side"), rapid.Bool().Draw(t, "grants")
				b, ok := pick(s, grants)
				if !ok {
					return
				}
				p := passed{home: !grants, first: rapid.Byte().Draw(t, "content")}
				length := rapid.IntRange(0, l.BufferSize).Draw(t, "length")
				b.Bytes()[0] = p.first
				leave, other := r[s].Grant, r[s].Return
				if !grants {
					leave, other = other, leave
				}
				if _, err := other(b, 0); err != ErrNotHere {
					t.Fatalf("granted for returned, or returned for granted: %v", err)
				}
				if _, err := leave(b, l.BufferSize+1); err == nil {
					t.Fatal("more bytes than there are")
				}
				var err error
				if p.Token, err = leave(b, length); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "keep") {
					if err := r[s].Keep(p.Token); err != nil {
						t.Fatal(err)
					}
					has[s] = append(has[s], b)
					return
				}
				if _, err := leave(b, 0); err != ErrNotHere {
					t.Fatalf("passed twice: %v", err)
				}
				queue[s] = append(queue[s], p)
			},
			"arrive": func(t *rapid.T) {
				s := side.Draw(t, "side")
				if len(queue[1-s]) == 0 {
					return
				}
				p := queue[1-s][0]
				queue[1-s] = queue[1-s][1:]
				arrive, other := r[s].Granted, r[s].Returned
				if p.home {
					arrive, other = other, arrive
				}
				if _, err := other(p.Token); err != ErrToken {
					t.Fatalf("granted for returned, or returned for granted: %v", err)
				}
				b, err := arrive(p.Token)
				if err != nil {
					t.Fatal(err)
				}
				if b.Bytes()[0] != p.first || len(b.Data()) != int(p.Length) || len(b.Bytes()) != l.BufferSize {
					t.Fatalf("buffer %d came with %d, %d bytes; sent %d, %d", b.number, b.Bytes()[0], len(b.Data()), p.first, p.Length)
				}
				if _, err := arrive(p.Token); err != ErrToken {
					t.Fatalf("arrived twice: %v", err)
				}
				has[s] = append(has[s], b)
			},
			"": func(t *rapid.T) {
				for s := range r {
					if r[s].Free() != free[s] {
						t.Fatalf("side %d has %d free, want %d", s, r[s].Free(), free[s])
					}
				}
				// Nothing is at two places, and no two overlap.
				seen := map[uint32]bool{}
				for s := range has {
					for _, b := range has[s] {
						if seen[b.number] {
							t.Fatalf("buffer %d is in use twice", b.number)
						}
						seen[b.number] = true
					}
				}
			},
		})
	})
}

// FuzzTokens has a peer claim what it likes: what is not at the peer cannot arrive, what
// arrives lies within the memory, and the account stays right.
func FuzzTokens(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{255, 255, 255, 255, 1, 0, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 2})
	f.Fuzz(func(t *testing.T, script []byte) {
		l := Layout{BufferSize: 8, Buffers: [2]int{3, 3}}
		memory := make([]byte, l.Size())
		r, err := NewRegion(memory, l, urpc.A)
		if err != nil {
			t.Fatal(err)
		}
		at := map[uint32]bool{3: true, 4: true, 5: true} // the peer
		for ; len(script) > TokenSize; script = script[TokenSize+1:] {
			if b, ok := r.Take(); ok && script[TokenSize]&2 != 0 {
				if _, err := r.Grant(b, 0); err != nil {
					t.Fatal(err)
				}
				at[b.number] = true
			}
			token, arrive, home := GetToken(script), r.Granted, false
			if script[TokenSize]&1 != 0 {
				arrive, home = r.Returned, true
			}
			b, err := arrive(token)
			if right := at[token.Buffer] && token.Length <= 8 && (token.Buffer < 3) == home; right != (err == nil) {
				t.Fatalf("%+v, returned %v: %v; the peer has %v", token, home, err, at)
			}
			if err == nil {
				delete(at, token.Buffer)
				if len(b.Bytes()) != 8 || cap(b.Bytes()) != 8 || len(b.Data()) != int(token.Length) || &b.Bytes()[0] != &memory[token.Buffer*8] {
					t.Fatalf("%+v is %d of %d bytes elsewhere", token, len(b.Data()), len(b.Bytes()))
				}
			} else if !errors.Is(err, ErrToken) {
				t.Fatal(err)
			}
		}
	})
}

// TestLayouts refuses those that make no sense.
func TestLayouts(t *testing.T) {
	memory := make([]byte, 64)
	for _, l := range []Layout{
		{},
		{BufferSize: 8},
		{BufferSize: 0, Buffers: [2]int{1, 1}},
		{BufferSize: -8, Buffers: [2]int{1, 1}},
		{BufferSize: 8, Buffers: [2]int{-1, 4}},
		{BufferSize: 8, Buffers: [2]int{4, 5}},
		{BufferSize: 1 << 31, Buffers: [2]int{1, 0}},
		{BufferSize: 1, Buffers: [2]int{0, 1 << 40}},
	} {
		if _, err := NewRegion(memory, l, urpc.A); err == nil {
			t.Errorf("%+v is a region of %d bytes", l, len(memory))
		}
	}
	if _, err := (&Region{}).Grant(Buffer{}, 0); err != ErrNotHere {
		t.Error("granted no buffer:", err)
	}
}

// FuzzOffers reads whatever comes as an offer: what is one makes a region of the
// memory that may be taken, and is written as it was.
func FuzzOffers(f *testing.F) {
	f.Add(uint8(kindOffer), []byte{64, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0})
	f.Add(uint8(kindOffer), []byte{0, 0, 0, 64, 255, 255, 255, 127, 255, 255, 255, 255})
	const most = 1 << 12
	memory := make([]byte, most)
	f.Fuzz(func(t *testing.T, kind uint8, payload []byte) {
		m := channel.Message{Kind: kind, Length: uint8(min(len(payload), channel.PayloadSize)), Capability: 1}
		copy(m.Payload[:], payload)
		l, err := layoutOf(&m, most)
		if err != nil {
			if !errors.Is(err, channel.ErrBroken) {
				t.Error(err)
			}
			return
		}
		if _, err := NewRegion(memory, l, urpc.B); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
		var again [offerSize]byte
		if l.put(again[:]); string(again[:]) != string(m.Payload[:m.Length]) {
			t.Errorf("%x was read from %x", again, m.Payload[:m.Length])
		}
	})
}
