package archive

// Verify reads every entry and checks all that the layout promises: the tree
// is one, children are sorted and know their parents, names are well formed,
// data lies on pages inside the archive. What Verify accepts, Lookup can reach.
func (a *Archive) Verify() Error {
	root := (*Entry)(pointer(a.entry(Root)))
	if root.Parent != 0 || root.Name != 0 || root.NameSize != 0 {
		return ErrCorrupt
	}
	next := uint32(1) // the number the next directory's children must begin at
	for n := Root; uint32(n) < a.entries; n++ {
		e := (*Entry)(pointer(a.entry(n)))
		if n != Root && !a.goodName(n) {
			return ErrCorrupt
		}
		switch e.Mode & ModeType {
		case ModeDirectory:
			if e.Children == 0 {
				if e.FirstChild != 0 {
					return ErrCorrupt
				}
				continue
			}
			first, count := a.children(n)
			if first != next || count != e.Children {
				return ErrCorrupt
			}
			for i := first; i < first+count; i++ {
				if (*Entry)(pointer(a.entry(Node(i)))).Parent != uint32(n) ||
					i > first && a.Name(Node(i-1)) >= a.Name(Node(i)) {
					return ErrCorrupt
				}
			}
			next = first + count
		case ModeRegular, ModeLink:
			_, size := a.Data(n)
			if size != e.Size || e.Children != 0 || e.FirstChild != 0 ||
				e.Mode&ModeType == ModeLink && (size == 0 || size >= PathMax) {
				return ErrCorrupt
			}
		default:
			return ErrCorrupt
		}
	}
	if next != a.entries {
		return ErrCorrupt
	}
	return OK
}

// goodName says whether n's name may stand in a directory.
func (a *Archive) goodName(n Node) bool {
	name := a.Name(n)
	if len(name) == 0 || len(name) > NameMax || name == "." || name == ".." {
		return false
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '/' || name[i] == 0 {
			return false
		}
	}
	return true
}
