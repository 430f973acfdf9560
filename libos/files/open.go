package files

import "skerry/abi/linux"

// tmpfile is O_TMPFILE without the O_DIRECTORY in it.
const tmpfile = linux.O_TMPFILE &^ linux.O_DIRECTORY

// open is openat, with Linux's order of checks.
func (f *Files) open(dirfd int32, address uint64, flags uint32) int64 {
	access := flags & linux.O_ACCMODE
	writes := access != linux.O_RDONLY
	switch {
	case flags&linux.O_PATH != 0:
		flags &= linux.O_DIRECTORY | linux.O_NOFOLLOW | linux.O_PATH | linux.O_CLOEXEC
		access, writes = linux.O_RDONLY, false
	case flags&linux.O_DIRECTORY != 0 && flags&linux.O_CREAT != 0,
		flags&tmpfile != 0 && (flags&linux.O_DIRECTORY == 0 || !writes):
		return -linux.EINVAL
	}
	path, err := pathAt(address)
	if err != 0 {
		return err
	}
	if fd := f.free(0); fd < 0 {
		return fd
	}
	how := follow
	if flags&linux.O_NOFOLLOW != 0 || flags&linux.O_CREAT != 0 && flags&linux.O_EXCL != 0 {
		how = 0
	}
	if flags&linux.O_CREAT != 0 {
		how |= create
	}
	at, err := f.walk(dirfd, path, how)
	if err != 0 {
		return err
	}
	if at.node == noNode {
		return -linux.EROFS
	}
	mode := f.mode(at.node)
	kind := mode & linux.S_IFMT
	if flags&linux.O_CREAT != 0 {
		if flags&linux.O_EXCL != 0 {
			return -linux.EEXIST
		}
		if kind == linux.S_IFDIR {
			return -linux.EISDIR
		}
	}
	if flags&linux.O_DIRECTORY != 0 && kind != linux.S_IFDIR {
		return -linux.ENOTDIR
	}
	if flags&linux.O_PATH != 0 {
		return f.add(kindPath, at.node, 0, flags)
	}
	if flags&tmpfile != 0 {
		return -linux.EROFS
	}
	writes = writes || flags&linux.O_TRUNC != 0
	switch kind {
	case linux.S_IFLNK:
		return -linux.ELOOP
	case linux.S_IFDIR:
		if writes {
			return -linux.EISDIR
		}
	case linux.S_IFREG:
		if writes {
			return -linux.EROFS
		}
	}
	return f.openNode(at.node, kind, access, f.openFlags(flags))
}

// openFlags is what an open file keeps of the flags of open.
func (f *Files) openFlags(flags uint32) uint32 {
	return flags&^(linux.O_CREAT|linux.O_EXCL|linux.O_NOCTTY|linux.O_TRUNC) | linux.O_LARGEFILE
}

// openNode opens a node that may be opened with the access mode.
func (f *Files) openNode(n node, kind, access, flags uint32) int64 {
	switch n.class() {
	case synthBase:
		if kind == linux.S_IFDIR {
			return f.add(kindDirectory, n, 0, flags)
		}
		s := synthOf(n)
		if s.kind == kindDoorbell && access != linux.O_RDONLY {
			return -linux.EACCES
		}
		fd := f.add(s.kind, n, s.text, flags)
		return fd
	case pipeBase:
		return f.openPipe(n.index(), access, flags)
	case streamBase:
		// Another file on the same stream, if it has that direction.
		if (access == linux.O_RDONLY) != (n.index() == streamIn) || access == linux.O_RDWR {
			return -linux.EACCES
		}
		return f.add(kindStream, n, n.index(), flags)
	case eventBase, epollBase:
		return -linux.ENXIO
	}
	if kind == linux.S_IFDIR {
		return f.add(kindDirectory, n, 0, flags)
	}
	return f.add(kindRegular, n, 0, flags)
}
