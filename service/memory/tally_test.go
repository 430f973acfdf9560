package memory

import (
	"testing"

	"skerry/abi/capability"
)

// TestTally counts nested objects, others' among them, things that are no RAM,
// and a list that changed while it was made.
func TestTally(t *testing.T) {
	const page = 4096
	for name, c := range map[string]struct {
		list []capability.Description
		want map[capability.Type]uint64 // in pages
		lent uint64
	}{
		"nothing": {},
		"nested": {
			list: []capability.Description{
				{Type: capability.RAM, Base: 0x10000, Size: 16 * page},
				{Type: capability.RAM, Base: 0x10000, Size: 8 * page},
				{Type: capability.Frame, Base: 0x10000, Size: 2 * page},
				{Type: capability.Frame, Base: 0x11000, Size: page},
				{Type: capability.Dispatcher, Base: 0x18000, Size: 8 * page},
				{Type: capability.Endpoint, Base: 0x1d000, Size: 256},
				{Type: capability.RAM, Base: 0x40000, Size: 4 * page},
				{Type: capability.RAM, Base: 0x41000, Size: page},
				{Type: capability.PageTable1, Base: 0x41000, Size: page},
			},
			want: map[capability.Type]uint64{capability.RAM: 6 + 3, capability.Frame: 2, capability.Dispatcher: 8, capability.PageTable1: 1},
		},
		"no RAM": {list: []capability.Description{
			{Type: capability.Frame, Base: 0x10000, Size: 4 * page},
			{Type: capability.Frame, Base: 0x11000, Size: page},
			{Type: capability.PhysicalRange, Base: 0x20000, Size: page},
			{Type: capability.Domain, Base: 0, Size: 1 << 20},
		}},
		"lent": {
			list: []capability.Description{
				{Type: capability.RAM, Base: 0, Size: 16 * page},
				{Type: capability.RAM, Base: 4 * page, Size: 4 * page, Owner: 3},
				{Type: capability.RAM, Base: 32 * page, Size: page, Owner: 3},
			},
			want: map[capability.Type]uint64{capability.RAM: 12}, lent: 5,
		},
		"changed meanwhile": {
			list: []capability.Description{
				{Type: capability.RAM, Base: 0, Size: 8 * page},
				{Type: capability.Frame, Base: 0, Size: 3 * page},
				{Type: capability.L2CNode, Base: 2 * page, Size: 4 * page},
				{Type: capability.Frame, Base: 7 * page, Size: 9 * page},
			},
			want: map[capability.Type]uint64{capability.Frame: 3, capability.L2CNode: 1, capability.RAM: 4},
		},
	} {
		var tally Tally
		for i := range c.list {
			tally.Add(&c.list[i])
		}
		tally.End()
		sum := uint64(0)
		for kind, got := range tally.Types {
			want := c.want[capability.Type(kind)] * page
			if got != want {
				t.Errorf("%s: %d bytes of %v, want %d", name, got, capability.Type(kind), want)
			}
			sum += got
		}
		if tally.Lent != c.lent*page || tally.Sum() != sum {
			t.Errorf("%s: lent %d, sum %d", name, tally.Lent, tally.Sum())
		}
	}
}
