package archive

// Component takes the first component off path: leading slashes are dropped,
// rest begins with the slash that ended the component, or is empty.
func Component(path string) (name, rest string) {
	start := 0
	for start < len(path) && path[start] == '/' {
		start++
	}
	end := start
	for end < len(path) && path[end] != '/' {
		end++
	}
	return path[start:end], path[end:]
}

// Lookup finds the node that path names, starting at directory dir, or at the
// root if path begins with a slash. It follows symbolic links on the way, and
// at the end too if follow is set. A path that ends in a slash must name a
// directory. The empty path names nothing.
func (a *Archive) Lookup(dir Node, path string, follow bool) (Node, Error) {
	if len(path) == 0 {
		return None, ErrNotFound
	}
	// What is left to walk after the link now being walked, innermost last.
	var pending [LinksMax]string
	depth, links := 0, 0
	at := dir
	if path[0] == '/' {
		at = Root
	}
	for {
		name, rest := Component(path)
		if len(name) == 0 {
			if len(path) > 0 && !a.IsDir(at) {
				return None, ErrNotDir
			}
			if depth == 0 {
				return at, OK
			}
			depth--
			path = pending[depth]
			continue
		}
		path = rest
		if !a.IsDir(at) {
			return None, ErrNotDir
		}
		if len(name) > NameMax {
			return None, ErrNameTooBig
		}
		if name == "." {
			continue
		}
		if name == ".." {
			at = a.Parent(at)
			continue
		}
		next := a.Find(at, name)
		if next == None {
			return None, ErrNotFound
		}
		last := len(rest) == 0 && depth == 0
		if a.Mode(next)&ModeType != ModeLink || last && !follow {
			at = next
			continue
		}
		if links++; links > LinksMax {
			return None, ErrLoop
		}
		target := a.Target(next)
		if len(target) == 0 {
			return None, ErrNotFound
		}
		if target[0] == '/' {
			at = Root
		}
		if len(rest) > 0 {
			pending[depth] = rest
			depth++
		}
		path = target
	}
}
