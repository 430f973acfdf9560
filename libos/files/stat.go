package files

import "skerry/abi/linux"

// stat fills the struct stat at an address.
func (f *Files) stat(n node, address uint64) int64 {
	st := linux.Stat{
		Dev: deviceOf(n), Ino: uint64(inode(n)), Nlink: 1, Mode: f.mode(n), Blksize: pageSize,
	}
	switch {
	case n < synthBase:
		a := archiveNode(n)
		st.Nlink = uint64(f.archive.Links(a))
		st.Size = int64(f.archive.FileSize(a))
		if f.isDir(n) {
			st.Size = pageSize
		}
		st.Blocks = (st.Size + pageSize - 1) / pageSize * (pageSize / 512)
		if f.isLink(n) {
			st.Blocks = 0
		}
		st.Mtime = timespec(f.archive.ModTime(a))
		st.Atime, st.Ctime = st.Mtime, st.Mtime
	case n.class() == synthBase:
		s := synthOf(n)
		st.Rdev = s.rdev
		st.Size = int64(len(s.target))
		if f.isDir(n) {
			st.Nlink = 2
		}
	case n.class() == fdBase:
		st.Size = 64
	}
	*(*linux.Stat)(pointer(uintptr(address))) = st
	return 0
}

// timespec is a Unix time in nanoseconds as Linux has it.
func timespec(ns int64) linux.Timespec {
	const second = 1e9
	t := linux.Timespec{Sec: ns / second, Nsec: ns % second}
	if t.Nsec < 0 {
		t.Sec--
		t.Nsec += second
	}
	return t
}

func (f *Files) fstat(fd int32, address uint64) int64 {
	o := f.file(fd)
	if o == nil {
		return -linux.EBADF
	}
	return f.stat(o.node, address)
}

// fstatat is newfstatat.
func (f *Files) fstatat(dirfd int32, path, address uint64, flags uint32) int64 {
	const known = linux.AT_SYMLINK_NOFOLLOW | linux.AT_NO_AUTOMOUNT | linux.AT_EMPTY_PATH
	if flags&^known != 0 {
		return -linux.EINVAL
	}
	at, err := f.lookup(dirfd, path, following(flags), flags)
	if err != 0 {
		return err
	}
	return f.stat(at.node, address)
}

// following is how to walk under the AT flags of a call.
func following(flags uint32) int {
	if flags&linux.AT_SYMLINK_NOFOLLOW != 0 {
		return 0
	}
	return follow
}

// access is faccessat2. The program is root: it may read all, write what can be
// written, and execute what anyone may execute.
func (f *Files) access(dirfd int32, path uint64, mode, flags uint32) int64 {
	const known = linux.AT_EACCESS | linux.AT_SYMLINK_NOFOLLOW | linux.AT_EMPTY_PATH
	if mode&^(linux.R_OK|linux.W_OK|linux.X_OK) != 0 || flags&^known != 0 {
		return -linux.EINVAL
	}
	at, err := f.lookup(dirfd, path, following(flags), flags)
	if err != 0 {
		return err
	}
	switch {
	case mode&linux.W_OK != 0 && f.readOnly(at.node):
		return -linux.EROFS
	case mode&linux.X_OK != 0 && !f.isDir(at.node) && f.mode(at.node)&0o111 == 0:
		return -linux.EACCES
	}
	return 0
}

// Magic numbers of file systems.
const (
	magicArchive = 0x73717368 // what squashfs says: compact and read-only
	magicProc    = 0x9fa0
	magicDevices = 0x01021994
	magicPipe    = 0x50495045
	magicAnon    = 0x09041934
)

// statfs fills the struct statfs at an address for the file system of a node.
func (f *Files) statfs(n node, address uint64) int64 {
	const readOnly, relatime = 1, 0x1020 // ST_RDONLY; ST_VALID and ST_RELATIME
	s := linux.Statfs{Bsize: pageSize, Frsize: pageSize, Namelen: linux.NAME_MAX, Flags: relatime}
	switch d := deviceOf(n); {
	case n < synthBase:
		s.Type = magicArchive
		s.Blocks = f.archive.Size() / pageSize
		s.Files = uint64(f.archive.Nodes())
		s.Flags |= readOnly
	case d == deviceOf(procDir):
		s.Type = magicProc
	case n.class() == synthBase:
		s.Type = magicDevices
	case n.class() == pipeBase, n.class() == streamBase:
		s.Type = magicPipe
	default:
		s.Type = magicAnon
	}
	*(*linux.Statfs)(pointer(uintptr(address))) = s
	return 0
}

func (f *Files) statfsPath(path, address uint64) int64 {
	at, err := f.lookup(linux.AT_FDCWD, path, follow, 0)
	if err != 0 {
		return err
	}
	return f.statfs(at.node, address)
}

func (f *Files) fstatfs(fd int32, address uint64) int64 {
	o := f.file(fd)
	if o == nil {
		return -linux.EBADF
	}
	return f.statfs(o.node, address)
}

// readlink writes what a symbolic link says, without a terminator.
func (f *Files) readlink(dirfd int32, path, address uint64, size int32) int64 {
	if size <= 0 {
		return -linux.EINVAL
	}
	at, err := f.lookup(dirfd, path, 0, linux.AT_EMPTY_PATH)
	if err != 0 {
		return err
	}
	if !f.isLink(at.node) {
		if name, _ := pathAt(path); len(name) == 0 {
			return -linux.ENOENT
		}
		return -linux.EINVAL
	}
	out := bytesAt(address, uint64(min(size, linux.PATH_MAX)))
	if to, ok := f.magic(at.node); ok {
		if to == noNode {
			return -linux.ENOENT
		}
		return int64(min(f.path(to, out), len(out)))
	}
	return int64(copy(out, f.target(at.node)))
}
