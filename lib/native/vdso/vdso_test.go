package vdso

import (
	"slices"
	"testing"
)

// TestSymbol finds a function that Linux gives to programs, and none that it does
// not.
func TestSymbol(t *testing.T) {
	if Symbol(Yield) != 0 || Symbol("__vdso_clock_gettim") != 0 {
		t.Error("Linux has functions of Skerry's")
	}
	if auxiliary(1<<40) != 0 {
		t.Error("there is an entry of no kind")
	}
	if Symbol("__vdso_clock_gettime") == 0 {
		t.Skip("no such function here")
	}
}

// FuzzSymbol: whatever an image holds, nothing outside of it is read.
func FuzzSymbol(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 200))
	f.Add(slices.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, image []byte) {
		if len(image) < 1<<12 {
			elfSymbol(image, 0, "name")
		}
	})
}
