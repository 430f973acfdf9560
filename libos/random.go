package main

import "skerry/abi"

// randomMax is the most that one native call fills.
const randomMax = 256

// fillRandom fills memory that is there with entropy.
func fillRandom(address, length uint64) {
	for length > 0 {
		n := min(length, randomMax)
		if err := native(abi.CallRandom, address, n); err != abi.OK {
			fail("the CPU driver gives no entropy")
		}
		address += n
		length -= n
	}
}
