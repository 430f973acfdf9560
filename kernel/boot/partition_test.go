package boot

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"skerry/abi"
	"skerry/kernel/acpi"
	"skerry/kernel/memory"
)

const mib = 1 << 20

// drawRAM draws disjoint ranges of RAM in ascending order, whose ends are
// multiples of pages but of nothing else.
func drawRAM(t *rapid.T, label string, least, most int) []memory.Extent {
	var ram []memory.Extent
	at := uint64(32 * mib)
	for range rapid.IntRange(least, most).Draw(t, label) {
		at += rapid.Uint64Range(0, 64).Draw(t, "hole") * 2 * mib
		n := rapid.SampledFrom([]uint64{0, 5, 30, 100, 700, 1024, 2048}).Draw(t, "MiB")*mib + rapid.Uint64Range(1, 600).Draw(t, "pages")*abi.PageSize
		ram = append(ram, memory.Extent{Base: memory.Phys(at), End: memory.Phys(at + n)})
		at = (at + n + 2*mib - 1) &^ (2*mib - 1)
	}
	return ram
}

// TestSplitByNode cuts RAM by what a SRAT claims, right or wrong, and holds the
// result against a look at each cut's both ends.
func TestSplitByNode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ram := drawRAM(t, "ranges", 0, 4)
		var nodes []acpi.Memory
		end := uint64(0)
		sane := rapid.Bool().Draw(t, "sane")
		for i := range rapid.IntRange(0, 5).Draw(t, "claims") {
			m := acpi.Memory{Base: rapid.Uint64().Draw(t, "base") &^ 0xfff, Size: rapid.Uint64().Draw(t, "size") &^ 0xfff, Node: uint32(i)}
			if sane {
				m.Base = end + rapid.Uint64Range(0, 100).Draw(t, "gap")*mib
				m.Size = rapid.Uint64Range(0, 2000).Draw(t, "MiB") * mib
				end = m.Base + m.Size
			}
			nodes = append(nodes, m)
		}
		spans := splitByNode(ram, nodes)
		// Laid end to end they are the RAM again.
		var joined []memory.Extent
		for _, s := range spans {
			if s.Base >= s.End {
				t.Fatalf("empty span %#x", s)
			}
			if n := len(joined); n > 0 && joined[n-1].End == s.Base && !slices.ContainsFunc(ram, func(e memory.Extent) bool { return e.Base == s.Base }) {
				joined[n-1].End = s.End
			} else {
				joined = append(joined, s.Extent)
			}
		}
		if !slices.Equal(joined, ram) {
			t.Fatalf("%#x became %#x", ram, joined)
		}
		if !sane {
			return
		}
		for _, s := range spans {
			for _, at := range []uint64{uint64(s.Base), uint64(s.End) - 1} {
				want := uint32(0)
				for _, m := range nodes {
					if at >= m.Base && at-m.Base < m.Size {
						want = m.Node
					}
				}
				if s.node != want {
					t.Fatalf("span %#x says node %d, its address %#x is on %d", s, s.node, at, want)
				}
			}
		}
	})
}

// TestPartition divides memory at random among cores of random nodes.
func TestPartition(t *testing.T) {
	divided := 0
	rapid.Check(t, func(t *rapid.T) {
		ram := drawRAM(t, "ranges", 1, 3)
		nodes := rapid.Uint32Range(1, 4).Draw(t, "nodes")
		var free []span
		for _, e := range ram {
			// A range may span two nodes.
			middle := e.Base + memory.Phys(rapid.Uint64Range(0, e.Size()/abi.PageSize).Draw(t, "middle")*abi.PageSize)
			for _, part := range []memory.Extent{{Base: e.Base, End: middle}, {Base: middle, End: e.End}} {
				if part.Base < part.End {
					free = append(free, span{part, rapid.Uint32Range(0, nodes-1).Draw(t, "of")})
				}
			}
		}
		first := span{memory.Extent{Base: 8 * mib, End: 24 * mib}, rapid.Uint32Range(0, nodes-1).Draw(t, "first")}
		nodeOf := make([]uint32, rapid.IntRange(1, 40).Draw(t, "cores"))
		for i := range nodeOf {
			nodeOf[i] = rapid.Uint32Range(0, nodes).Draw(t, "core") // one has no memory
		}
		given := slices.Clone(free)
		var whole ranges
		for _, s := range free {
			whole = append(whole, s.Extent)
		}
		whole = whole.normal()
		shares, err := partition(free, first, nodeOf)
		if !slices.Equal(given, free) {
			t.Fatal("the list of free memory was changed")
		}
		all := first.Extent.Size()
		has := map[uint32]bool{first.node: true}
		for _, s := range free {
			all += s.Extent.Size()
			has[s.node] = true
		}
		if err != nil {
			for _, word := range []string{"too little memory", "the least is 24 MiB", "give the machine more memory or fewer cores"} {
				if !strings.Contains(err.Error(), word) {
					t.Fatalf("error %q lacks %q", err, word)
				}
			}
			if !slices.ContainsFunc(nodeOf, func(n uint32) bool { return n != nodeOf[0] }) && all >= uint64(len(nodeOf))*(minimumPerCore+2*mib) {
				t.Fatalf("%d MiB do not do for %d cores of one node: %v", all/mib, len(nodeOf), err)
			}
			return
		}
		divided++
		if len(shares) != len(nodeOf) {
			t.Fatalf("%d shares for %d cores", len(shares), len(nodeOf))
		}
		var taken []memory.Extent
		total := make([]uint64, len(shares))
		for core, share := range shares {
			if len(share) > maxShare {
				t.Fatalf("core %d has %d extents", core, len(share))
			}
			for i, e := range share {
				if e.Base >= e.End || (e.Base|e.End)%abi.PageSize != 0 {
					t.Fatalf("core %d got %#x", core, e)
				}
				if e.Size() > share[0].Size() {
					t.Fatalf("core %d: its first extent, where its image goes, is not its largest: %#x", core, share)
				}
				if got := (ranges{e}); whole.contains(e) {
					for _, s := range free {
						home := has[nodeOf[core]] && has[nodeOf[0]] && slices.Contains(nodeOf, s.node)
						if home && s.node != nodeOf[core] && got.without(s.Extent).size() != got.size() {
							t.Fatalf("core %d of node %d got memory of node %d, which has cores", core, nodeOf[core], s.node)
						}
					}
				} else {
					t.Fatalf("core %d got %#x, part %d, which is not free", core, e, i)
				}
				total[core] += e.Size()
			}
			taken = append(taken, share...)
		}
		slices.SortFunc(taken, func(a, b memory.Extent) int { return int(a.Base) - int(b.Base) })
		for i := 1; i < len(taken); i++ {
			if taken[i].Base < taken[i-1].End {
				t.Fatalf("%#x was given twice", taken[i])
			}
		}
		total[0] += first.Extent.Size()
		for core, n := range total {
			if n < minimumPerCore {
				t.Fatalf("core %d got %d MiB and no error", core, n/mib)
			}
			if nodeOf[core] == nodeOf[0] && n != total[0] && n+4*mib < total[0] {
				t.Fatalf("core %d got %d MiB, its neighbour core 0 %d", core, n/mib, total[0]/mib)
			}
		}
		sum := uint64(0)
		for _, n := range total {
			sum += n
		}
		if sum != all {
			t.Fatalf("%d pages of %d were divided", sum/abi.PageSize, all/abi.PageSize)
		}
	})
	if divided < 10 {
		t.Errorf("only %d machines had enough memory", divided)
	}
}

// contains reports whether a range lies in one of the set's.
func (r ranges) contains(x memory.Extent) bool {
	return slices.ContainsFunc(r, func(e memory.Extent) bool { return e.Base <= x.Base && x.End <= e.End })
}

// TestPartitionWithoutHomeMemory divides the memory of a machine whose first
// core's node has none.
func TestPartitionWithoutHomeMemory(t *testing.T) {
	first := span{memory.Extent{Base: 8 * mib, End: 24 * mib}, 1}
	free := []span{{memory.Extent{Base: 32 * mib, End: 512 * mib}, 1}}
	for _, nodeOf := range [][]uint32{{0, 1}, {0, 0}, {0, 1, 1, 2}} {
		shares, err := partition(free, first, nodeOf)
		if err != nil {
			t.Errorf("nodes %v: %v", nodeOf, err)
			continue
		}
		for core, share := range shares {
			if len(share) == 0 {
				t.Errorf("nodes %v: core %d got nothing", nodeOf, core)
			}
		}
	}
}
