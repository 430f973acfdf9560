package cpu

import "testing"

// processor answers CPUID as a core of a machine with caches of three levels does.
func processor(most, id, sharers uint32, leaf uint32) func(leaf, subleaf uint32) (a, b, c, d uint32) {
	return func(l, sub uint32) (a, b, c, d uint32) {
		switch l {
		case 0:
			return most, 0, 0, 0
		case 0x8000_0000:
			return 0x8000_001d, 0, 0, 0
		case 1:
			return 0, id << 24, 0, 0
		case 0xb:
			return 0, 2, 0, id
		case leaf:
			list := [...]uint32{1 | 1<<5, 2 | 1<<5, 3 | 2<<5 | 1<<14, 3 | 3<<5 | (sharers-1)<<14}
			if sub < uint32(len(list)) {
				return list[sub], 0, 0, 0
			}
		}
		return 0, 0, 0, 0
	}
}

func TestCache(t *testing.T) {
	for _, leaf := range []uint32{4, 0x8000_001d} {
		for _, most := range []uint32{7, 0x16} {
			of := func(id, sharers uint32) uint32 { return cache(processor(most, id, sharers, leaf)) }
			if of(0, 4) != of(3, 4) || of(3, 4) == of(4, 4) || of(0, 1) == of(1, 1) || of(8, 6) != of(13, 6) {
				t.Errorf("leaf %#x, highest leaf %d: cores that share a cache and cores that do not are not told apart", leaf, most)
			}
		}
	}
	if got := cache(processor(2, 5, 4, 99)); got != Unknown {
		t.Errorf("a processor that says nothing has cache %d", got)
	}
	// An emulator: a third level, of two cores a package.
	emulated := func(id uint32) func(leaf, subleaf uint32) (a, b, c, d uint32) {
		return func(leaf, sub uint32) (a, b, c, d uint32) {
			switch leaf {
			case 0:
				return 0xd, 0, 0, 0
			case 0x8000_0000:
				return 0x8000_000a, 0, 0, 0
			case 0x8000_0006:
				return 0, 0, 0, 32 << 18
			case 0xb:
				return sub % 2, 1 + sub%2, [...]uint32{0x100, 0x201, 2}[min(sub, 2)], id
			}
			return 0, 0, 0, 0
		}
	}
	if a, b, c := cache(emulated(0)), cache(emulated(1)), cache(emulated(2)); a != b || b == c {
		t.Errorf("packages' caches are %d, %d and %d", a, b, c)
	}
	t.Logf("this core's is %d", Cache())
}
