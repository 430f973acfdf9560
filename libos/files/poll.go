package files

import "skerry/abi/linux"

// pollable says whether epoll accepts a file: those that are always ready are
// refused.
func (o *file) pollable() bool {
	switch o.kind {
	case kindRandom, kindDoorbell, kindPipe, kindEvent, kindEpoll, kindStream:
		return true
	}
	return false
}

// poll returns the events of a file.
func (f *Files) poll(o *file) uint32 {
	switch o.kind {
	case kindPipe:
		return f.pollPipe(o)
	case kindEvent:
		return f.pollEvent(o)
	case kindEpoll:
		if f.epolls[o.index].head != 0 {
			return canRead
		}
		return 0
	case kindStream:
		return f.pollStream(o)
	case kindRandom:
		return canRead
	case kindDoorbell:
		if f.notified > uint64(o.offset) {
			return canRead
		}
		return 0
	}
	return canRead | canWrite
}

// pollFDs is poll and ppoll. A negative timeout is none.
func (f *Files) pollFDs(c *Call, address, count uint64, timeout int64) Result {
	if count > uint64(f.limit) {
		return failed(linux.EINVAL)
	}
	ready := int64(0)
	for i := range count {
		p := (*linux.PollFD)(pointer(uintptr(address + i*8)))
		p.Revents = 0
		if p.FD < 0 {
			continue
		}
		events := uint32(linux.EPOLLNVAL)
		if o := f.usable(p.FD); o != nil {
			events = f.poll(o) & (uint32(uint16(p.Events)) | always)
		}
		if events != 0 {
			p.Revents = int16(events)
			ready++
		}
	}
	if ready > 0 {
		return done(ready)
	}
	return f.blockFor(c, timeout, keyPoll)
}

// descriptorSet is a fd_set.
type descriptorSet [MaxDescriptors / 64]uint64

// The events that make a descriptor ready for select, by set.
var selectEvents = [3]uint32{
	canRead | linux.EPOLLHUP | linux.EPOLLERR,
	canWrite | linux.EPOLLERR,
	linux.EPOLLPRI,
}

// selectFDs is select and pselect6. The sets may be at 0.
func (f *Files) selectFDs(c *Call, count int32, sets [3]uint64, timeout int64) Result {
	if count < 0 {
		return failed(linux.EINVAL)
	}
	n := uint32(min(count, MaxDescriptors))
	words := uint64(n+63) / 64
	var results [3]descriptorSet
	ready := int64(0)
	for set, address := range sets {
		if address == 0 {
			continue
		}
		for fd := range n {
			word, bit := fd/64, uint64(1)<<(fd%64)
			if *(*uint64)(pointer(uintptr(address + uint64(word)*8)))&bit == 0 {
				continue
			}
			o := f.usable(int32(fd))
			if o == nil {
				return failed(linux.EBADF)
			}
			if f.poll(o)&selectEvents[set] != 0 {
				results[set][word] |= bit
				ready++
			}
		}
	}
	if ready == 0 && timeout != 0 && c.Stop == Running {
		return f.blockFor(c, timeout, keyPoll)
	}
	if c.Stop == Interrupted && ready == 0 {
		return failed(linux.EINTR)
	}
	for set, address := range sets {
		if address == 0 {
			continue
		}
		for word := range words {
			*(*uint64)(pointer(uintptr(address + word*8))) = results[set][word]
		}
	}
	return done(ready)
}
