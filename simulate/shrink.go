package simulate

import "slices"

// shrinkMax is how many runs shrinking may take.
const shrinkMax = 3000

// shrink leaves out of a plan what it can while it fails: ever smaller pieces, until
// no single step can be spared.
func shrink(plan []uint64, fails func([]uint64) bool) []uint64 {
	runs := 0
	for size := (len(plan) + 1) / 2; size > 0 && runs < shrinkMax; {
		smaller := false
		for at := 0; at < len(plan) && runs < shrinkMax; {
			less := slices.Concat(plan[:at], plan[min(at+size, len(plan)):])
			runs++
			if fails(less) {
				plan, smaller = less, true
			} else {
				at += size
			}
		}
		if size > 1 {
			size = (size + 1) / 2
		} else if !smaller {
			break
		}
	}
	return plan
}
