package urpc

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// board returns an empty board and its addresses.
func board(t testing.TB) (b *Board, hints, sleep uintptr) {
	hints, sleep = frame(t, BoardSize), frame(t, 64)
	b = new(Board)
	b.Attach(hints, sleep)
	return b, hints, sleep
}

// all takes all hints that stand.
func all(b *Board) (numbers []int) {
	for {
		n, ok := b.Next()
		if !ok {
			return numbers
		}
		numbers = append(numbers, n)
	}
}

// TestBoardModel holds a board against a set of numbers and one flag.
func TestBoardModel(t *testing.T) {
	owner, hints, sleep := board(t)
	var bells [Hints]Bell
	rapid.Check(t, func(rt *rapid.T) {
		Format(hints, BoardSize)
		Format(sleep, SlotSize)
		owner.Attach(hints, sleep)
		for n := range bells {
			bells[n].Attach(hints, sleep, n)
		}
		hinted, twice, rung, asleep := map[int]bool{}, map[int]bool{}, map[int]bool{}, false
		rt.Repeat(map[string]func(*rapid.T){
			"hint": func(rt *rapid.T) {
				n := rapid.IntRange(0, Hints-1).Draw(rt, "number")
				if ring := bells[n].Hint(); ring != (asleep && !rung[n]) {
					rt.Fatalf("number %d: ring is %v; asleep %v, rung for %v", n, ring, asleep, rung[n])
				}
				twice[n] = twice[n] || hinted[n] // the owner may have taken its word already
				hinted[n], rung[n] = true, asleep
			},
			"take one": func(rt *rapid.T) {
				n, ok := owner.Next()
				if !ok {
					// It may be through with those that stood when it looked.
					n, ok = owner.Next()
				}
				if !ok && len(hinted) > 0 || ok && !hinted[n] && !twice[n] {
					rt.Fatalf("Next is %d, %v; hinted are %v", n, ok, hinted)
				}
				if !hinted[n] {
					delete(twice, n)
				}
				delete(hinted, n)
			},
			"poll": func(rt *rapid.T) {
				// A hint that stood when its word was taken with others can leave
				// its bit in the summary, so that Poll may be wrong one way only.
				if !owner.Poll() && len(hinted) > 0 {
					rt.Fatalf("Poll sees none of %v", hinted)
				}
			},
			"announce": func(rt *rapid.T) {
				may := owner.Announce()
				if may && len(hinted) > 0 {
					rt.Fatalf("may sleep over %v", hinted)
				}
				if may && !asleep {
					clear(rung)
				}
				if asleep = may; owner.Asleep() != may {
					rt.Fatalf("Asleep is %v", !may)
				}
			},
			"withdraw": func(*rapid.T) {
				owner.Withdraw()
				asleep = false
				clear(rung)
			},
		})
	})
}

// TestBoardNumbers checks that every number arrives as itself, and that there are
// no others.
func TestBoardNumbers(t *testing.T) {
	b, hints, sleep := board(t)
	var want []int
	for n := range Hints {
		var bell Bell
		if !bell.Attach(hints, sleep, n) || bell.Hint() {
			t.Fatalf("number %d cannot be hinted, or rings", n)
		}
		want = append(want, n)
	}
	if got := all(b); !slices.Equal(got, want) {
		t.Errorf("hinted all, got %d: %v", len(got), got)
	}
	var bell Bell
	if bell.Attach(hints, sleep, -1) || bell.Attach(hints, sleep, Hints) {
		t.Error("a number beyond the board was accepted")
	}
}

// TestBoardTired: however many hints peers go on setting, the owner is through
// with a look after as many as there are numbers.
func TestBoardTired(t *testing.T) {
	b, hints, sleep := board(t)
	var bell Bell
	bell.Attach(hints, sleep, 70)
	for range 10 {
		bell.Hint()
		taken := 0
		for n, ok := b.Next(); ok; n, ok = b.Next() {
			if taken++; n != 70 || taken > Hints {
				t.Fatalf("hint %d is of %d", taken, n)
			}
			bell.Hint()
		}
		if taken == 0 || !b.Poll() {
			t.Fatal("the hint was lost")
		}
	}
}

// FuzzBoard lets a hostile peer write what it likes into the hints: the owner gets
// numbers in range, a bounded count of them, and may sleep when there are none.
func FuzzBoard(f *testing.F) {
	f.Add([]byte{0xff, 0xff, 1, 1, 0xff, 0x80, 7, 0xff})
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8})
	b, hints, sleep := board(f)
	words := (*[BoardSize / 8]uint64)(at(hints))
	f.Fuzz(func(t *testing.T, script []byte) {
		for len(script) >= 3 {
			words[script[0]%8] ^= uint64(script[1]) << (script[2] % 64)
			script = script[3:]
			taken := 0
			for n, ok := b.Next(); ok; n, ok = b.Next() {
				if taken++; n < 0 || n >= Hints || taken > Hints {
					t.Fatalf("hint %d is of %d", taken, n)
				}
			}
			if b.Announce() != (words[0] == 0) {
				t.Fatal("sleeps with a summary that stands, or is awake without")
			}
			b.Withdraw()
		}
		if *(*uint64)(at(sleep))&1 != 0 {
			t.Fatal("the sleep word says asleep")
		}
	})
}
