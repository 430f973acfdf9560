package boot

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"skerry/abi"
	"skerry/kernel/acpi"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/mailbox"
	"skerry/kernel/memory"
)

// drawMap draws a firmware's memory map: any order, any ends, overlaps too.
func drawMap(t *rapid.T, pages uint64) []mapEntry {
	var entries []mapEntry
	for range rapid.IntRange(0, 8).Draw(t, "entries") {
		entries = append(entries, mapEntry{
			Base: rapid.Uint64Range(0, pages*abi.PageSize).Draw(t, "base"),
			Size: rapid.Uint64Range(0, 40*abi.PageSize).Draw(t, "size"),
			Type: rapid.Uint32Range(1, 2).Draw(t, "type"),
		})
	}
	return entries
}

// TestRanges holds sets of ranges against sets of pages.
func TestRanges(t *testing.T) {
	const pages = 200
	rapid.Check(t, func(t *rapid.T) {
		entries := drawMap(t, pages)
		want := map[memory.Phys]bool{}
		for _, e := range entries {
			for a := uint64(0); a < (pages+50)*abi.PageSize; a += abi.PageSize {
				if e.Type == mapRAM && a >= e.Base && a+abi.PageSize <= e.Base+e.Size {
					want[memory.Phys(a)] = true
				}
			}
		}
		r := rangesOf(entries, mapRAM)
		check := func(what string) {
			n := 0
			for i, e := range r {
				if e.Base >= e.End || i > 0 && r[i-1].End > e.Base {
					t.Fatalf("%s: %#x is no set of ranges", what, r)
				}
				for a := e.Base; a < e.End; a += abi.PageSize {
					n++
					if !want[a] {
						t.Fatalf("%s: %#x has page %#x", what, r, a)
					}
				}
			}
			if n != len(want) || r.pages() != uint64(n) {
				t.Fatalf("%s: %#x has %d pages, says %d, should have %d", what, r, n, r.pages(), len(want))
			}
		}
		// Two entries that touch inside of a page have it between them, and
		// neither has it whole: it is nobody's.
		check("map")
		x := memory.Extent{Base: memory.Phys(rapid.IntRange(0, pages).Draw(t, "from") * abi.PageSize)}
		x.End = x.Base + memory.Phys(rapid.IntRange(0, 60).Draw(t, "pages")*abi.PageSize)
		r = r.without(x)
		for a := x.Base; a < x.End; a += abi.PageSize {
			delete(want, a)
		}
		check("without")
		n := rapid.Uint64Range(0, r.size()+5*abi.PageSize).Draw(t, "cut") &^ (abi.PageSize - 1)
		front, rest := r.cut(n)
		if got := min(n, r.size()); front.size() > got+1*mib || front.size()+1*mib < got {
			t.Fatalf("asked for %d bytes, cut %d", n, front.size())
		}
		r = append(slices.Clone(front), rest...)
		check("cut")
	})
}

// TestDivide plans machines at random: every page of RAM is for one thing.
func TestDivide(t *testing.T) {
	divided := 0
	rapid.Check(t, func(t *rapid.T) {
		// Low memory, and one range that holds the image.
		entries := []mapEntry{{Base: 0, Size: 0x9_fc00, Type: mapRAM}, {Base: 0x9_fc00, Size: 0x400, Type: 2}}
		m := &kcb.Machine{KernelPhys: 0x1f_f000, KernelSize: rapid.Uint64Range(100, 1000).Draw(t, "kernel") * abi.PageSize}
		m.ArchivePhys = (m.KernelPhys + m.KernelSize + 18*mib) &^ (2*mib - 1)
		m.ArchiveSize = rapid.Uint64Range(1, 20*mib).Draw(t, "archive")
		end := m.ArchivePhys + m.ArchiveSize + rapid.SampledFrom([]uint64{1, 40, 300, 700, 1500}).Draw(t, "low")*mib + rapid.Uint64Range(0, 2*mib).Draw(t, "more")
		entries = append(entries, mapEntry{Base: 1 * mib, Size: end - 1*mib, Type: mapRAM})
		for _, e := range drawRAM(t, "ranges", 0, 3) {
			entries = append(entries, mapEntry{Base: 4<<30 + uint64(e.Base), Size: e.Size(), Type: mapRAM})
		}
		nodeOf := make([]uint32, rapid.IntRange(1, 12).Draw(t, "cores"))
		for i := range nodeOf {
			nodeOf[i] = rapid.Uint32Range(0, 2).Draw(t, "node")
		}
		var nodes []acpi.Memory
		at := uint64(0)
		for i := range rapid.Uint32Range(0, 3).Draw(t, "nodes") {
			n := rapid.Uint64Range(0, 3<<30).Draw(t, "of node") &^ (abi.PageSize - 1)
			nodes = append(nodes, acpi.Memory{Base: at, Size: n, Node: i})
			at += n
		}
		pool := memory.Extent{Base: memory.Phys(m.KernelPhys + m.KernelSize), End: memory.Phys(m.ArchivePhys)}
		ram := rangesOf(entries, mapRAM)
		d, err := divide(ram, m, pool, nodes, nodeOf)
		if err != nil {
			return
		}
		divided++

		var all ranges
		all = append(all, d.first)
		all = append(all, d.shared...)
		for _, share := range d.shares {
			all = append(all, share...)
		}
		if all.size() != ram.size() || !slices.Equal(all.normal(), ram) {
			t.Fatalf("%#x\nis not what became of\n%#x", all.normal(), ram)
		}
		if d.first != (memory.Extent{Base: 1 * mib, End: pool.End}) {
			t.Fatalf("core 0 starts with %#x", d.first)
		}
		archive := memory.Extent{Base: memory.Phys(m.ArchivePhys), End: memory.Phys(m.ArchivePhys + m.ArchiveSize)}
		archive.End = min((archive.End+abi.PageSize-1)&^(abi.PageSize-1), memory.Phys(end)&^(abi.PageSize-1))
		if !d.shared.contains(d.channels) || !d.shared.contains(archive) || !ranges(d.shared).contains(memory.Extent{End: 0x9_f000}) {
			t.Fatalf("shared %#x lacks the channels %#x, the archive %#x, or low memory", d.shared, d.channels, archive)
		}
		if d.channels.Size() != uint64(len(nodeOf)*(console.OutboxSize+abi.MonitorChannelSize))+mailbox.Size(uint32(len(nodeOf))) || d.channels.End > 4<<30 {
			t.Fatalf("channels at %#x for %d cores", d.channels, len(nodeOf))
		}

		var images []memory.Extent
		owned := d.first.Pages()
		for core, share := range d.shares {
			owned += ranges(share).pages()
			if core > 0 {
				images = append(images, memory.Extent{Base: share[0].Base, End: share[0].Base + memory.Phys(m.KernelSize)})
			}
		}
		var known kcb.Memory
		d.record(&known, ram, images)
		if known.Machine != ram.pages() || known.Machine != known.Shared+owned || known.Owned != d.first.Pages()+ranges(d.shares[0]).pages() {
			t.Fatalf("%d pages, of them %d shared and %d owned, core 0's %d", known.Machine, known.Shared, owned, known.Owned)
		}
		for _, e := range images {
			if known.IsRAM(uint64(e.Base), abi.PageSize) || known.IsRAM(uint64(e.End-abi.PageSize), abi.PageSize) {
				t.Fatalf("a kernel's image at %#x could be borrowed", e)
			}
		}
		for _, share := range d.shares[1:] {
			if e := share[0]; !known.IsRAM(uint64(e.End)-abi.PageSize, abi.PageSize) || known.IsRAM(uint64(d.channels.Base), abi.PageSize) {
				t.Fatalf("what can be borrowed is %#x", known.RAM[:known.NumRAM])
			}
		}
	})
	if divided < 10 {
		t.Errorf("only %d machines had enough memory", divided)
	}
}

// TestDevices finds the holes of a memory map.
func TestDevices(t *testing.T) {
	entries := []mapEntry{
		{Base: 0, Size: 0x9_fc00, Type: mapRAM},
		{Base: 1 << 20, Size: 0x7fed_f400, Type: mapRAM}, // to 0x7ffd_f400
		{Base: 0x7ffd_f400, Size: 0x2_0c00, Type: 2},     // to 0x8000_0000
		{Base: 0xb000_0000, Size: 0x1000_0000, Type: 2},  // PCI's configuration
		{Base: 0xfffc_0000, Size: 0x4_0000, Type: 2},     // firmware
		{Base: 4 << 30, Size: 1 << 30, Type: mapRAM},
	}
	got := devices(entries, []memory.Extent{page(0xfec0_0000), page(0xfee0_0000)})
	want := ranges{
		{Base: 0x8000_0000, End: 0xb000_0000}, {Base: 0xc000_0000, End: 0xfec0_0000},
		{Base: 0xfec0_1000, End: 0xfee0_0000}, {Base: 0xfef0_0000, End: 0xfffc_0000},
	}
	if !slices.Equal(got, want) {
		t.Errorf("devices at %#x, want %#x", got, want)
	}
}

// TestDistances reads the firmware's table, and does without.
func TestDistances(t *testing.T) {
	nodeOf := []uint32{0, 1, 1, 2}
	for _, c := range []struct {
		table [][]uint8
		self  uint32
		want  []uint8
	}{
		{nil, 1, []uint8{20, 10, 10, 20}},
		{[][]uint8{{10, 21, 31}, {22, 10, 33}, {31, 32, 10}}, 1, []uint8{22, 10, 10, 33}},
		{[][]uint8{{10, 21}, {22, 10}}, 2, []uint8{20, 20, 20, 10}},
	} {
		got := make([]uint8, len(nodeOf))
		if distances(got, c.table, c.self, nodeOf); !slices.Equal(got, c.want) {
			t.Errorf("%v from node %d: %v, want %v", c.table, c.self, got, c.want)
		}
	}
}

// TestSources says of interrupt sources what the firmware says, and what holds
// where it says nothing.
func TestSources(t *testing.T) {
	overrides := []acpi.Override{{Source: 0, GSI: 2}, {Source: 9, GSI: 9, Level: true}, {Source: 4, GSI: 20}, {Source: 5, GSI: 1 << 20}}
	var x kcb.Interrupts
	describeSources(&x, overrides)
	for n, want := range map[int]kcb.Source{1: {}, 2: {}, 9: {Level: true}, 16: {Level: true, Low: true}, 20: {}, 255: {Level: true, Low: true}} {
		if x.Sources[n] != want {
			t.Errorf("source %d: %+v, want %+v", n, x.Sources[n], want)
		}
	}
	for irq, want := range map[uint8]uint32{3: 3, 4: 20, 0: 2} {
		if got := sourceOf(irq, overrides); got != want {
			t.Errorf("line %d arrives at %d, want %d", irq, got, want)
		}
	}
}
