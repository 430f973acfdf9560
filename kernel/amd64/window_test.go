package amd64

import (
	"testing"

	"skerry/abi"
	"skerry/kernel/memory"
)

// TestWindow takes memory out of a window and puts it back, whatever the size of
// the pages it was mapped with, and expects the rest untouched.
func TestWindow(t *testing.T) {
	const large = largePage
	for name, pieces := range map[string][]memory.Phys{
		"large pages": {2 * large, 8 * large},
		"small pages": {2 * large, 5*large + 0x3000, 8 * large},
	} {
		pages := keep(40)
		s := Space{Root: pages.AllocZero()}
		for i := range pieces[1:] {
			if !s.MapRange(pages, abi.WindowBase+uintptr(pieces[i]), pieces[i], uintptr(pieces[i+1]-pieces[i]), PagePresent|PageWrite|PageNX) {
				t.Fatal("no memory")
			}
		}
		check := func(from, to memory.Phys) {
			t.Helper()
			for pa := memory.Phys(0); pa < 10*large; pa += abi.PageSize {
				want := pa >= 2*large && pa < 8*large && (pa < from || pa >= to)
				if s.InWindow(pages, pa) != want {
					t.Fatalf("%s: %#x in the window: %v", name, pa, !want)
				}
			}
		}
		check(0, 0)
		used := pages.Available()
		for range 3 {
			s.UnmapWindow(pages, 4*large, 3*large)
			check(4*large, 7*large)
			if !s.MapWindow(pages, 4*large, 3*large) {
				t.Fatal("no memory")
			}
			check(0, 0)
		}
		if pages.Available() < used {
			t.Errorf("%s: %d pages less", name, used-pages.Available())
		}
	}
}

// TestWindowEdges asks for what cannot be in the window.
func TestWindowEdges(t *testing.T) {
	pages := keep(3)
	s := Space{Root: pages.AllocZero()}
	if !s.MakeKernelSlots(pages, abi.WindowBase, abi.WindowBase) {
		t.Fatal("no memory")
	}
	for pages.Available() > 1 {
		pages.Alloc()
	}
	for _, test := range []struct {
		base memory.Phys
		size uintptr
		ok   bool
	}{
		{1 << 39, largePage, false},               // another slot of the top table
		{1<<39 - largePage, 2 * largePage, false}, // reaches into it
		{1 << 46, largePage, false},               // where the heap is
		{1<<30 - largePage, 2 * largePage, false}, // takes two tables
		{4 * largePage, 4 * largePage, true},      // the table is there by now
	} {
		if ok := s.MapWindow(pages, test.base, test.size); ok != test.ok {
			t.Errorf("%#x: %v", test.base, ok)
		}
		if !test.ok && s.InWindow(pages, test.base) {
			t.Errorf("%#x: refused but mapped", test.base)
		}
	}
	for _, pa := range []memory.Phys{0, 1 << 39, 1 << 46, 1 << 47, 1<<52 - 0x1000, ^memory.Phys(0) &^ 0xfff} {
		if s.InWindow(pages, pa) {
			t.Errorf("%#x is in the window", pa)
		}
	}
}
