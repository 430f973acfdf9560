package files

import "skerry/abi/linux"

// Positions in a directory: 0 is ".", 1 is "..", the rest counts on from
// firstChild. In the root, what is in synths comes after the archive's
// children; in /proc/self/fd a position is a descriptor.
const firstChild = 2

// childAt returns the first child of a directory whose position is at least
// pos, and its position; noNode at the end.
func (f *Files) childAt(dir node, pos int64) (node, int64) {
	i := pos - firstChild
	if dir == fdDir {
		for ; i < MaxDescriptors; i++ {
			if f.file(int32(i)) != nil {
				return fdBase + node(i), i + firstChild
			}
		}
		return noNode, 0
	}
	var fromArchive int64
	if dir < synthBase {
		fromArchive = int64(f.archive.Children(archiveNode(dir)))
		for ; i < fromArchive; i++ {
			n := node(f.archive.Child(archiveNode(dir), int(i)))
			// What synths has is in front of what the archive has.
			if dir != root || f.child(root, f.archive.Name(archiveNode(n))) == n {
				return n, i + firstChild
			}
		}
		if dir != root {
			return noNode, 0
		}
	}
	for ; i-fromArchive < numSynths; i++ {
		if synths[i-fromArchive].parent == dir {
			return synthBase + node(i-fromArchive), i + firstChild
		}
	}
	return noNode, 0
}

// getdents fills a buffer with struct linux_dirent64.
func (f *Files) getdents(fd int32, address uint64, size uint32) int64 {
	o := f.usable(fd)
	if o == nil {
		return -linux.EBADF
	}
	if o.kind != kindDirectory {
		return -linux.ENOTDIR
	}
	out := uint64(0)
	for {
		var d digits
		n, name, pos := o.node, ".", o.offset
		switch {
		case pos == 0:
		case pos == 1:
			n, name = f.parent(o.node), ".."
		default:
			n, pos = f.childAt(o.node, pos)
			if n == noNode {
				return int64(out)
			}
			name = f.name(n, &d)
		}
		length := uint64(linux.DirentName+len(name)+1+7) &^ 7
		if out+length > uint64(size) {
			if out == 0 {
				return -linux.EINVAL
			}
			return int64(out)
		}
		at := address + out
		clear(bytesAt(at, length))
		// The header's fields one by one: its own size is padded.
		header := (*linux.DirentHeader)(pointer(uintptr(at)))
		header.Ino = uint64(inode(n))
		header.Off = pos + 1
		header.Reclen = uint16(length)
		header.Type = uint8(f.mode(n) & linux.S_IFMT >> 12)
		copy(bytesAt(at+linux.DirentName, uint64(len(name))), name)
		out += length
		o.offset = pos + 1
	}
}

func (f *Files) getcwd(address, size uint64) int64 {
	n := f.path(f.cwd, nil)
	if n >= linux.PATH_MAX {
		return -linux.ENAMETOOLONG
	}
	if uint64(n)+1 > size {
		return -linux.ERANGE
	}
	out := bytesAt(address, uint64(n)+1)
	f.path(f.cwd, out)
	out[n] = 0
	return int64(n) + 1
}

func (f *Files) chdir(path uint64) int64 {
	at, err := f.lookup(linux.AT_FDCWD, path, follow, 0)
	if err == 0 && !f.isDir(at.node) {
		err = -linux.ENOTDIR
	}
	if err == 0 {
		f.cwd = at.node
	}
	return err
}

func (f *Files) fchdir(fd int32) int64 {
	o := f.file(fd)
	if o == nil {
		return -linux.EBADF
	}
	if !f.isDir(o.node) {
		return -linux.ENOTDIR
	}
	f.cwd = o.node
	return 0
}
