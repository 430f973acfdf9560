package files

import "skerry/abi/linux"

// event is an eventfd.
type event struct {
	source    source
	used      bool
	semaphore bool
	count     uint64
}

const eventMax = 1<<64 - 1 // a count is less

func (f *Files) eventfd(count uint32, flags uint32) int64 {
	if flags&^(linux.EFD_SEMAPHORE|linux.EFD_CLOEXEC|linux.EFD_NONBLOCK) != 0 {
		return -linux.EINVAL
	}
	i := uint32(0)
	for ; i < maxEvents && f.events[i].used; i++ {
	}
	if i == maxEvents {
		return -linux.ENFILE
	}
	fd := f.add(kindEvent, eventBase+node(i), i, linux.O_RDWR|flags&^linux.EFD_SEMAPHORE)
	if fd >= 0 {
		e := &f.events[i]
		e.used, e.count, e.semaphore = true, uint64(count), flags&linux.EFD_SEMAPHORE != 0
	}
	return fd
}

func (f *Files) readEvent(c *Call, o *file, s *span) Result {
	if s.length < 8 {
		return failed(linux.EINVAL)
	}
	e := &f.events[o.index]
	if e.count == 0 {
		return f.block(c, o, eventReadKey(o.index))
	}
	value := e.count
	if e.semaphore {
		value = 1
	}
	e.count -= value
	putWord(s, value)
	f.wake(&e.source, linux.EPOLLOUT, eventWriteKey(o.index))
	return done(8)
}

func (f *Files) writeEvent(c *Call, o *file, s *span) Result {
	if s.length != 8 {
		return failed(linux.EINVAL)
	}
	var b [8]byte
	s.get(b[:])
	value := uint64(0)
	for i := range b {
		value |= uint64(b[i]) << (8 * i)
	}
	if value == eventMax {
		return failed(linux.EINVAL)
	}
	e := &f.events[o.index]
	if eventMax-e.count <= value {
		return f.block(c, o, eventWriteKey(o.index))
	}
	e.count += value
	f.wake(&e.source, linux.EPOLLIN, eventReadKey(o.index))
	return done(8)
}

func (f *Files) pollEvent(o *file) uint32 {
	events := uint32(0)
	count := f.events[o.index].count
	if count > 0 {
		events |= linux.EPOLLIN
	}
	if count == eventMax {
		events |= linux.EPOLLERR
	}
	if count < eventMax-1 {
		events |= linux.EPOLLOUT
	}
	return events
}
