package capability

import "skerry/kernel/memory"

// The tree is a weak AVL tree (Haeupler, Sen and Tarjan 2015): each node has a
// level, a child is one or two levels below its parent, a node without children
// is on level 1. Its height is less than twice the logarithm of its size, and less
// than 1.45 times that where nothing is removed. An insertion rotates once or
// twice at most, and so does a removal; what else they change, levels, is a
// constant for each on average. Paths are kept in arrays: there is no recursion,
// and no parent link to repair when a slot moves.

// maxHeight bounds the height of a tree of 2^40 nodes, more than fit any machine,
// twice 40. It is a power of two, so that an index needs no check.
const maxHeight = 128

// Sides of a node.
const (
	left = iota
	right
)

// path is a way down from the root: nodes, and on which side of each it went on.
type path struct {
	node [maxHeight]memory.Phys
	side [maxHeight]uint8
	n    uint
}

func (p *path) push(a memory.Phys, side uint8) {
	p.put(p.n, a, side)
	p.n++
}

// put is push for loops that count the nodes themselves.
func (p *path) put(n uint, a memory.Phys, side uint8) {
	p.node[n%maxHeight], p.side[n%maxHeight] = a, side
}

// top returns a path's last node, and on which side of it the way ends.
func (p *path) top() (memory.Phys, uint8) {
	i := (p.n - 1) % maxHeight
	return p.node[i], p.side[i] & 1
}

// attach makes child the subtree at the end of a path.
func (s *System) attach(p *path, child memory.Phys) {
	if p.n == 0 {
		s.root = child
		return
	}
	t, side := p.top()
	s.at(t).child[side] = child
}

// insert puts a slot into the tree.
func (s *System) insert(a memory.Phys) {
	c, k, p := s.at(a), s.keyOf(a), &s.path
	c.child, c.level, c.end = [2]memory.Phys{}, 1, c.last()
	n, offset, first := uint(0), s.State.Offset, k.first
	for t := s.root; t != 0; n++ {
		if o := at(t, offset); k.before(first, o, t) {
			p.put(n, t, left)
			t = o.child[left]
		} else {
			p.put(n, t, right)
			t = o.child[right]
		}
	}
	p.n = n
	s.attach(p, a)
	s.Count++
	for i := p.n; i > 0; i-- {
		o := s.at(p.node[(i-1)%maxHeight])
		if o.end >= c.end {
			break
		}
		o.end = c.end
	}
	s.grown(p)
}

// grown restores the tree's balance when the subtree at the end of a path has
// become a level higher.
func (s *System) grown(p *path) {
	for ; p.n > 0; p.n-- {
		t, side := p.top()
		c := s.at(t)
		high, low := c.child[side], s.level(c.child[1-side])
		h := s.at(high)
		switch {
		case h.level < c.level:
			return
		case low+1 == c.level:
			c.level++
			continue
		}
		// One of the two below the one that is too high is higher than the other.
		p.n--
		if inner := h.child[1-side]; s.level(inner)+1 == h.level {
			h.level--
			s.at(inner).level++
			s.rotate(high, side)
			c.child[side] = inner
			high = inner
		}
		c.level--
		s.rotate(t, 1-side)
		s.attach(p, high)
		return
	}
}

// remove takes a slot out of the tree to which around or lastAround has left the
// way in s.path.
func (s *System) remove(a memory.Phys) {
	p := &s.path
	c, here := s.at(a), p.n
	if c.child[left] == 0 || c.child[right] == 0 {
		s.attach(p, c.child[left]|c.child[right])
	} else {
		// The next in order has no left child; it takes the place of a.
		p.push(a, right)
		t := c.child[right]
		for s.at(t).child[left] != 0 {
			p.push(t, left)
			t = s.at(t).child[left]
		}
		heir := s.at(t)
		s.attach(p, heir.child[right])
		heir.child, heir.level, heir.end = c.child, c.level, c.end
		p.node[here%maxHeight] = t
		end := p.n
		p.n = here
		s.attach(p, t)
		p.n = end
	}
	c.child, c.level, c.end = [2]memory.Phys{}, 0, 0
	s.Count--
	for i := p.n; i > 0; i-- {
		t := p.node[(i-1)%maxHeight]
		end := s.at(t).end
		if s.update(t); s.at(t).end == end && i <= here {
			break
		}
	}
	s.shrunk(p)
}

// shrunk restores the tree's balance when the subtree at the end of a path may
// have become a level lower.
func (s *System) shrunk(p *path) {
	for ; p.n > 0; p.n-- {
		t, side := p.top()
		c := s.at(t)
		low, high := s.level(c.child[side]), c.child[1-side]
		switch other := s.level(high); {
		case low|other == 0:
			if c.level == 1 {
				return
			}
			c.level = 1
			continue
		case c.level-low < 3:
			return
		case c.level-other == 2:
			c.level--
			continue
		}
		h := s.at(high)
		inner, outer := h.child[side], h.child[1-side]
		if h.level-s.level(outer) == 2 {
			if h.level-s.level(inner) == 2 {
				c.level--
				h.level--
				continue
			}
			s.at(inner).level += 2
			h.level--
			c.level--
			s.rotate(high, 1-side)
			c.child[1-side] = inner
			high = inner
		} else {
			h.level++
		}
		c.level--
		s.rotate(t, side)
		if c.child[left]|c.child[right] == 0 {
			c.level = 1
		}
		p.n--
		s.attach(p, high)
		return
	}
}

// rotate moves a node down to a side, below its child of the other side, which
// takes its place: the caller attaches it there.
func (s *System) rotate(t memory.Phys, side uint8) {
	side &= 1
	c := s.at(t)
	u := c.child[1-side]
	up := s.at(u)
	c.child[1-side], up.child[side] = up.child[side], t
	up.end = c.end // it has below it what the other had
	s.update(t)
}

func (s *System) level(t memory.Phys) uint8 {
	if t == 0 {
		return 0
	}
	return s.at(t).level
}

// update sets a node's end from its range and its children.
func (s *System) update(t memory.Phys) {
	c := s.at(t)
	c.end = max(c.last(), s.reach(c.child[left]), s.reach(c.child[right]))
}

// reach returns the greatest end in a subtree, 0 if it is empty.
func (s *System) reach(t memory.Phys) uint64 {
	if t == 0 {
		return 0
	}
	return s.at(t).end
}
