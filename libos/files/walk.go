package files

import (
	"unsafe"

	"skerry/abi/archive"
	"skerry/abi/linux"
)

// How to walk a path.
const (
	follow  = 1 << iota // follow a symbolic link at the end
	missing             // the last name need not exist
	create              // missing, and the last name is to become a file (open)
	prefix              // do not look at the last name
)

// last says what the last name of a path is.
type last uint8

const (
	lastName last = iota
	lastDot
	lastDotDot
	lastRoot // there is none: the path is only slashes
)

// found is where a path leads.
type found struct {
	node   node // noNode if missing was set and there is none
	parent node // the directory of the last name
	last   last
	slash  bool // slashes follow the last name
}

// walk finds what path names, beginning at the directory of descriptor dirfd
// unless it begins with a slash. It returns 0 or a negated error number.
func (f *Files) walk(dirfd int32, path string, how int) (found, int64) {
	none := found{node: noNode}
	if len(path) == 0 {
		return none, -linux.ENOENT
	}
	at := root
	if path[0] != '/' {
		at = f.cwd
		if dirfd != linux.AT_FDCWD {
			o := f.file(dirfd)
			if o == nil {
				return none, -linux.EBADF
			}
			at = o.node
			if !f.isDir(at) {
				return none, -linux.ENOTDIR
			}
		}
	}
	// What is left to walk after the links now being walked, innermost last.
	var pending [archive.LinksMax]string
	depth, links := 0, 0
	slash := false
	for {
		name, rest := archive.Component(path)
		if len(name) == 0 {
			if depth > 0 {
				depth--
				path = pending[depth]
				continue
			}
			return found{node: at, parent: at, last: lastRoot, slash: slash}, 0
		}
		path = trimSlashes(rest)
		final := len(path) == 0 && depth == 0
		if final && len(rest) > 0 {
			slash = true
		}
		if !f.isDir(at) {
			return none, -linux.ENOTDIR
		}
		kind := lastName
		if name == "." {
			kind = lastDot
		} else if name == ".." {
			kind = lastDotDot
		}
		if final && how&prefix != 0 {
			return found{node: noNode, parent: at, last: kind, slash: slash}, 0
		}
		if kind != lastName {
			parent := at
			if kind == lastDotDot {
				at = f.parent(at)
			}
			if final {
				return found{node: at, parent: parent, last: kind, slash: slash}, 0
			}
			continue
		}
		if final && slash && how&create != 0 {
			return none, -linux.EISDIR
		}
		if len(name) > linux.NAME_MAX {
			return none, -linux.ENAMETOOLONG
		}
		next := f.child(at, name)
		if next == noNode {
			if final && how&(missing|create) != 0 {
				return found{node: noNode, parent: at, slash: slash}, 0
			}
			return none, -linux.ENOENT
		}
		if !f.isLink(next) || final && how&follow == 0 && !slash {
			if final {
				if slash && !f.isDir(next) && how&missing == 0 {
					return none, -linux.ENOTDIR
				}
				return found{node: next, parent: at, slash: slash}, 0
			}
			at = next
			continue
		}
		if final && how&missing != 0 && how&follow == 0 {
			// A name that is to be made exists: what it is does not matter.
			return found{node: next, parent: at, slash: slash}, 0
		}
		if links++; links > archive.LinksMax {
			return none, -linux.ELOOP
		}
		if to, ok := f.magic(next); ok {
			if to == noNode {
				return none, -linux.ENOENT
			}
			if final {
				if slash && !f.isDir(to) {
					return none, -linux.ENOTDIR
				}
				return found{node: to, parent: at, slash: slash}, 0
			}
			at = to
			continue
		}
		target := f.target(next)
		if len(target) == 0 {
			return none, -linux.ENOENT
		}
		if len(path) > 0 {
			pending[depth] = path
			depth++
		}
		if target[0] == '/' {
			at = root
		}
		path = target
	}
}

// trimSlashes drops leading slashes.
func trimSlashes(path string) string {
	for len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	return path
}

// pathAt returns the NUL-terminated path at an address of the program.
func pathAt(address uint64) (string, int64) {
	for n := uint64(0); n < linux.PATH_MAX; n++ {
		if *(*byte)(pointer(uintptr(address + n))) == 0 {
			return unsafe.String((*byte)(pointer(uintptr(address))), int(n)), 0
		}
	}
	return "", -linux.ENAMETOOLONG
}

// lookup finds what the path at an address names. With AT_EMPTY_PATH in flags
// an empty path names what dirfd has open.
func (f *Files) lookup(dirfd int32, address uint64, how int, flags uint32) (found, int64) {
	path, err := pathAt(address)
	if err != 0 {
		return found{node: noNode}, err
	}
	if len(path) == 0 && flags&linux.AT_EMPTY_PATH != 0 {
		if dirfd == linux.AT_FDCWD {
			return found{node: f.cwd, parent: f.cwd}, 0
		}
		o := f.file(dirfd)
		if o == nil {
			return found{node: noNode}, -linux.EBADF
		}
		return found{node: o.node, parent: f.parent(o.node)}, 0
	}
	return f.walk(dirfd, path, how)
}
