package files

import "skerry/abi/linux"

// descriptor is an entry of the descriptor table.
type descriptor struct {
	file    uint16 // number+1 of the open file, 0 if the descriptor is free
	cloexec bool
}

// file is an open file description: what descriptors share after dup.
type file struct {
	kind   kind
	refs   uint16 // descriptors that hold it
	next   uint16 // number+1 of the next file on its source, or of the next free one
	flags  uint32 // access mode and status flags
	items  uint32 // first registration in an epoll
	node   node
	index  uint32 // which pipe, event, epoll, stream or text
	offset int64  // position; for the doorbell, the count last returned
}

// kind says what reads and writes of a file do.
type kind uint8

const (
	kindNone kind = iota
	kindRegular
	kindDirectory
	kindPath // opened with O_PATH
	kindNull
	kindZero
	kindFull
	kindRandom  // /dev/random, which can be polled
	kindURandom // /dev/urandom, which cannot
	kindText
	kindDoorbell
	kindPipe
	kindEvent
	kindEpoll
	kindStream
)

func (o *file) readable() bool {
	access := o.flags & linux.O_ACCMODE
	return o.kind != kindPath && (access == linux.O_RDONLY || access == linux.O_RDWR)
}

func (o *file) writable() bool {
	access := o.flags & linux.O_ACCMODE
	return o.kind != kindPath && (access == linux.O_WRONLY || access == linux.O_RDWR)
}

func (o *file) nonblocking() bool { return o.flags&linux.O_NONBLOCK != 0 }

// source returns what the file is polled for, nil if it has no events.
func (f *Files) source(o *file) *source {
	switch o.kind {
	case kindPipe:
		return &f.pipes[o.index].source
	case kindEvent:
		return &f.events[o.index].source
	case kindStream:
		return &f.streams[o.index]
	case kindDoorbell:
		return &f.doorbell
	}
	return nil
}

// newFile takes a free file; there is always one while a descriptor is free.
func (f *Files) newFile(k kind, n node, index uint32) (number uint32, ok bool) {
	switch {
	case f.freeFile != 0:
		number = f.freeFile - 1
		f.freeFile = uint32(f.files[number].next)
	case f.usedFiles < maxFiles:
		number = f.usedFiles
		f.usedFiles++
	default:
		return 0, false
	}
	f.files[number] = file{kind: k, node: n, index: index}
	return number, true
}

// link puts a file on its source.
func (f *Files) link(number uint32) {
	o := &f.files[number]
	if s := f.source(o); s != nil {
		o.next = s.first
		s.first = uint16(number + 1)
	}
}

// release ends a file that no descriptor holds any more.
func (f *Files) release(number uint32) {
	o := &f.files[number]
	for o.items != 0 {
		f.removeItem(o.items)
	}
	if s := f.source(o); s != nil {
		at := &s.first
		for *at != 0 {
			if *at == uint16(number+1) {
				*at = o.next
				break
			}
			at = &f.files[*at-1].next
		}
	}
	switch o.kind {
	case kindPipe:
		f.closePipe(o)
	case kindEvent:
		f.events[o.index] = event{}
	case kindEpoll:
		f.closeEpoll(o.index)
	}
	o.kind = kindNone
	o.next = uint16(f.freeFile)
	f.freeFile = number + 1
}

// number is an open file's number.
func (f *Files) number(fd int32) (uint32, bool) {
	if fd < 0 || fd >= MaxDescriptors || f.descriptors[fd].file == 0 {
		return 0, false
	}
	return uint32(f.descriptors[fd].file - 1), true
}

// file returns the open file of a descriptor; one opened with O_PATH too.
func (f *Files) file(fd int32) *file {
	n, ok := f.number(fd)
	if !ok {
		return nil
	}
	return &f.files[n]
}

// usable returns the open file of a descriptor that is not O_PATH.
func (f *Files) usable(fd int32) *file {
	o := f.file(fd)
	if o == nil || o.kind == kindPath {
		return nil
	}
	return o
}

// free returns the lowest free descriptor that is at least from, or -EMFILE.
func (f *Files) free(from uint32) int64 {
	for fd := max(from, f.lowest); fd < f.limit; fd++ {
		if f.descriptors[fd].file == 0 {
			if from <= f.lowest {
				f.lowest = fd
			}
			return int64(fd)
		}
	}
	return -linux.EMFILE
}

// install makes fd, which is free, hold a file.
func (f *Files) install(fd, number uint32, cloexec bool) {
	f.descriptors[fd] = descriptor{file: uint16(number + 1), cloexec: cloexec}
	f.files[number].refs++
}

// add makes a new file and installs it at the lowest descriptor.
func (f *Files) add(k kind, n node, index, flags uint32) int64 {
	fd := f.free(0)
	if fd < 0 {
		return fd
	}
	number, ok := f.newFile(k, n, index)
	if !ok {
		return -linux.ENFILE
	}
	f.files[number].flags = flags &^ linux.O_CLOEXEC
	f.link(number)
	f.install(uint32(fd), number, flags&linux.O_CLOEXEC != 0)
	return fd
}

func (f *Files) close(fd int32) int64 {
	number, ok := f.number(fd)
	if !ok {
		return -linux.EBADF
	}
	f.descriptors[fd] = descriptor{}
	f.lowest = min(f.lowest, uint32(fd))
	o := &f.files[number]
	if o.refs--; o.refs == 0 {
		f.release(number)
	}
	return 0
}

func (f *Files) closeRange(first, last, flags uint64) int64 {
	const unshare, cloexec = 2, 4
	first, last = uint64(uint32(first)), uint64(uint32(last))
	if flags&^(unshare|cloexec) != 0 || first > last {
		return -linux.EINVAL
	}
	for fd := first; fd <= last && fd < MaxDescriptors; fd++ {
		switch {
		case f.descriptors[fd].file == 0:
		case flags&cloexec != 0:
			f.descriptors[fd].cloexec = true
		default:
			f.close(int32(fd))
		}
	}
	return 0
}

// dup duplicates fd to the lowest free descriptor that is at least from.
func (f *Files) dup(fd int32, from uint32, cloexec bool) int64 {
	number, ok := f.number(fd)
	if !ok {
		return -linux.EBADF
	}
	to := f.free(from)
	if to >= 0 {
		f.install(uint32(to), number, cloexec)
	}
	return to
}

func (f *Files) dup2(fd, to int32) int64 {
	if fd == to {
		if f.file(fd) == nil {
			return -linux.EBADF
		}
		return int64(to)
	}
	return f.dup3(fd, to, 0)
}

func (f *Files) dup3(fd, to int32, flags uint32) int64 {
	if flags&^linux.O_CLOEXEC != 0 || fd == to {
		return -linux.EINVAL
	}
	if to < 0 || uint32(to) >= f.limit {
		return -linux.EBADF
	}
	number, ok := f.number(fd)
	if !ok {
		return -linux.EBADF
	}
	// The file is held by fd, so closing the other cannot release it.
	f.close(to)
	f.install(uint32(to), number, flags&linux.O_CLOEXEC != 0)
	return int64(to)
}
