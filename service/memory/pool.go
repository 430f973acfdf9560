package memory

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"skerry/abi/capability"
	"skerry/lib/supply"
)

// Least is the smallest block in bytes.
const Least = supply.Least

// Root is RAM that is divided.
type Root struct {
	Reference  capability.Reference // of the capability to all of it
	Base, Size uint64               // physical, in bytes; multiples of a page
	Node       uint32               // NUMA node that it belongs to
	Loan       uint32               // by which it was borrowed; 0: the core's own
	Kept       bool                 // was borrowed, of a core that is gone
}

// Block is a piece of a root that has been taken.
type Block struct {
	Root       Root
	Base, Size uint64
}

// Offset returns where in its root the block begins.
func (b Block) Offset() uint64 { return b.Base - b.Root.Base }

// Whole reports whether the block is all of its root: it needs no capability of
// its own, and could have none, since that would be a copy of the root's.
func (b Block) Whole() bool { return b.Size == b.Root.Size }

// Pool is the RAM of a core.
type Pool struct {
	node  uint32
	roots []*root // in the order in which they are used
}

// root is a Root with its free blocks.
type root struct {
	Root
	usable uint64            // bytes; what is unaligned at the ends is not
	left   uint64            // of these, free
	free   [][]uint64        // by order: the starts of free blocks, ascending
	taken  map[uint64]uint64 // by start: the sizes of taken blocks
}

// New returns an empty Pool of a core on a node.
func New(node uint32) *Pool { return &Pool{node: node} }

// Add adds a root, all of it free. It overlaps none that is there.
func (p *Pool) Add(r Root) {
	added := &root{Root: r, taken: make(map[uint64]uint64)}
	end := r.Base + r.Size
	for at := (r.Base + Least - 1) &^ (Least - 1); at < end && end-at >= Least; {
		size := uint64(1) << (bits.Len64(end-at) - 1)
		if at != 0 {
			size = min(size, at&-at)
		}
		added.put(at, size)
		added.usable += size
		at += size
	}
	added.left = added.usable
	i, _ := slices.BinarySearchFunc(p.roots, added, p.prefer)
	p.roots = slices.Insert(p.roots, i, added)
}

// prefer orders roots: those of the core before borrowed ones, of these those of
// its node before others.
func (p *Pool) prefer(a, b *root) int {
	rank := func(r *root) int {
		n := 0
		if r.Loan != 0 {
			n += 2
		}
		if r.Node != p.node {
			n++
		}
		return n
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Base, b.Base))
}

// order returns the order of a block's size.
func order(size uint64) int { return bits.TrailingZeros64(size) - bits.TrailingZeros64(Least) }

// put adds a block to the free ones.
func (r *root) put(at, size uint64) {
	n := order(size)
	for len(r.free) <= n {
		r.free = append(r.free, nil)
	}
	i, _ := slices.BinarySearch(r.free[n], at)
	r.free[n] = slices.Insert(r.free[n], i, at)
}

// Take takes a block of a size, a power of two that is at least Least, from the
// first root that has one; of the core's own free memory, reserve bytes are left
// there. ok is false if no root has one.
func (p *Pool) Take(size, reserve uint64) (b Block, ok bool) {
	return p.take(size, reserve, func(*root) bool { return true })
}

// TakeLendable is Take of what another core can be lent: RAM that has always been
// the core's own.
func (p *Pool) TakeLendable(size, reserve uint64) (b Block, ok bool) {
	return p.take(size, reserve, func(r *root) bool { return r.Loan == 0 && !r.Kept })
}

// take is Take from roots of which a condition holds.
func (p *Pool) take(size, reserve uint64, from func(*root) bool) (b Block, ok bool) {
	if size < Least || size&(size-1) != 0 {
		return Block{}, false
	}
	spare := p.Spare(reserve) >= size
	for _, r := range p.roots {
		if r.Loan == 0 && !spare || !from(r) {
			continue
		}
		if at, ok := r.take(size); ok {
			return Block{r.Root, at, size}, true
		}
	}
	return Block{}, false
}

// take splits the first of the smallest free blocks that are large enough.
func (r *root) take(size uint64) (at uint64, ok bool) {
	for n := order(size); n < len(r.free); n++ {
		if len(r.free[n]) == 0 {
			continue
		}
		at := r.free[n][0]
		r.free[n] = slices.Delete(r.free[n], 0, 1)
		for half := uint64(Least) << n >> 1; half >= size; half >>= 1 {
			r.put(at+half, half)
		}
		r.taken[at] = size
		r.left -= size
		return at, true
	}
	return 0, false
}

// Give gives a block from Take back. It panics if that is not taken: whoever
// gives a block twice would have its next user share it.
func (p *Pool) Give(b Block) {
	r := p.root(b.Root.Reference)
	if r == nil || r.taken[b.Base] != b.Size {
		panic(fmt.Sprintf("memory: block of %#x bytes at %#x given back, but not taken", b.Size, b.Base))
	}
	delete(r.taken, b.Base)
	r.left += b.Size
	at, size := b.Base, b.Size
	for ; order(size) < len(r.free); size <<= 1 {
		i, found := slices.BinarySearch(r.free[order(size)], at^size)
		if !found {
			break
		}
		r.free[order(size)] = slices.Delete(r.free[order(size)], i, i+1)
		at &^= size
	}
	r.put(at, size)
}

// root returns the root of a reference; nil if there is none.
func (p *Pool) root(reference capability.Reference) *root {
	for _, r := range p.roots {
		if r.Reference == reference {
			return r
		}
	}
	return nil
}

// Idle returns a borrowed root of which nothing is taken; ok is false if there
// is none.
func (p *Pool) Idle() (r Root, ok bool) {
	for _, r := range p.roots {
		if r.Loan != 0 && r.left == r.usable {
			return r.Root, true
		}
	}
	return Root{}, false
}

// Remove takes a root away of which nothing is taken, and reports whether there
// was one of the reference.
func (p *Pool) Remove(reference capability.Reference) bool {
	for i, r := range p.roots {
		if r.Reference == reference && r.left == r.usable {
			p.roots = slices.Delete(p.roots, i, i+1)
			return true
		}
	}
	return false
}

// Keep makes the root of a loan the core's own, and reports whether there was one.
func (p *Pool) Keep(loan uint32) bool {
	for _, r := range p.roots {
		if loan != 0 && r.Loan == loan {
			r.Loan, r.Kept = 0, true
			slices.SortFunc(p.roots, p.prefer)
			return true
		}
	}
	return false
}

// Statistics describes a pool, or a root, in bytes.
type Statistics struct {
	Size     uint64 // of the roots
	Usable   uint64 // of Size, what can be taken: all but unaligned ends
	Free     uint64 // in free blocks
	Largest  uint64 // the largest free block
	Borrowed uint64 // of Size, what belongs to other cores
}

// Statistics describes the pool.
func (p *Pool) Statistics() (s Statistics) {
	for _, r := range p.roots {
		one := r.statistics()
		s.Size += one.Size
		s.Usable += one.Usable
		s.Free += one.Free
		s.Largest = max(s.Largest, one.Largest)
		s.Borrowed += one.Borrowed
	}
	return s
}

// Free returns how many bytes are free.
func (p *Pool) Free() (bytes uint64) {
	for _, r := range p.roots {
		bytes += r.left
	}
	return bytes
}

// Spare returns how many bytes of the core's own are free beyond a reserve.
func (p *Pool) Spare(reserve uint64) uint64 {
	own := uint64(0)
	for _, r := range p.roots {
		if r.Loan == 0 {
			own += r.left
		}
	}
	return max(own, reserve) - reserve
}

// Roots calls each with each root and its statistics, in the order in which they
// are used.
func (p *Pool) Roots(each func(Root, Statistics)) {
	for _, r := range p.roots {
		each(r.Root, r.statistics())
	}
}

func (r *root) statistics() Statistics {
	s := Statistics{Size: r.Size, Usable: r.usable, Free: r.left}
	for n := len(r.free) - 1; n >= 0; n-- {
		if len(r.free[n]) > 0 {
			s.Largest = Least << n
			break
		}
	}
	if r.Loan != 0 {
		s.Borrowed = r.Size
	}
	return s
}
