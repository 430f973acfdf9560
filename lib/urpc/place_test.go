package urpc

import (
	"testing"

	"pgregory.net/rapid"
)

// TestPlaces: in each turn of a ring a message goes to every place once, and the next
// turn begins at the same one.
func TestPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.IntRange(4, 5000).Draw(t, "slots")
		size := uintptr(slots) * Pitch
		used := make([]bool, slots)
		place := uintptr(0)
		for n := range slots {
			if place >= size || place%Pitch != 0 {
				t.Fatalf("message %d of %d goes to offset %#x", n, slots, place)
			}
			if used[place/Pitch] {
				t.Fatalf("message %d of %d goes where one has gone before", n, slots)
			}
			used[place/Pitch] = true
			place = next(place, size, maskOf(size))
		}
		if place != 0 {
			t.Fatalf("the next turn of %d begins at offset %#x", slots, place)
		}
	})
}

// TestNoStream: at most twice in a turn three messages go to places at equal distances or one
// to the next place upwards, and only where places are passed over; that is too little for a
// processor to take it for a stream.
func TestNoStream(t *testing.T) {
	for slots := 8; slots < 300; slots++ {
		most := 2
		if slots&(slots-1) == 0 {
			most = 0
		}
		found := 0
		for n := range slots - 2 {
			a, b, c := Place(n, slots), Place(n+1, slots), Place(n+2, slots)
			if b-a == c-b || b-a == Pitch {
				found++
			}
		}
		if found > most {
			t.Errorf("rings of %d slots: %d times, want at most %d", slots, found, most)
		}
	}
}

// TestPlaceOfSlot holds what Place says to where messages are.
func TestPlaceOfSlot(t *testing.T) {
	const slots = 11
	size := FrameSize(slots)
	base := frame(t, size)
	var a, b Channel
	a.Attach(base, size, A)
	b.Attach(base, size, B)
	var buf [PayloadSize]byte
	for n := range 3 * slots {
		for _, end := range []struct {
			from, to *Channel
			ring     uintptr
		}{{&a, &b, base + Rings}, {&b, &a, base + Rings + slots*Pitch}} {
			if !end.from.Send(7, []byte{byte(n)}) {
				t.Fatalf("message %d: no room", n)
			}
			if got := *(*byte)(at(end.ring + Place(n, slots))); got != byte(n) {
				t.Errorf("message %d is not at its place", n)
			}
			end.to.Receive(&buf)
		}
	}
}
