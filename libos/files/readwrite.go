package files

import "skerry/abi/linux"

// read reads from a file at its position, or at offset if at is set.
func (f *Files) read(c *Call, fd int32, s span, at bool, offset int64) Result {
	if at && offset < 0 {
		return failed(linux.EINVAL)
	}
	o := f.usable(fd)
	if o == nil {
		return failed(linux.EBADF)
	}
	if at && (!o.seekable() || o.kind == kindEvent) {
		return failed(linux.ESPIPE)
	}
	if !o.readable() {
		return failed(linux.EBADF)
	}
	position := &o.offset
	if at {
		position = &offset
	}
	switch o.kind {
	case kindDirectory:
		return failed(linux.EISDIR)
	case kindRegular:
		address, size := f.archive.Address(archiveNode(o.node))
		return done(readMemory(&s, uint64(address), size, position))
	case kindText:
		return f.readText(o, &s, position)
	case kindNull:
		return done(0)
	case kindZero, kindFull:
		return done(int64(zero(&s)))
	case kindRandom, kindURandom:
		return f.readRandom(&s)
	case kindDoorbell:
		return f.readDoorbell(c, o, &s)
	case kindPipe:
		return f.readPipe(c, o, &s)
	case kindEvent:
		return f.readEvent(c, o, &s)
	case kindStream:
		return f.readStream(c, o, &s)
	}
	return failed(linux.EINVAL)
}

// readMemory reads from size bytes at address, and moves the position.
func readMemory(s *span, address, size uint64, position *int64) int64 {
	if *position < 0 || uint64(*position) >= size {
		return 0
	}
	n := s.put(bytesAt(address+uint64(*position), size-uint64(*position)))
	*position += int64(n)
	return int64(n)
}

// zero clears the span and returns its length.
func zero(s *span) uint64 {
	total := s.length
	for b := s.next(lengthMax); b != nil; b = s.next(lengthMax) {
		clear(b)
	}
	return total
}

// randomMax bounds one read of /dev/random; more takes several.
const randomMax = 1 << 20

// logMax bounds one write to the kernel's log.
const logMax = 256

// readRandom leaves the filling of the first range to the libos.
func (f *Files) readRandom(s *span) Result {
	b := s.next(randomMax)
	if b == nil {
		return done(0)
	}
	// The slice's address, as the number it was made from.
	return Result{
		Wait: KeyRandom, Value: int64(len(b)), Timeout: -1,
		Address: s.address - uint64(len(b)), Length: uint64(len(b)),
	}
}

// write writes to a file, at its position or at offset.
func (f *Files) write(c *Call, fd int32, s span, at bool, offset int64) Result {
	if at && offset < 0 {
		return failed(linux.EINVAL)
	}
	o := f.usable(fd)
	if o == nil {
		return failed(linux.EBADF)
	}
	if at && (!o.seekable() || o.kind == kindEvent) {
		return failed(linux.ESPIPE)
	}
	if !o.writable() {
		return failed(linux.EBADF)
	}
	switch o.kind {
	case kindNull, kindZero, kindRandom, kindURandom:
		return done(int64(s.length))
	case kindFull:
		return failed(linux.ENOSPC)
	case kindPipe:
		return f.writePipe(c, o, &s)
	case kindEvent:
		return f.writeEvent(c, o, &s)
	case kindStream:
		return f.writeStream(c, o, &s)
	}
	return failed(linux.EINVAL)
}

// seekable says whether pread and lseek make sense.
func (o *file) seekable() bool {
	return o.kind != kindPipe && o.kind != kindStream
}

func (f *Files) lseek(fd int32, offset int64, whence uint32) int64 {
	o := f.usable(fd)
	switch {
	case o == nil:
		return -linux.EBADF
	case whence > linux.SEEK_HOLE:
		return -linux.EINVAL
	case !o.seekable():
		return -linux.ESPIPE
	}
	size := int64(0)
	switch o.kind {
	case kindNull, kindZero, kindFull:
		o.offset = 0
		return 0
	case kindRegular:
		size = int64(f.archive.FileSize(archiveNode(o.node)))
	case kindText:
		if whence != linux.SEEK_SET && whence != linux.SEEK_CUR {
			return -linux.EINVAL
		}
	case kindDirectory:
		if whence != linux.SEEK_SET && whence != linux.SEEK_CUR {
			return -linux.EINVAL
		}
	default:
		return 0
	}
	switch whence {
	case linux.SEEK_CUR:
		offset += o.offset
	case linux.SEEK_END:
		offset += size
	case linux.SEEK_DATA, linux.SEEK_HOLE:
		if offset < 0 || offset >= size {
			return -linux.ENXIO
		}
		if whence == linux.SEEK_HOLE {
			offset = size
		}
	}
	if offset < 0 { // perhaps because the sum has wrapped
		return -linux.EINVAL
	}
	o.offset = offset
	return offset
}

// readDoorbell returns the count of notifications once it has grown.
func (f *Files) readDoorbell(c *Call, o *file, s *span) Result {
	if s.length < 8 {
		return failed(linux.EINVAL)
	}
	if f.notified <= uint64(o.offset) {
		return f.block(c, o, keyDoorbell)
	}
	o.offset = int64(f.notified)
	putWord(s, f.notified)
	return done(8)
}

// putWord writes a word in the machine's order.
func putWord(s *span, v uint64) {
	var b [8]byte
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	s.put(b[:])
}

// block is the result of a call on a file that nothing can be done for yet.
func (f *Files) block(c *Call, o *file, k Key) Result {
	switch {
	case c.Progress > 0 && (c.Stop != Running || o.nonblocking()):
		return done(int64(c.Progress))
	case o.nonblocking(), c.Stop == Expired:
		return failed(linux.EAGAIN)
	case c.Stop == Interrupted:
		return failed(linux.EINTR)
	}
	return f.wait(k)
}

// Notify reports the dispatcher's count of notifications. Wakes may follow.
func (f *Files) Notify(count uint64) {
	if count != f.notified {
		f.notified = count
		f.wake(&f.doorbell, linux.EPOLLIN|linux.EPOLLRDNORM, keyDoorbell)
	}
}
