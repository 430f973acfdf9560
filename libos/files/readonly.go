package files

import "skerry/abi/linux"

// The calls that would change a file system check what Linux checks, in its
// order, and then find that the file system is read-only.

// makeName is what mkdir, mknod, symlink and link do with the name to be made.
func (f *Files) makeName(dirfd int32, path uint64, isDir bool) int64 {
	at, err := f.lookup(dirfd, path, missing, 0)
	switch {
	case err != 0:
		return err
	case at.last != lastName, at.node != noNode:
		return -linux.EEXIST
	case at.slash && !isDir:
		return -linux.ENOENT
	}
	return -linux.EROFS
}

func (f *Files) mknod(dirfd int32, path uint64, mode uint32) int64 {
	switch mode & linux.S_IFMT {
	case 0, linux.S_IFREG, linux.S_IFCHR, linux.S_IFBLK, linux.S_IFIFO, linux.S_IFSOCK:
		return f.makeName(dirfd, path, false)
	case linux.S_IFDIR:
		return -linux.EPERM
	}
	return -linux.EINVAL
}

func (f *Files) symlink(target uint64, dirfd int32, path uint64) int64 {
	switch name, err := pathAt(target); {
	case err != 0:
		return err
	case len(name) == 0:
		return -linux.ENOENT
	}
	return f.makeName(dirfd, path, false)
}

func (f *Files) hardlink(from int32, old uint64, to int32, path uint64, flags uint32) int64 {
	if flags&^(linux.AT_SYMLINK_FOLLOW|linux.AT_EMPTY_PATH) != 0 {
		return -linux.EINVAL
	}
	how := 0
	if flags&linux.AT_SYMLINK_FOLLOW != 0 {
		how = follow
	}
	if _, err := f.lookup(from, old, how, flags); err != 0 {
		return err
	}
	return f.makeName(to, path, false)
}

func (f *Files) unlink(dirfd int32, path uint64, flags uint32) int64 {
	if flags&^linux.AT_REMOVEDIR != 0 {
		return -linux.EINVAL
	}
	at, err := f.lookup(dirfd, path, prefix, 0)
	if err != 0 {
		return err
	}
	if flags&linux.AT_REMOVEDIR == 0 {
		if at.last != lastName {
			return -linux.EISDIR
		}
		return -linux.EROFS
	}
	switch at.last {
	case lastDot:
		return -linux.EINVAL
	case lastDotDot:
		return -linux.ENOTEMPTY
	case lastRoot:
		return -linux.EBUSY
	}
	return -linux.EROFS
}

func (f *Files) rename(from int32, old uint64, to int32, path uint64, flags uint32) int64 {
	const noReplace, exchange, whiteout = 1, 2, 4
	if flags&^(noReplace|exchange|whiteout) != 0 ||
		flags&(noReplace|whiteout) != 0 && flags&exchange != 0 {
		return -linux.EINVAL
	}
	a, err := f.lookup(from, old, prefix, 0)
	if err != 0 {
		return err
	}
	b, err := f.lookup(to, path, prefix, 0)
	switch {
	case err != 0:
		return err
	case a.last != lastName:
		return -linux.EBUSY
	case b.last != lastName && flags&noReplace != 0:
		return -linux.EEXIST
	case b.last != lastName:
		return -linux.EBUSY
	}
	return -linux.EROFS
}

// change is what chmod, chown and utimensat do with a path.
func (f *Files) change(dirfd int32, path uint64, flags uint32) int64 {
	if flags&^(linux.AT_SYMLINK_NOFOLLOW|linux.AT_EMPTY_PATH) != 0 {
		return -linux.EINVAL
	}
	at, err := f.lookup(dirfd, path, following(flags), flags)
	if err != 0 {
		return err
	}
	return f.changeNode(at.node)
}

// changeNode: pipes and devices are in no read-only file system, but their
// modes and owners are not kept.
func (f *Files) changeNode(n node) int64 {
	if f.readOnly(n) {
		return -linux.EROFS
	}
	return 0
}

// changeFile is what fchmod, fchown and futimens do.
func (f *Files) changeFile(fd int32) int64 {
	o := f.usable(fd)
	if o == nil {
		return -linux.EBADF
	}
	return f.changeNode(o.node)
}

// Nanoseconds with a meaning of their own.
const (
	timeNow  = 1<<30 - 1
	timeOmit = 1<<30 - 2
)

func definedTime(ns int64) bool {
	return ns == timeNow || ns == timeOmit || ns >= 0 && ns < 1e9
}

// utimens is utimensat; times may be 0.
func (f *Files) utimens(dirfd int32, path, times uint64, flags uint32) int64 {
	if times != 0 {
		t := (*[2]linux.Timespec)(pointer(uintptr(times)))
		a, m := t[0].Nsec, t[1].Nsec
		if a == timeOmit && m == timeOmit {
			return 0
		}
		if !definedTime(a) || !definedTime(m) {
			return -linux.EINVAL
		}
	}
	if path == 0 {
		if flags != 0 {
			return -linux.EINVAL
		}
		return f.changeFile(dirfd)
	}
	return f.change(dirfd, path, flags)
}

func (f *Files) truncate(path, length uint64) int64 {
	if int64(length) < 0 {
		return -linux.EINVAL
	}
	at, err := f.lookup(linux.AT_FDCWD, path, follow, 0)
	if err != 0 {
		return err
	}
	switch f.mode(at.node) & linux.S_IFMT {
	case linux.S_IFDIR:
		return -linux.EISDIR
	case linux.S_IFREG:
		return -linux.EROFS
	}
	return -linux.EINVAL
}

// ftruncate: no regular file is open for writing.
func (f *Files) ftruncate(fd int32, length uint64) int64 {
	if int64(length) < 0 {
		return -linux.EINVAL
	}
	if f.usable(fd) == nil {
		return -linux.EBADF
	}
	return -linux.EINVAL
}

// fallocate: no regular file is open for writing.
func (f *Files) fallocate(fd int32, offset, length uint64) int64 {
	o := f.usable(fd)
	switch {
	case o == nil:
		return -linux.EBADF
	case int64(offset) < 0 || int64(length) <= 0:
		return -linux.EINVAL
	case !o.writable():
		return -linux.EBADF
	case o.kind == kindPipe || o.kind == kindStream:
		return -linux.ESPIPE
	}
	return -linux.ENODEV
}

// fsync has nothing to do for a file and no meaning for the rest.
func (f *Files) fsync(fd int32) int64 {
	o := f.usable(fd)
	switch {
	case o == nil:
		return -linux.EBADF
	case o.kind == kindRegular || o.kind == kindDirectory:
		return 0
	}
	return -linux.EINVAL
}

// advise is fadvise64.
func (f *Files) advise(fd int32, length uint64, advice uint32) int64 {
	o := f.usable(fd)
	switch {
	case o == nil:
		return -linux.EBADF
	case o.kind == kindPipe || o.kind == kindStream:
		return -linux.ESPIPE
	case int64(length) < 0 || advice > 5:
		return -linux.EINVAL
	}
	return 0
}

// flock: the locks of one process's own descriptors are not told apart, since
// nothing that is locked can be written.
func (f *Files) flock(fd int32, operation uint32) int64 {
	const shared, exclusive, nonblocking, unlock = 1, 2, 4, 8
	switch operation &^ nonblocking {
	case shared, exclusive, unlock:
	default:
		return -linux.EINVAL
	}
	if f.usable(fd) == nil {
		return -linux.EBADF
	}
	return 0
}
