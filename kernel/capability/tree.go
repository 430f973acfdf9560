package capability

import "skerry/kernel/memory"

// The tree is an AA tree (Andersson 1993): a node of level l > 1 has two
// children; a left child is one level below its parent, a right child at most
// that, and no right grandchild is on its grandparent's level. Its height is
// less than twice the logarithm of its size. Paths are kept in arrays: there
// is no recursion, and no parent link to repair when a slot moves.

// maxHeight is the height of a tree of 2^40 nodes, more than fit any machine.
const maxHeight = 80

// path is a way down from the root: nodes, and whether it went right.
type path struct {
	node  [maxHeight]memory.Phys
	right [maxHeight]bool
	n     int
}

// startPath returns an empty path; there is one at a time.
func (s *System) startPath() *path {
	s.path.n = 0
	return &s.path
}

func (p *path) push(a memory.Phys, right bool) {
	p.node[p.n], p.right[p.n] = a, right
	p.n++
}

// attach makes child the subtree at the end of a path of n nodes.
func (s *System) attach(p *path, n int, child memory.Phys) {
	switch {
	case n == 0:
		s.root = child
	case p.right[n-1]:
		s.at(p.node[n-1]).right = child
	default:
		s.at(p.node[n-1]).left = child
	}
}

// walk returns the way from the root to where a slot belongs, as far as end.
func (s *System) walk(a, end memory.Phys) *path {
	k, p := s.keyOf(a), s.startPath()
	for t := s.root; t != end; {
		c := s.at(t)
		right := !k.before(c, t)
		p.push(t, right)
		if t = c.left; right {
			t = c.right
		}
	}
	return p
}

// insert puts a slot into the tree.
func (s *System) insert(a memory.Phys) {
	c := s.at(a)
	c.left, c.right, c.level, c.end = 0, 0, 1, c.last()
	p := s.walk(a, 0)
	s.attach(p, p.n, a)
	s.ascend(p, p.n, (*System).grow)
	s.Count++
}

// remove takes a slot out of the tree.
func (s *System) remove(a memory.Phys) {
	p := s.walk(a, a)
	c, here := s.at(a), p.n
	if c.left == 0 {
		s.attach(p, p.n, c.right)
	} else {
		// The next in order has no left child; it takes the place of a.
		p.push(a, true)
		t := c.right
		for s.at(t).left != 0 {
			p.push(t, false)
			t = s.at(t).left
		}
		s.attach(p, p.n, s.at(t).right)
		heir := s.at(t)
		heir.left, heir.right, heir.level, heir.end = c.left, c.right, c.level, c.end
		p.node[here] = t
		s.attach(p, here, t)
	}
	s.ascend(p, here, (*System).settle)
	c.left, c.right, c.level, c.end = 0, 0, 0, 0
	s.Count--
}

// ascend repairs the nodes of a path from its end upwards, all that are deeper
// than the first top ones and as many others as need it. Whether a node is in
// balance depends on its own level and those of its children and grandchildren:
// above two nodes in a row that stayed as they were, all are. Its end depends on
// those of its children alone.
func (s *System) ascend(p *path, top int, repair func(*System, memory.Phys) memory.Phys) {
	for same := 0; p.n > 0; {
		p.n--
		t := p.node[p.n]
		level, end := s.at(t).level, s.at(t).end
		if same == 2 {
			s.update(t)
		} else if now := repair(s, t); now == t && s.at(t).level == level {
			same++
		} else {
			same = 0
			s.attach(p, p.n, now)
			continue
		}
		if same == 2 && s.at(t).end == end && p.n <= top {
			return
		}
	}
}

// grow makes a subtree whole again to which a node was added, and returns its
// root.
func (s *System) grow(t memory.Phys) memory.Phys {
	s.update(t)
	if c := s.at(t); s.level(c.left) < c.level && s.level(c.right) < c.level {
		return t
	}
	return s.split(s.skew(t))
}

// settle makes a subtree whole again of whose subtrees one may have become one
// level lower, and returns its root.
func (s *System) settle(t memory.Phys) memory.Phys {
	c := s.at(t)
	s.update(t)
	should := min(s.level(c.left), s.level(c.right)) + 1
	if should >= c.level {
		return t // it has no child that is too low, and none has risen
	}
	c.level = should
	if should < s.level(c.right) {
		s.at(c.right).level = should
	}
	t = s.skew(t)
	c = s.at(t)
	if c.right != 0 {
		c.right = s.skew(c.right)
		if r := s.at(c.right); r.right != 0 {
			r.right = s.skew(r.right)
		}
	}
	t = s.split(t)
	if c = s.at(t); c.right != 0 {
		c.right = s.split(c.right)
	}
	return t
}

// skew turns a left child on its parent's level into the parent.
func (s *System) skew(t memory.Phys) memory.Phys {
	if c := s.at(t); s.level(c.left) == c.level {
		return s.rotateRight(t)
	}
	return t
}

// split turns the middle of three nodes on one level into their parent.
func (s *System) split(t memory.Phys) memory.Phys {
	c := s.at(t)
	if c.right == 0 || s.level(s.at(c.right).right) != c.level {
		return t
	}
	s.at(c.right).level++
	return s.rotateLeft(t)
}

// rotateRight puts a node's left child in its place, and it below that.
func (s *System) rotateRight(t memory.Phys) memory.Phys {
	c := s.at(t)
	l := c.left
	up := s.at(l)
	c.left, up.right = up.right, t
	s.update(t)
	s.update(l)
	return l
}

// rotateLeft puts a node's right child in its place, and it below that.
func (s *System) rotateLeft(t memory.Phys) memory.Phys {
	c := s.at(t)
	r := c.right
	up := s.at(r)
	c.right, up.left = up.left, t
	s.update(t)
	s.update(r)
	return r
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
	c.end = max(c.last(), s.reach(c.left), s.reach(c.right))
}

// reach returns the greatest end in a subtree, 0 if it is empty.
func (s *System) reach(t memory.Phys) uint64 {
	if t == 0 {
		return 0
	}
	return s.at(t).end
}
