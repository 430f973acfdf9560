package linux

// Flags of open and fcntl(F_SETFL).
const (
	O_RDONLY    = 0
	O_WRONLY    = 1
	O_RDWR      = 2
	O_ACCMODE   = 3
	O_CREAT     = 0x40
	O_EXCL      = 0x80
	O_NOCTTY    = 0x100
	O_TRUNC     = 0x200
	O_APPEND    = 0x400
	O_NONBLOCK  = 0x800
	O_DSYNC     = 0x1000
	O_ASYNC     = 0x2000
	O_DIRECT    = 0x4000
	O_LARGEFILE = 0x8000
	O_DIRECTORY = 0x10000
	O_NOFOLLOW  = 0x20000
	O_NOATIME   = 0x40000
	O_CLOEXEC   = 0x80000
	O_SYNC      = 0x101000
	O_PATH      = 0x200000
	O_TMPFILE   = 0x410000
)

// Flags of the calls that take a directory descriptor and a path.
const (
	AT_FDCWD            = -100
	AT_SYMLINK_NOFOLLOW = 0x100
	AT_EACCESS          = 0x200
	AT_REMOVEDIR        = 0x200
	AT_SYMLINK_FOLLOW   = 0x400
	AT_NO_AUTOMOUNT     = 0x800
	AT_EMPTY_PATH       = 0x1000
)

// Commands of fcntl.
const (
	F_DUPFD         = 0
	F_GETFD         = 1
	F_SETFD         = 2
	F_GETFL         = 3
	F_SETFL         = 4
	F_GETLK         = 5
	F_SETLK         = 6
	F_SETLKW        = 7
	F_SETOWN        = 8
	F_GETOWN        = 9
	F_DUPFD_CLOEXEC = 1030
	F_SETPIPE_SZ    = 1031
	F_GETPIPE_SZ    = 1032
	F_ADD_SEALS     = 1033
	F_GET_SEALS     = 1034

	FD_CLOEXEC = 1
)

// Whence of lseek.
const (
	SEEK_SET  = 0
	SEEK_CUR  = 1
	SEEK_END  = 2
	SEEK_DATA = 3
	SEEK_HOLE = 4
)

// File types and permission bits of Stat.Mode.
const (
	S_IFMT   = 0xf000
	S_IFIFO  = 0x1000
	S_IFCHR  = 0x2000
	S_IFDIR  = 0x4000
	S_IFBLK  = 0x6000
	S_IFREG  = 0x8000
	S_IFLNK  = 0xa000
	S_IFSOCK = 0xc000
	S_ISUID  = 0x800
	S_ISGID  = 0x400
	S_ISVTX  = 0x200
)

// Access modes of access and faccessat.
const (
	F_OK = 0
	X_OK = 1
	W_OK = 2
	R_OK = 4
)

// Types of directory entries.
const (
	DT_UNKNOWN = 0
	DT_FIFO    = 1
	DT_CHR     = 2
	DT_DIR     = 4
	DT_BLK     = 6
	DT_REG     = 8
	DT_LNK     = 10
	DT_SOCK    = 12
)

// PATH_MAX bounds a path with its NUL, NAME_MAX one name in it without.
const (
	PATH_MAX = 4096
	NAME_MAX = 255
)

// Timespec is a time or a duration.
type Timespec struct {
	Sec  int64
	Nsec int64
}

// Timeval is a time or a duration of coarser grain.
type Timeval struct {
	Sec  int64
	Usec int64
}

// Stat is what the stat calls fill.
type Stat struct {
	Dev     uint64
	Ino     uint64
	Nlink   uint64
	Mode    uint32
	UID     uint32
	GID     uint32
	_       uint32
	Rdev    uint64
	Size    int64
	Blksize int64
	Blocks  int64 // of 512 bytes
	Atime   Timespec
	Mtime   Timespec
	Ctime   Timespec
	_       [3]int64
}

// Statfs is what the statfs calls fill.
type Statfs struct {
	Type    int64
	Bsize   int64
	Blocks  uint64
	Bfree   uint64
	Bavail  uint64
	Files   uint64
	Ffree   uint64
	Fsid    [2]int32
	Namelen int64
	Frsize  int64
	Flags   int64
	_       [4]int64
}

// DirentHeader precedes the NUL-terminated name in an entry of getdents64;
// Reclen covers both and padding to 8 bytes. The name starts DirentName bytes
// from the start of the header.
type DirentHeader struct {
	Ino    uint64
	Off    int64
	Reclen uint16
	Type   uint8
}

// DirentName is the offset of the name in a directory entry.
const DirentName = 19

// Iovec is an element of readv and writev.
type Iovec struct {
	Base uint64
	Len  uint64
}

// IOV_MAX bounds the number of Iovecs in a call.
const IOV_MAX = 1024

// Commands of epoll_ctl and flags of epoll_create1.
const (
	EPOLL_CTL_ADD = 1
	EPOLL_CTL_DEL = 2
	EPOLL_CTL_MOD = 3
	EPOLL_CLOEXEC = O_CLOEXEC
)

// Events of epoll and poll.
const (
	EPOLLIN        = 0x1
	EPOLLPRI       = 0x2
	EPOLLOUT       = 0x4
	EPOLLERR       = 0x8
	EPOLLHUP       = 0x10
	EPOLLNVAL      = 0x20
	EPOLLRDNORM    = 0x40
	EPOLLWRNORM    = 0x100
	EPOLLRDHUP     = 0x2000
	EPOLLEXCLUSIVE = 1 << 28
	EPOLLWAKEUP    = 1 << 29
	EPOLLONESHOT   = 1 << 30
	EPOLLET        = 1 << 31
)

// EpollEvent is packed to 12 bytes: the data word follows Events at once, so
// it is kept as two halves.
type EpollEvent struct {
	Events uint32
	Data   [2]uint32
}

// PollFD is an element of poll and ppoll.
type PollFD struct {
	FD      int32
	Events  int16
	Revents int16
}

// Flags of eventfd2.
const (
	EFD_SEMAPHORE = 1
	EFD_CLOEXEC   = O_CLOEXEC
	EFD_NONBLOCK  = O_NONBLOCK
)

// Requests of ioctl that are told apart.
const (
	TCGETS     = 0x5401
	TIOCGWINSZ = 0x5413
	FIONREAD   = 0x541b
	FIONBIO    = 0x5421
)
