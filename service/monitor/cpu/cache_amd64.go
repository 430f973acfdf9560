// Package cpu tells what a processor says of its core, by instructions that any
// program may execute.
//
// The monitor imports it. What it says holds for the core that executes it: the
// caller must be one that stays on its core.
package cpu

import "math/bits"

// Unknown stands for a cache of which the processor does not say who shares it.
const Unknown = 1<<32 - 1

func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

// Cache returns a number for the last cache before memory: cores that share it have
// the same, and others another. Unknown if the processor does not say.
func Cache() uint32 { return cache(cpuid) }

// Leaves of CPUID that list caches: Intel's and, with the same layout, AMD's.
var cacheLeaves = [...]struct{ first, leaf uint32 }{{0, 4}, {0x8000_0000, 0x8000_001d}}

// cache is Cache, of whatever answers CPUID.
func cache(cpuid func(leaf, subleaf uint32) (a, b, c, d uint32)) uint32 {
	for _, l := range cacheLeaves {
		if most, _, _, _ := cpuid(l.first, 0); most < l.leaf {
			continue
		}
		sharers, level := uint32(0), uint32(0)
		for i := range uint32(16) {
			a, _, _, _ := cpuid(l.leaf, i)
			kind := a & 0x1f
			if kind == 0 {
				break
			}
			// The largest number of logical processors that share it, less one.
			if at := a >> 5 & 7; kind != instructions && at >= level {
				level, sharers = at, a>>14&0xfff
			}
		}
		if level != 0 {
			return apic(cpuid) >> bits.Len32(sharers)
		}
	}
	return ofPackage(cpuid)
}

// ofPackage is cache for processors that say whether there is a third level, and not who
// shares it: older ones of AMD's, and emulators. All cores of a package do.
func ofPackage(cpuid func(leaf, subleaf uint32) (a, b, c, d uint32)) uint32 {
	const sizes = 0x8000_0006
	if most, _, _, _ := cpuid(0x8000_0000, 0); most < sizes {
		return Unknown
	}
	_, _, _, third := cpuid(sizes, 0)
	most, _, _, _ := cpuid(0, 0)
	if third>>18 == 0 || most < 0xb {
		return Unknown
	}
	shift := uint32(0)
	for i := range uint32(8) {
		a, _, c, _ := cpuid(0xb, i)
		if c>>8&0xff == 0 {
			break
		}
		shift = a & 0x1f
	}
	return apic(cpuid) >> shift
}

// instructions is the type of a cache that holds no data.
const instructions = 2

// apic returns the processor's number, in which those that share a cache have all
// but the last bits in common.
func apic(cpuid func(leaf, subleaf uint32) (a, b, c, d uint32)) uint32 {
	if most, _, _, _ := cpuid(0, 0); most >= 0xb {
		if _, b, _, d := cpuid(0xb, 0); b&0xffff != 0 {
			return d
		}
	}
	_, b, _, _ := cpuid(1, 0)
	return b >> 24
}
