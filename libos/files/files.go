package files

import (
	"unsafe"

	"skerry/abi/archive"
	"skerry/abi/linux"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
)

// How much of everything there is.
const (
	MaxDescriptors = 1024 // RLIMIT_NOFILE
	maxFiles       = MaxDescriptors
	maxPipes       = 512
	maxEvents      = 256
	maxEpolls      = 64
	maxItems       = 4096                            // registrations in epolls
	stdinSize      = stdio.Window + urpc.PayloadSize // so that one more message always fits
	mapsSize       = 1 << 16
)

// Files is all state of the file layer of one program. Its zero value must be
// set up by Init. It is large and must not be copied.
type Files struct {
	archive archive.Archive
	channel urpc.Channel
	cwd     node
	exe     node
	umask   uint32
	limit   uint32 // descriptors are below it

	notified uint64 // the dispatcher's count of notifications
	doorbell source

	lowest      uint32 // no free descriptor is below it
	descriptors [MaxDescriptors]descriptor

	freeFile  uint32 // number+1 of the first released file
	usedFiles uint32 // files ever used
	files     [maxFiles]file

	pipes  [maxPipes]pipe
	events [maxEvents]event
	epolls [maxEpolls]epoll

	freeItem  uint32 // number of the first released item, 0 if none
	usedItems uint32
	items     [maxItems + 1]item // number 0 is none

	streams      [3]source // standard input, output, error
	outputNeed   int       // free slots that one who waits to write needs; 0: nobody waits
	stdinEnded   bool
	stdinStart   uint32
	stdinLength  uint32
	stdinRead    uint32 // bytes that the program has read since its start
	stdinTold    uint32 // of these, known to the spawner
	stdinWanted  bool   // Wanted was sent, and nothing has come since
	stdinTell    uint8  // kind of the message that is to tell; 0: none
	texts        [numTexts]text
	wakes        [NumKeys]uint16
	wakeCount    uint32
	waiting      [NumKeys]bool // returned as Wait since last woken
	queued       [NumKeys]bool // in wakes
	mapsLength   uint32
	mapsSnapshot bool

	maps  [mapsSize]byte
	stdin [stdinSize]byte
	data  [maxPipes][pipeSlots][pageSize]byte
}

// Size is the size of a Files in bytes, a multiple of the page size.
const Size = (unsafe.Sizeof(Files{}) + pageSize - 1) &^ (pageSize - 1)

const pageSize = archive.PageSize

// At returns the Files in the Size bytes of zeroed memory at the address, a
// multiple of the page size. Keep the address, not the pointer.
func At(base uintptr) *Files { return (*Files)(pointer(base)) }

// Init sets up f, whose memory is zeroed: the boot archive of size bytes at
// base becomes the root, descriptors 0, 1 and 2 are opened, and the current
// directory is the root. The stdio channel is attached separately.
func (f *Files) Init(base uintptr, size uint64) archive.Error {
	a, err := archive.Open(base, size)
	if err != archive.OK {
		return err
	}
	f.archive = a
	f.cwd, f.exe = root, root
	f.umask = 0o022
	f.limit = MaxDescriptors
	for i := range uint32(len(f.streams)) {
		n, _ := f.newFile(kindStream, streamBase+node(i), i)
		file := &f.files[n]
		file.flags = linux.O_RDONLY
		if i != streamIn {
			file.flags = linux.O_WRONLY
		}
		f.link(n)
		f.install(i, n, false)
	}
	return archive.OK
}

// Attached says whether there is a stdio channel.
func (f *Files) Attached() bool { return f.channel.Attached() }

// AttachStdio takes the program's side of the stdio channel.
func (f *Files) AttachStdio() { stdio.AttachProgram(&f.channel) }

// Archive returns the reader of the boot archive.
func (f *Files) Archive() *archive.Archive { return &f.archive }

// SetCwd makes the directory that path names the current one. It returns 0 or
// a negated error number.
func (f *Files) SetCwd(path string) int64 {
	at, err := f.walk(linux.AT_FDCWD, path, follow)
	if err == 0 && !f.isDir(at.node) {
		err = -linux.ENOTDIR
	}
	if err == 0 {
		f.cwd = at.node
	}
	return err
}

// SetProgram makes the file that path names what /proc/self/exe points to, and
// returns its node in the archive. It returns 0 or a negated error number.
func (f *Files) SetProgram(path string) (archive.Node, int64) {
	at, err := f.walk(linux.AT_FDCWD, path, follow)
	if err != 0 {
		return archive.None, err
	}
	if at.node >= synthBase {
		return archive.None, -linux.EACCES
	}
	f.exe = at.node
	return archive.Node(at.node), 0
}

// Limit returns how many descriptors may be open (the soft RLIMIT_NOFILE).
func (f *Files) Limit() int { return int(f.limit) }

// SetLimit changes the limit; n is at most MaxDescriptors. What is open stays so.
func (f *Files) SetLimit(n int) { f.limit = uint32(min(max(n, 0), MaxDescriptors)) }

// pointer turns an address that the compiler knows nothing of into a pointer.
func pointer(address uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), address) }

// bytesAt returns the n bytes of memory at address.
func bytesAt(address, n uint64) []byte {
	return unsafe.Slice((*byte)(pointer(uintptr(address))), int(n))
}
