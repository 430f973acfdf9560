package boot

import (
	"fmt"
	"sort"

	"skerry/kernel/acpi"
	"skerry/kernel/memory"
)

// minimumPerCore is the RAM a core must have: image, heap, monitor, and room
// for a program.
const minimumPerCore = 24 << 20

// span is a range of free RAM of one node.
type span struct {
	memory.Extent
	node uint32
}

// splitByNode cuts ranges of RAM where nodes begin and end. Memory that no
// node claims is node 0's.
func splitByNode(ram []memory.Extent, nodes []acpi.Memory) []span {
	var out []span
	for _, e := range ram {
		for e.Base < e.End {
			s := span{Extent: e}
			for _, m := range nodes {
				base, end := memory.Phys(m.Base), memory.Phys(m.Base+m.Size)
				if base <= e.Base && e.Base < end {
					s.node = m.Node
					s.End = min(s.End, end)
				} else if base > e.Base {
					s.End = min(s.End, base)
				}
			}
			out = append(out, s)
			e.Base = s.End
		}
	}
	return out
}

// partition divides the free RAM among the cores, evenly among those of a node
// and from that node's memory. Core 0 has taken first already. Nodes with
// cores but no memory, or memory but no cores, are served from and count as
// the first core's node, or, where that has no memory, as the node of first.
// Each share begins with its largest extent: the core's image, which is one
// piece, goes there.
func partition(free []span, first span, nodeOf []uint32) ([][]memory.Extent, error) {
	const align = 2 << 20
	hasCore, hasMemory := map[uint32]bool{}, map[uint32]bool{first.node: true}
	for _, n := range nodeOf {
		hasCore[n] = true
	}
	for _, s := range free {
		hasMemory[s.node] = true
	}
	home := nodeOf[0]
	if !hasMemory[home] {
		home = first.node
	}
	effective := func(n uint32) uint32 {
		if hasCore[n] && hasMemory[n] {
			return n
		}
		return home
	}
	pools := map[uint32][]memory.Extent{}
	total := map[uint32]uint64{}
	for _, s := range free {
		n := effective(s.node)
		pools[n] = append(pools[n], s.Extent)
		total[n] += uint64(s.End - s.Base)
	}
	// Wherever it lies, first is a part of core 0's share.
	total[effective(nodeOf[0])] += uint64(first.End - first.Base)
	count := map[uint32]uint64{}
	for _, n := range nodeOf {
		count[effective(n)]++
	}
	shares := make([][]memory.Extent, len(nodeOf))
	for core, node := range nodeOf {
		n := effective(node)
		want := total[n] / count[n] &^ (align - 1)
		if want < minimumPerCore {
			return nil, fmt.Errorf("too little memory: core %d of %d would get %d MiB, the least is %d MiB; give the machine more memory or fewer cores",
				core, len(nodeOf), want>>20, minimumPerCore>>20)
		}
		if core == 0 {
			have := uint64(first.End - first.Base)
			want -= min(want, have)
		}
		pool := pools[n]
		sort.Slice(pool, func(i, j int) bool { return pool[i].Base < pool[j].Base })
		for want > 0 && len(pool) > 0 && len(shares[core]) < memory.MaxExtents-1 {
			size := min(want, uint64(pool[0].End-pool[0].Base))
			shares[core] = append(shares[core], memory.Extent{Base: pool[0].Base, End: pool[0].Base + memory.Phys(size)})
			pool[0].Base += memory.Phys(size)
			want -= size
			if pool[0].Base == pool[0].End {
				pool = pool[1:]
			}
		}
		pools[n] = pool
		for i, e := range shares[core] {
			if largest := &shares[core][0]; e.Pages() > largest.Pages() {
				*largest, shares[core][i] = e, *largest
			}
		}
	}
	return shares, nil
}
