package files

import "skerry/abi/linux"

// Call is a Linux call of a thread while it is being served.
type Call struct {
	Number uint64
	Args   [6]uint64
	// Progress is what a blocked write has written; 0 in a new call.
	Progress uint64
	// Stop says why a call that waits is to wait no longer.
	Stop Stop
}

// Stop says how a wait has ended.
type Stop uint8

// The ways in which a wait ends.
const (
	Running     Stop = iota // it has not: execute, or execute again
	Expired                 // its Timeout has
	Interrupted             // by a signal
)

// Result is what became of an execution.
type Result struct {
	// Value is the call's result if Wait is NoKey, or a negated error number.
	Value int64
	// Wait is what has to happen first.
	Wait Key
	// BrokenPipe says that the thread is sent SIGPIPE.
	BrokenPipe bool
	// Timeout bounds a wait in nanoseconds from the first execution; -1 is
	// no bound.
	Timeout int64
	// Address and Length are the memory that KeyRandom and KeyLog name.
	Address, Length uint64
}

func done(value int64) Result   { return Result{Value: value, Timeout: -1} }
func failed(errno int64) Result { return Result{Value: -errno, Timeout: -1} }

// Do executes a call. ok is false if it is none of the file layer's: the
// result then is ENOSYS. Wakes may follow.
func (f *Files) Do(c *Call) (r Result, ok bool) {
	a := &c.Args
	fd, cwd := int32(a[0]), int32(linux.AT_FDCWD)
	switch c.Number {
	case linux.SysRead:
		return f.read(c, fd, single(a[1], a[2]), false, 0), true
	case linux.SysWrite:
		return f.write(c, fd, single(a[1], a[2]), false, 0), true
	case linux.SysPread64:
		return f.read(c, fd, single(a[1], a[2]), true, int64(a[3])), true
	case linux.SysPwrite64:
		return f.write(c, fd, single(a[1], a[2]), true, int64(a[3])), true
	case linux.SysReadv, linux.SysWritev, linux.SysPreadv, linux.SysPwritev, linux.SysPreadv2, linux.SysPwritev2:
		return f.vectors(c), true
	case linux.SysEpollWait, linux.SysEpollPwait, linux.SysEpollPwait2,
		linux.SysPoll, linux.SysPpoll, linux.SysSelect, linux.SysPselect6:
		return f.waits(c), true
	}
	value := int64(0)
	switch c.Number {
	case linux.SysOpen:
		value = f.open(cwd, a[0], uint32(a[1]))
	case linux.SysOpenat:
		value = f.open(fd, a[1], uint32(a[2]))
	case linux.SysCreat:
		value = f.open(cwd, a[0], linux.O_CREAT|linux.O_WRONLY|linux.O_TRUNC)
	case linux.SysClose:
		value = f.close(fd)
	case linux.SysCloseRange:
		value = f.closeRange(a[0], a[1], a[2])
	case linux.SysLseek:
		value = f.lseek(fd, int64(a[1]), uint32(a[2]))
	case linux.SysDup:
		value = f.dup(fd, 0, false)
	case linux.SysDup2:
		value = f.dup2(fd, int32(a[1]))
	case linux.SysDup3:
		value = f.dup3(fd, int32(a[1]), uint32(a[2]))
	case linux.SysFcntl:
		value = f.fcntl(fd, uint32(a[1]), a[2])
	case linux.SysIoctl:
		value = f.ioctl(fd, uint32(a[1]), a[2])
	case linux.SysStat:
		value = f.fstatat(cwd, a[0], a[1], 0)
	case linux.SysLstat:
		value = f.fstatat(cwd, a[0], a[1], linux.AT_SYMLINK_NOFOLLOW)
	case linux.SysFstat:
		value = f.fstat(fd, a[1])
	case linux.SysNewfstatat:
		value = f.fstatat(fd, a[1], a[2], uint32(a[3]))
	case linux.SysAccess:
		value = f.access(cwd, a[0], uint32(a[1]), 0)
	case linux.SysFaccessat:
		value = f.access(fd, a[1], uint32(a[2]), 0)
	case linux.SysFaccessat2:
		value = f.access(fd, a[1], uint32(a[2]), uint32(a[3]))
	case linux.SysStatfs:
		value = f.statfsPath(a[0], a[1])
	case linux.SysFstatfs:
		value = f.fstatfs(fd, a[1])
	case linux.SysReadlink:
		value = f.readlink(cwd, a[0], a[1], int32(a[2]))
	case linux.SysReadlinkat:
		value = f.readlink(fd, a[1], a[2], int32(a[3]))
	case linux.SysGetdents64:
		value = f.getdents(fd, a[1], uint32(a[2]))
	case linux.SysGetcwd:
		value = f.getcwd(a[0], a[1])
	case linux.SysChdir:
		value = f.chdir(a[0])
	case linux.SysFchdir:
		value = f.fchdir(fd)
	case linux.SysUmask:
		value = int64(f.umask)
		f.umask = uint32(a[0]) & 0o777
	case linux.SysPipe:
		value = f.pipe2(a[0], 0)
	case linux.SysPipe2:
		value = f.pipe2(a[0], uint32(a[1]))
	case linux.SysEventfd:
		value = f.eventfd(uint32(a[0]), 0)
	case linux.SysEventfd2:
		value = f.eventfd(uint32(a[0]), uint32(a[1]))
	case linux.SysEpollCreate:
		value = f.epollCreateSize(int32(a[0]))
	case linux.SysEpollCreate1:
		value = f.epollCreate(uint32(a[0]))
	case linux.SysEpollCtl:
		value = f.epollCtl(fd, uint32(a[1]), int32(a[2]), a[3])
	default:
		return f.doReadOnly(c)
	}
	return done(value), true
}

// doReadOnly executes the calls that would change the file system.
func (f *Files) doReadOnly(c *Call) (Result, bool) {
	a := &c.Args
	fd, cwd := int32(a[0]), int32(linux.AT_FDCWD)
	value := int64(0)
	switch c.Number {
	case linux.SysMkdir:
		value = f.makeName(cwd, a[0], true)
	case linux.SysMkdirat:
		value = f.makeName(fd, a[1], true)
	case linux.SysMknod:
		value = f.mknod(cwd, a[0], uint32(a[1]))
	case linux.SysMknodat:
		value = f.mknod(fd, a[1], uint32(a[2]))
	case linux.SysSymlink:
		value = f.symlink(a[0], cwd, a[1])
	case linux.SysSymlinkat:
		value = f.symlink(a[0], int32(a[1]), a[2])
	case linux.SysLink:
		value = f.hardlink(cwd, a[0], cwd, a[1], 0)
	case linux.SysLinkat:
		value = f.hardlink(fd, a[1], int32(a[2]), a[3], uint32(a[4]))
	case linux.SysUnlink:
		value = f.unlink(cwd, a[0], 0)
	case linux.SysRmdir:
		value = f.unlink(cwd, a[0], linux.AT_REMOVEDIR)
	case linux.SysUnlinkat:
		value = f.unlink(fd, a[1], uint32(a[2]))
	case linux.SysRename:
		value = f.rename(cwd, a[0], cwd, a[1], 0)
	case linux.SysRenameat:
		value = f.rename(fd, a[1], int32(a[2]), a[3], 0)
	case linux.SysRenameat2:
		value = f.rename(fd, a[1], int32(a[2]), a[3], uint32(a[4]))
	case linux.SysChmod, linux.SysChown:
		value = f.change(cwd, a[0], 0)
	case linux.SysLchown:
		value = f.change(cwd, a[0], linux.AT_SYMLINK_NOFOLLOW)
	case linux.SysFchmodat:
		value = f.change(fd, a[1], 0)
	case linux.SysFchmodat2:
		value = f.change(fd, a[1], uint32(a[3]))
	case linux.SysFchownat:
		value = f.change(fd, a[1], uint32(a[4]))
	case linux.SysFchmod, linux.SysFchown:
		value = f.changeFile(fd)
	case linux.SysUtimensat:
		value = f.utimens(fd, a[1], a[2], uint32(a[3]))
	case linux.SysUtime, linux.SysUtimes:
		value = f.change(cwd, a[0], 0)
	case linux.SysFutimesat:
		value = f.change(fd, a[1], 0)
	case linux.SysTruncate:
		value = f.truncate(a[0], a[1])
	case linux.SysFtruncate:
		value = f.ftruncate(fd, a[1])
	case linux.SysFallocate:
		value = f.fallocate(fd, a[2], a[3])
	case linux.SysFsync, linux.SysFdatasync:
		value = f.fsync(fd)
	case linux.SysFadvise64:
		value = f.advise(fd, a[2], uint32(a[3]))
	case linux.SysFlock:
		value = f.flock(fd, uint32(a[1]))
	case linux.SysSync:
	case linux.SysSyncfs:
		if f.usable(fd) == nil {
			value = -linux.EBADF
		}
	case linux.SysSplice, linux.SysTee, linux.SysVmsplice:
		value = -linux.EINVAL
	default:
		return failed(linux.ENOSYS), false
	}
	return done(value), true
}

// vectors executes the calls that take an array of struct iovec.
func (f *Files) vectors(c *Call) Result {
	a := &c.Args
	fd, offset := int32(a[0]), int64(a[3])
	o := f.usable(fd)
	if o == nil {
		return failed(linux.EBADF)
	}
	s, err := gather(a[1], a[2])
	if err != 0 {
		return done(err)
	}
	reads := c.Number == linux.SysReadv || c.Number == linux.SysPreadv || c.Number == linux.SysPreadv2
	if s.length == 0 && o.kind != kindEpoll && (reads && o.readable() || !reads && o.writable()) {
		return done(0) // nothing is asked of the file
	}
	switch c.Number {
	case linux.SysReadv:
		return f.read(c, fd, s, false, 0)
	case linux.SysWritev:
		if o.kind == kindEvent {
			return f.writeEach(c, fd, s)
		}
		return f.write(c, fd, s, false, 0)
	case linux.SysPreadv:
		return f.read(c, fd, s, true, offset)
	case linux.SysPwritev:
		return f.write(c, fd, s, true, offset)
	}
	if a[5] != 0 {
		return failed(linux.EOPNOTSUPP)
	}
	if c.Number == linux.SysPreadv2 {
		return f.read(c, fd, s, offset != -1, offset)
	}
	return f.write(c, fd, s, offset != -1, offset)
}

// writeEach is writev of what Linux writes one iovec at a time.
func (f *Files) writeEach(c *Call, fd int32, s span) Result {
	s.skip(c.Progress)
	for s.length > 0 {
		v := iovec(s.vector, 0)
		one := Call{Stop: c.Stop}
		r := f.write(&one, fd, single(v.Base, v.Len), false, 0)
		if r.Wait != NoKey || r.Value < 0 && c.Progress == 0 {
			return r
		}
		if r.Value < 0 {
			break
		}
		c.Progress += uint64(r.Value)
		s.skip(uint64(r.Value))
		for s.length > 0 && iovec(s.vector, 0).Len == 0 {
			s.vector += 16
			s.count--
		}
	}
	return done(int64(c.Progress))
}

// waits executes the calls that wait for events. Signal masks are the libos's.
func (f *Files) waits(c *Call) Result {
	a := &c.Args
	const millisecond, microsecond = 1_000_000, 1000
	timeout := int64(-1)
	ok := true
	switch c.Number {
	case linux.SysEpollWait, linux.SysEpollPwait:
		if ms := int32(a[3]); ms >= 0 {
			timeout = int64(ms) * millisecond
		}
	case linux.SysPoll:
		if ms := int32(a[2]); ms >= 0 {
			timeout = int64(ms) * millisecond
		}
	case linux.SysPpoll:
		timeout, ok = duration(a[2], 1)
	case linux.SysEpollPwait2:
		timeout, ok = duration(a[3], 1)
	case linux.SysSelect:
		timeout, ok = duration(a[4], microsecond)
	case linux.SysPselect6:
		timeout, ok = duration(a[4], 1)
	}
	if !ok {
		return failed(linux.EINVAL)
	}
	switch c.Number {
	case linux.SysPoll, linux.SysPpoll:
		return f.pollFDs(c, a[0], a[1], timeout)
	case linux.SysSelect, linux.SysPselect6:
		return f.selectFDs(c, int32(a[0]), [3]uint64{a[1], a[2], a[3]}, timeout)
	}
	return f.epollWait(c, int32(a[0]), a[1], int32(a[2]), timeout)
}

// duration reads a struct timespec or timeval, whose second word counts units
// of so many nanoseconds. One at 0 means no bound: -1.
func duration(address uint64, unit int64) (ns int64, ok bool) {
	const second, most = 1_000_000_000, 1 << 33 // seconds that fit well
	if address == 0 {
		return -1, true
	}
	t := *(*[2]int64)(pointer(uintptr(address)))
	if t[0] < 0 || t[1] < 0 || unit == 1 && t[1] >= second {
		return 0, false
	}
	return min(t[0], most)*second + min(t[1], second*1000)*unit, true
}

func (f *Files) epollCreateSize(size int32) int64 {
	if size <= 0 {
		return -linux.EINVAL
	}
	return f.epollCreate(0)
}
