package boot

import (
	"fmt"
	"slices"

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

// maxShare is how many extents a core's share has at most: core 0 has two
// others besides.
const maxShare = memory.MaxExtents - 2

// partition divides the free RAM among the cores, evenly among those of a node
// and from that node's memory. Core 0 has taken first already. Nodes with
// cores but no memory, or memory but no cores, are served from and count as
// the first core's node, or, where that has no memory, as the node of first.
// Each share begins with its largest extent: the core's image, which is one
// piece, goes there. Nothing is left over but what would be a share's extents
// beyond maxShare, the smallest.
func partition(free []span, first span, nodeOf []uint32) ([][]memory.Extent, error) {
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
	pools, cores := map[uint32]ranges{}, map[uint32][]int{}
	for _, s := range free {
		n := effective(s.node)
		pools[n] = append(pools[n], s.Extent)
	}
	for core, n := range nodeOf {
		cores[effective(n)] = append(cores[effective(n)], core)
	}
	shares := make([][]memory.Extent, len(nodeOf))
	for n, of := range cores {
		pool := pools[n].normal()
		if of[0] == 0 {
			// Wherever it lies, first is a part of core 0's share.
			even := (pool.size() + first.Size()) / uint64(len(of))
			shares[0], pool = pool.cut(max(even, first.Size()) - first.Size())
			of = of[1:]
		}
		total, given := pool.size(), uint64(0)
		for i, core := range of {
			until := total / uint64(len(of)) * uint64(i+1)
			if i == len(of)-1 {
				until = total
			}
			var share ranges
			share, pool = pool.cut(until - min(until, given))
			given += share.size()
			shares[core] = share
		}
	}
	for core, share := range shares {
		have := ranges(share).size()
		if core == 0 {
			have += first.Size()
		}
		if have < minimumPerCore {
			return nil, fmt.Errorf("too little memory: core %d of %d would get %d MiB, the least is %d MiB; give the machine more memory or fewer cores",
				core, len(nodeOf), have>>20, minimumPerCore>>20)
		}
		slices.SortStableFunc(share, func(a, b memory.Extent) int { return int(b.Pages()) - int(a.Pages()) })
		shares[core] = share[:min(len(share), maxShare)]
	}
	return shares, nil
}
