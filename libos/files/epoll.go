package files

import "skerry/abi/linux"

// epoll is an epoll instance: its registrations, and the queue of those that
// may have something to report.
type epoll struct {
	used       bool
	first      uint32 // registrations
	head, tail uint32 // the queue
}

// item is a registration of a descriptor in an epoll. Items are numbered from 1.
type item struct {
	epoll  uint32
	file   uint32
	fd     int32
	events uint32
	data   [2]uint32

	nextOfFile               uint32 // or the next free item
	nextOfEpoll, prevOfEpoll uint32
	nextInQueue, prevInQueue uint32
	queued                   bool
}

// private are the bits of an item's events that are no events.
const private = linux.EPOLLWAKEUP | linux.EPOLLONESHOT | linux.EPOLLET | linux.EPOLLEXCLUSIVE

// always are the events that need not be asked for.
const always = linux.EPOLLERR | linux.EPOLLHUP

func (f *Files) epollCreate(flags uint32) int64 {
	if flags&^linux.EPOLL_CLOEXEC != 0 {
		return -linux.EINVAL
	}
	i := uint32(0)
	for ; i < maxEpolls && f.epolls[i].used; i++ {
	}
	if i == maxEpolls {
		return -linux.ENFILE
	}
	fd := f.add(kindEpoll, epollBase+node(i), i, linux.O_RDWR|flags)
	if fd >= 0 {
		f.epolls[i].used = true
	}
	return fd
}

func (f *Files) closeEpoll(i uint32) {
	for f.epolls[i].first != 0 {
		f.removeItem(f.epolls[i].first)
	}
	f.epolls[i] = epoll{}
}

// epollCtl is epoll_ctl. An epoll in an epoll is refused with ELOOP, as Linux
// refuses one that is nested too deeply.
func (f *Files) epollCtl(epfd int32, operation uint32, fd int32, address uint64) int64 {
	p := f.usable(epfd)
	if p == nil {
		return -linux.EBADF
	}
	o := f.usable(fd)
	if o == nil {
		return -linux.EBADF
	}
	if !o.pollable() {
		return -linux.EPERM
	}
	if p == o || p.kind != kindEpoll {
		return -linux.EINVAL
	}
	var e linux.EpollEvent
	if operation != linux.EPOLL_CTL_DEL {
		e = eventAt(address)
	}
	if e.Events&linux.EPOLLEXCLUSIVE != 0 {
		const allowed = private&^linux.EPOLLONESHOT | always | linux.EPOLLIN | linux.EPOLLOUT
		if operation == linux.EPOLL_CTL_MOD ||
			operation == linux.EPOLL_CTL_ADD && (o.kind == kindEpoll || e.Events&^allowed != 0) {
			return -linux.EINVAL
		}
	}
	number, _ := f.number(fd)
	found := f.findItem(p.index, number, fd)
	switch operation {
	case linux.EPOLL_CTL_ADD:
		if found != 0 {
			return -linux.EEXIST
		}
		if o.kind == kindEpoll {
			return -linux.ELOOP
		}
		return f.addItem(p.index, number, fd, e)
	case linux.EPOLL_CTL_DEL:
		if found == 0 {
			return -linux.ENOENT
		}
		f.removeItem(found)
		return 0
	case linux.EPOLL_CTL_MOD:
		if found == 0 {
			return -linux.ENOENT
		}
		it := &f.items[found]
		if it.events&linux.EPOLLEXCLUSIVE != 0 {
			return -linux.EINVAL
		}
		it.events, it.data = e.Events&^linux.EPOLLWAKEUP|always, e.Data
		f.examine(found)
		return 0
	}
	return -linux.EINVAL
}

func eventAt(address uint64) linux.EpollEvent {
	return *(*linux.EpollEvent)(pointer(uintptr(address)))
}

func (f *Files) findItem(epoll, file uint32, fd int32) uint32 {
	for i := f.files[file].items; i != 0; i = f.items[i].nextOfFile {
		if it := &f.items[i]; it.epoll == epoll && it.fd == fd {
			return i
		}
	}
	return 0
}

func (f *Files) addItem(epoll, file uint32, fd int32, e linux.EpollEvent) int64 {
	i := f.freeItem
	switch {
	case i != 0:
		f.freeItem = f.items[i].nextOfFile
	case f.usedItems < maxItems:
		f.usedItems++
		i = f.usedItems
	default:
		return -linux.ENOSPC
	}
	p, o := &f.epolls[epoll], &f.files[file]
	f.items[i] = item{
		epoll: epoll, file: file, fd: fd,
		events: e.Events&^linux.EPOLLWAKEUP | always, data: e.Data,
		nextOfFile: o.items, nextOfEpoll: p.first,
	}
	o.items = i
	if p.first != 0 {
		f.items[p.first].prevOfEpoll = i
	}
	p.first = i
	f.examine(i)
	return 0
}

// examine queues an item that is new or changed if it has something to report.
func (f *Files) examine(i uint32) {
	it := &f.items[i]
	if f.poll(&f.files[it.file])&it.events != 0 {
		f.itemWoken(i, 0)
	}
}

// removeItem takes an item off its file, its epoll and the queue.
func (f *Files) removeItem(i uint32) {
	it := &f.items[i]
	if it.queued {
		f.unqueue(i)
	}
	at := &f.files[it.file].items
	for *at != 0 && *at != i {
		at = &f.items[*at].nextOfFile
	}
	if *at == i {
		*at = it.nextOfFile
	}
	if it.prevOfEpoll != 0 {
		f.items[it.prevOfEpoll].nextOfEpoll = it.nextOfEpoll
	} else {
		f.epolls[it.epoll].first = it.nextOfEpoll
	}
	if it.nextOfEpoll != 0 {
		f.items[it.nextOfEpoll].prevOfEpoll = it.prevOfEpoll
	}
	*it = item{nextOfFile: f.freeItem}
	f.freeItem = i
}

func (f *Files) queue(i uint32) {
	it := &f.items[i]
	p := &f.epolls[it.epoll]
	it.queued, it.prevInQueue, it.nextInQueue = true, p.tail, 0
	if p.tail != 0 {
		f.items[p.tail].nextInQueue = i
	} else {
		p.head = i
	}
	p.tail = i
}

func (f *Files) unqueue(i uint32) {
	it := &f.items[i]
	p := &f.epolls[it.epoll]
	if it.prevInQueue != 0 {
		f.items[it.prevInQueue].nextInQueue = it.nextInQueue
	} else {
		p.head = it.nextInQueue
	}
	if it.nextInQueue != 0 {
		f.items[it.nextInQueue].prevInQueue = it.prevInQueue
	} else {
		p.tail = it.prevInQueue
	}
	it.queued, it.prevInQueue, it.nextInQueue = false, 0, 0
}

// itemWoken queues an item because events (all, if 0) may have come.
func (f *Files) itemWoken(i, events uint32) {
	it := &f.items[i]
	if it.events&^private == 0 || events != 0 && events&it.events == 0 {
		return
	}
	if !it.queued {
		f.queue(i)
	}
	f.wakeKey(epollKey(it.epoll))
}

// epollWait is epoll_wait: it reports from the queue. What is level-triggered
// goes back to its end, to be asked again next time.
func (f *Files) epollWait(c *Call, epfd int32, address uint64, most int32, timeout int64) Result {
	const limit = 1<<31 - 1
	if most <= 0 || most > limit/12 {
		return failed(linux.EINVAL)
	}
	o := f.usable(epfd)
	if o == nil {
		return failed(linux.EBADF)
	}
	if o.kind != kindEpoll {
		return failed(linux.EINVAL)
	}
	if n := f.report(&f.epolls[o.index], address, most); n > 0 {
		return done(int64(n))
	}
	return f.blockFor(c, timeout, epollKey(o.index))
}

// report fills at most most struct epoll_event and returns their number.
func (f *Files) report(p *epoll, address uint64, most int32) int32 {
	n := int32(0)
	end := p.tail
	for i := p.head; i != 0 && n < most; {
		it := &f.items[i]
		next := it.nextInQueue
		if i == end {
			next = 0
		}
		f.unqueue(i)
		if events := f.poll(&f.files[it.file]) & it.events &^ private; events != 0 {
			*(*linux.EpollEvent)(pointer(uintptr(address) + uintptr(n)*12)) = linux.EpollEvent{Events: events, Data: it.data}
			n++
			if it.events&linux.EPOLLONESHOT != 0 {
				it.events &= private
			} else if it.events&linux.EPOLLET == 0 {
				f.queue(i)
			}
		}
		i = next
	}
	return n
}

// blockFor ends a wait for events, or goes on with it. A negative timeout is
// none.
func (f *Files) blockFor(c *Call, timeout int64, k Key) Result {
	switch {
	case timeout == 0, c.Stop == Expired:
		return done(0)
	case c.Stop == Interrupted:
		return failed(linux.EINTR)
	}
	r := f.wait(k)
	r.Timeout = timeout
	return r
}
