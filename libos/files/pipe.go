package files

import "skerry/abi/linux"

// A pipe holds up to 16 pages, each with a run of bytes; a write begins a new
// page unless its odd part fits behind the last run. These are Linux's rules,
// and they show: in how much a nonblocking write takes and when a pipe is full.
const (
	pipeSlots = 16
	pipeSize  = pipeSlots * pageSize
)

// pipe is a pipe.
type pipe struct {
	source           source // the files of both ends
	used             bool
	polled           bool // someone has asked for events: every write is one
	readers, writers uint16
	tail, count      uint8 // first slot in use, and how many
	slots            [pipeSlots]run
}

// run is where the bytes in a slot's page are.
type run struct{ offset, length uint16 }

func (p *pipe) full() bool { return p.count == pipeSlots }

// length is the number of bytes in p.
func (p *pipe) length() uint32 {
	n := uint32(0)
	for i := range p.slots {
		n += uint32(p.slots[i].length)
	}
	return n
}

// Events that wake the two ends.
const (
	canRead  = linux.EPOLLIN | linux.EPOLLRDNORM
	canWrite = linux.EPOLLOUT | linux.EPOLLWRNORM
)

// pipe2 makes a pipe and writes its two descriptors to an address.
func (f *Files) pipe2(address uint64, flags uint32) int64 {
	if flags&^(linux.O_CLOEXEC|linux.O_NONBLOCK) != 0 {
		return -linux.EINVAL
	}
	i := uint32(0)
	for ; i < maxPipes && f.pipes[i].used; i++ {
	}
	if i == maxPipes {
		return -linux.ENFILE
	}
	reader := f.add(kindPipe, pipeBase+node(i), i, linux.O_RDONLY|flags)
	if reader < 0 {
		return reader
	}
	writer := f.add(kindPipe, pipeBase+node(i), i, linux.O_WRONLY|flags)
	if writer < 0 {
		f.close(int32(reader))
		return writer
	}
	first := f.pipes[i].source
	f.pipes[i] = pipe{source: first, used: true, readers: 1, writers: 1}
	*(*[2]int32)(pointer(uintptr(address))) = [2]int32{int32(reader), int32(writer)}
	return 0
}

// openPipe opens another file on a pipe, through its link in /proc/self/fd.
func (f *Files) openPipe(i, access, flags uint32) int64 {
	p := &f.pipes[i%maxPipes]
	if access == linux.O_WRONLY && p.readers == 0 {
		return -linux.ENXIO
	}
	fd := f.add(kindPipe, pipeBase+node(i), i, flags&^linux.O_LARGEFILE)
	if fd >= 0 {
		o := f.file(int32(fd))
		if o.readable() {
			p.readers++
		}
		if o.writable() {
			p.writers++
		}
	}
	return fd
}

// closePipe takes a file, already off the source, from its pipe.
func (f *Files) closePipe(o *file) {
	p := &f.pipes[o.index]
	if o.readable() && p.readers > 0 {
		p.readers--
	}
	if o.writable() && p.writers > 0 {
		p.writers--
	}
	if (p.readers == 0) != (p.writers == 0) {
		f.wake(&p.source, 0, pipeReadKey(o.index))
		f.wakeKey(pipeWriteKey(o.index))
	}
	if p.readers == 0 && p.writers == 0 {
		*p = pipe{}
	}
}

func (f *Files) readPipe(c *Call, o *file, s *span) Result {
	p := &f.pipes[o.index]
	if s.length == 0 {
		return done(0)
	}
	if p.count == 0 {
		if p.writers == 0 {
			return done(0)
		}
		return f.block(c, o, pipeReadKey(o.index))
	}
	total := uint64(0)
	wakeWriters := false
	for p.count > 0 && s.length > 0 {
		slot := &p.slots[p.tail%pipeSlots]
		page := f.data[o.index][p.tail%pipeSlots][slot.offset%pageSize:]
		n := s.put(page[:slot.length])
		if n == 0 {
			break
		}
		total += n
		slot.offset += uint16(n)
		slot.length -= uint16(n)
		if slot.length == 0 {
			wakeWriters = wakeWriters || p.full()
			p.tail = (p.tail + 1) % pipeSlots
			p.count--
		}
	}
	if p.count == 0 {
		p.tail = 0 // begin at the same page again, rather than touch all
	}
	if wakeWriters {
		f.wake(&p.source, canWrite, pipeWriteKey(o.index))
	}
	return done(int64(total))
}

func (f *Files) writePipe(c *Call, o *file, s *span) Result {
	p := &f.pipes[o.index]
	if s.length == 0 {
		return done(0)
	}
	before := c.Progress
	s.skip(c.Progress)
	if p.readers == 0 {
		if c.Progress > 0 {
			return Result{Value: int64(c.Progress), Timeout: -1, BrokenPipe: true}
		}
		return Result{Value: -linux.EPIPE, Timeout: -1, BrokenPipe: true}
	}
	wasEmpty := p.count == 0
	if odd := s.length % pageSize; before == 0 && odd != 0 && !wasEmpty {
		i := (p.tail + p.count - 1) % pipeSlots
		slot := &p.slots[i]
		start := uint64(slot.offset) + uint64(slot.length)
		if start+odd <= pageSize {
			n := s.get(f.data[o.index][i][start : start+odd])
			slot.length += uint16(n)
			c.Progress += n
		}
	}
	for s.length > 0 && !p.full() {
		i := (p.tail + p.count) % pipeSlots
		n := s.get(f.data[o.index][i][:])
		if n == 0 {
			break
		}
		p.slots[i] = run{0, uint16(n)}
		p.count++
		c.Progress += n
	}
	// Linux reports an edge for a write that took nothing, too.
	if wasEmpty && p.count > 0 || p.polled && (c.Progress > before || o.nonblocking()) {
		f.wake(&p.source, canRead, pipeReadKey(o.index))
	}
	if s.length == 0 {
		return done(int64(c.Progress))
	}
	return f.block(c, o, pipeWriteKey(o.index))
}

// pollPipe returns the events of one end.
func (f *Files) pollPipe(o *file) uint32 {
	p := &f.pipes[o.index]
	p.polled = true
	events := uint32(0)
	if o.readable() {
		if p.count > 0 {
			events |= canRead
		}
		if p.writers == 0 {
			events |= linux.EPOLLHUP
		}
	}
	if o.writable() {
		if !p.full() {
			events |= canWrite
		}
		if p.readers == 0 {
			events |= linux.EPOLLERR
		}
	}
	return events
}
