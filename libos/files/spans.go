package files

import "skerry/abi/linux"

// Span is memory of the program that a call reads or writes.
type Span struct {
	Address, Length uint64
	Kind            SpanKind
}

// SpanKind says how a Span is used.
type SpanKind uint8

// The kinds of spans.
const (
	// SpanRead is read: Length bytes.
	SpanRead SpanKind = iota
	// SpanWrite is written: Length bytes.
	SpanWrite
	// SpanString is read up to the first NUL, but no more than Length bytes.
	SpanString
	// SpanReadVector is Length bytes of struct iovec, which are read, and
	// the memory that they name, which is read.
	SpanReadVector
	// SpanWriteVector is the same, but the memory that they name is written.
	SpanWriteVector
)

// SpansMax is the most spans that one call has.
const SpansMax = 4

// Spans fills spans with the memory that a call will touch and returns their
// number. Those whose address may be 0 on Linux are left out if it is.
func Spans(c *Call, spans *[SpansMax]Span) int {
	s := spanList{spans: spans}
	a := &c.Args
	switch c.Number {
	case linux.SysRead, linux.SysPread64:
		s.add(a[1], min(a[2], lengthMax), SpanWrite)
	case linux.SysWrite, linux.SysPwrite64:
		s.add(a[1], min(a[2], lengthMax), SpanRead)
	case linux.SysReadv, linux.SysPreadv, linux.SysPreadv2:
		if a[2] <= linux.IOV_MAX {
			s.add(a[1], a[2]*16, SpanWriteVector)
		}
	case linux.SysWritev, linux.SysPwritev, linux.SysPwritev2:
		if a[2] <= linux.IOV_MAX {
			s.add(a[1], a[2]*16, SpanReadVector)
		}
	case linux.SysOpen, linux.SysCreat, linux.SysChdir, linux.SysAccess, linux.SysMkdir, linux.SysRmdir,
		linux.SysUnlink, linux.SysMknod, linux.SysChmod, linux.SysChown, linux.SysLchown, linux.SysTruncate,
		linux.SysUtime, linux.SysUtimes:
		s.path(a[0])
	case linux.SysOpenat, linux.SysFaccessat, linux.SysFaccessat2, linux.SysMkdirat, linux.SysMknodat,
		linux.SysUnlinkat, linux.SysFchmodat, linux.SysFchmodat2, linux.SysFchownat, linux.SysFutimesat:
		s.path(a[1])
	case linux.SysRename, linux.SysSymlink, linux.SysLink:
		s.path(a[0])
		s.path(a[1])
	case linux.SysSymlinkat:
		s.path(a[0])
		s.path(a[2])
	case linux.SysRenameat, linux.SysRenameat2, linux.SysLinkat:
		s.path(a[1])
		s.path(a[3])
	case linux.SysUtimensat:
		if a[1] != 0 {
			s.path(a[1])
		}
		s.optional(a[2], 32, SpanRead)
	case linux.SysStat, linux.SysLstat:
		s.path(a[0])
		s.add(a[1], statSize, SpanWrite)
	case linux.SysFstat:
		s.add(a[1], statSize, SpanWrite)
	case linux.SysNewfstatat:
		s.path(a[1])
		s.add(a[2], statSize, SpanWrite)
	case linux.SysStatfs:
		s.path(a[0])
		s.add(a[1], statfsSize, SpanWrite)
	case linux.SysFstatfs:
		s.add(a[1], statfsSize, SpanWrite)
	case linux.SysReadlink:
		s.path(a[0])
		s.sized(a[1], a[2])
	case linux.SysReadlinkat:
		s.path(a[1])
		s.sized(a[2], a[3])
	case linux.SysGetdents64:
		s.add(a[1], uint64(uint32(a[2])), SpanWrite)
	case linux.SysGetcwd:
		s.add(a[0], min(a[1], linux.PATH_MAX), SpanWrite)
	case linux.SysPipe, linux.SysPipe2:
		s.add(a[0], 8, SpanWrite)
	case linux.SysFcntl:
		switch uint32(a[1]) {
		case linux.F_GETLK, lockOFDGet:
			s.add(a[2], lockSize, SpanWrite)
		case linux.F_SETLK, linux.F_SETLKW, lockOFDSet, lockOFDWait:
			s.add(a[2], lockSize, SpanRead)
		}
	case linux.SysIoctl:
		switch uint32(a[1]) {
		case linux.FIONBIO:
			s.add(a[2], 4, SpanRead)
		case linux.FIONREAD:
			s.add(a[2], 4, SpanWrite)
		}
	case linux.SysEpollCtl:
		if uint32(a[1]) != linux.EPOLL_CTL_DEL {
			s.add(a[3], 12, SpanRead)
		}
	case linux.SysEpollWait, linux.SysEpollPwait, linux.SysEpollPwait2:
		// No more than there are registrations is ever written.
		if most := int32(a[2]); most > 0 {
			s.add(a[1], uint64(min(most, maxItems))*12, SpanWrite)
		}
		if c.Number == linux.SysEpollPwait2 {
			s.optional(a[3], 16, SpanRead)
		}
	case linux.SysPoll, linux.SysPpoll:
		s.add(a[0], min(a[1], MaxDescriptors)*8, SpanWrite)
		if c.Number == linux.SysPpoll {
			s.optional(a[2], 16, SpanRead)
		}
	case linux.SysSelect, linux.SysPselect6:
		bytes := uint64(min(max(int32(a[0]), 0), MaxDescriptors)+63) / 64 * 8
		for _, set := range [3]uint64{a[1], a[2], a[3]} {
			s.optional(set, bytes, SpanWrite)
		}
		s.optional(a[4], 16, SpanRead)
	}
	return s.count
}

// Sizes of the structures that are written.
const (
	statSize   = 144
	statfsSize = 120
)

// spanList collects spans.
type spanList struct {
	spans *[SpansMax]Span
	count int
}

func (s *spanList) add(address, length uint64, kind SpanKind) {
	if length > 0 && s.count < SpansMax {
		s.spans[s.count] = Span{address, length, kind}
		s.count++
	}
}

func (s *spanList) path(address uint64) { s.add(address, linux.PATH_MAX, SpanString) }

func (s *spanList) optional(address, length uint64, kind SpanKind) {
	if address != 0 {
		s.add(address, length, kind)
	}
}

// sized is for readlink, whose size is an int.
func (s *spanList) sized(address, size uint64) {
	if n := int32(size); n > 0 {
		s.add(address, uint64(min(n, linux.PATH_MAX)), SpanWrite)
	}
}

// Fault is the result of a call whose spans are not all accessible: a bad
// descriptor goes before a bad address.
func (f *Files) Fault(c *Call) int64 {
	switch c.Number {
	case linux.SysRead, linux.SysPread64, linux.SysWrite, linux.SysPwrite64,
		linux.SysReadv, linux.SysPreadv, linux.SysPreadv2,
		linux.SysWritev, linux.SysPwritev, linux.SysPwritev2,
		linux.SysFstat, linux.SysFstatfs, linux.SysGetdents64, linux.SysFcntl, linux.SysIoctl:
		if f.file(int32(c.Args[0])) == nil {
			return -linux.EBADF
		}
	}
	return -linux.EFAULT
}
