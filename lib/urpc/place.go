package urpc

// Pitch is how far apart the slots of a ring lie, in bytes. Processors fetch lines in pairs,
// and who writes a slot would now and then fetch the other line of the pair away from
// the peer that polls it: so each slot has both to itself.
const Pitch = 2 * SlotSize

// A ring's places are not used in the order of their addresses. A processor that sees one
// line after the other being asked for, or lines at equal distances, fetches the next before
// the peer has written it, which costs both a transfer: so the distance changes each time.
//
// The order is x → 5x+3 modulo a power of two, which comes through all numbers below
// that and back to 0 (Hull and Dobell, 1962). Those for which there is no place are
// passed over.

// next returns the place that is used after one, as its offset in a ring of size bytes.
// mask is that of the ring.
func next(place, size, mask uintptr) uintptr {
	place = (5*place + 3*Pitch) & mask
	for place >= size {
		place = (5*place + 3*Pitch) & mask
	}
	return place
}

// maskOf returns the mask of a ring of size bytes, a multiple of Pitch and not 0.
func maskOf(size uintptr) uintptr {
	mask := uintptr(Pitch)
	for mask < size {
		mask *= 2
	}
	return mask - 1
}

// Place returns how many bytes into a ring of so many slots the one begins that has message n,
// counted from 0, in each turn of the ring.
func Place(n, slots int) uintptr {
	size := uintptr(slots) * Pitch
	place := uintptr(0)
	for range n % slots {
		place = next(place, size, maskOf(size))
	}
	return place
}
