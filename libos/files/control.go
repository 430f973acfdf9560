package files

import "skerry/abi/linux"

// Flags that fcntl(F_SETFL) may change.
const settable = linux.O_APPEND | linux.O_NONBLOCK | linux.O_NOATIME | linux.O_ASYNC

func (f *Files) fcntl(fd int32, command uint32, argument uint64) int64 {
	o := f.file(fd)
	if o == nil {
		return -linux.EBADF
	}
	if o.kind == kindPath {
		switch command {
		case linux.F_DUPFD, linux.F_DUPFD_CLOEXEC, linux.F_GETFD, linux.F_SETFD, linux.F_GETFL:
		default:
			return -linux.EBADF
		}
	}
	switch command {
	case linux.F_DUPFD, linux.F_DUPFD_CLOEXEC:
		if argument >= uint64(f.limit) {
			return -linux.EINVAL
		}
		return f.dup(fd, uint32(argument), command == linux.F_DUPFD_CLOEXEC)
	case linux.F_GETFD:
		if f.descriptors[fd].cloexec {
			return linux.FD_CLOEXEC
		}
		return 0
	case linux.F_SETFD:
		f.descriptors[fd].cloexec = argument&linux.FD_CLOEXEC != 0
		return 0
	case linux.F_GETFL:
		return int64(o.flags)
	case linux.F_SETFL:
		if argument&linux.O_DIRECT != 0 {
			return -linux.EINVAL
		}
		o.flags = o.flags&^settable | uint32(argument)&settable
		return 0
	case linux.F_GETLK, lockOFDGet:
		return f.getLock(argument)
	case linux.F_SETLK, linux.F_SETLKW, lockOFDSet, lockOFDWait:
		return f.setLock(o, argument)
	case linux.F_SETOWN, linux.F_GETOWN:
		return 0
	case linux.F_GETPIPE_SZ:
		if o.kind != kindPipe {
			return -linux.EBADF
		}
		return pipeSize
	case linux.F_SETPIPE_SZ:
		if o.kind != kindPipe {
			return -linux.EBADF
		}
		if argument > pipeSize {
			return -linux.EPERM
		}
		return pipeSize // buffers have one size; Linux rounds up too
	}
	return -linux.EINVAL
}

// Commands of fcntl for locks that belong to open files.
const (
	lockOFDGet  = 36
	lockOFDSet  = 37
	lockOFDWait = 38
)

// lock is what the lock commands of fcntl exchange.
type lock struct {
	kind   int16
	whence int16
	_      uint32
	start  int64
	length int64
	pid    int32
	_      uint32
}

// Kinds of locks.
const (
	lockRead   = 0
	lockWrite  = 1
	lockUnlock = 2
)

const lockSize = 32

// getLock finds no lock in the way: all locks are this process's own.
func (f *Files) getLock(address uint64) int64 {
	l := (*lock)(pointer(uintptr(address)))
	if l.kind != lockRead && l.kind != lockWrite {
		return -linux.EINVAL
	}
	l.kind = lockUnlock
	return 0
}

// setLock checks what Linux checks; locks of one process never conflict.
func (f *Files) setLock(o *file, address uint64) int64 {
	l := (*lock)(pointer(uintptr(address)))
	switch {
	case l.kind < lockRead || l.kind > lockUnlock || l.whence < 0 || l.whence > 2:
		return -linux.EINVAL
	case l.kind == lockRead && !o.readable(), l.kind == lockWrite && !o.writable():
		return -linux.EBADF
	}
	return 0
}

// Requests of ioctl that all files answer.
const (
	ioctlNoCloexec = 0x5450
	ioctlCloexec   = 0x5451
)

// ioctl knows no terminals: what is none says ENOTTY.
func (f *Files) ioctl(fd int32, request uint32, argument uint64) int64 {
	o := f.usable(fd)
	if o == nil {
		return -linux.EBADF
	}
	switch request {
	case ioctlCloexec, ioctlNoCloexec:
		f.descriptors[fd].cloexec = request == ioctlCloexec
		return 0
	case linux.FIONBIO:
		o.flags &^= linux.O_NONBLOCK
		if *(*int32)(pointer(uintptr(argument))) != 0 {
			o.flags |= linux.O_NONBLOCK
		}
		return 0
	case linux.FIONREAD:
		n := int64(0)
		switch {
		case o.kind == kindPipe:
			n = int64(f.pipes[o.index].length())
		case o.kind == kindStream && o.index == streamIn:
			n = int64(f.stdinLength)
		case o.kind == kindRegular:
			_, size := f.archive.Data(archiveNode(o.node))
			n = int64(size) - o.offset
		default:
			return -linux.ENOTTY
		}
		*(*int32)(pointer(uintptr(argument))) = int32(n)
		return 0
	}
	if o.kind == kindRandom || o.kind == kindURandom {
		return -linux.EINVAL
	}
	return -linux.ENOTTY
}
