package files

import (
	"testing"

	"pgregory.net/rapid"

	"skerry/abi/linux"
)

func TestDoorbell(t *testing.T) {
	m := newMachine(t, nil)
	fd := uint64(m.sys(linux.SysOpenat, cwdFD, m.path("/dev/skerry/doorbell"), 0))
	b, at := m.room(8)
	c := call(linux.SysRead, fd, at, 8)
	r := m.do(c)
	if r.Wait == NoKey {
		t.Fatalf("%+v", r)
	}
	for _, count := range []uint64{1, 7, 300} {
		m.Notify(count)
		if m.collect(); !m.woken(r.Wait) {
			t.Error("a notification does not wake")
		}
		got := m.do(c)
		if word := uint64(b[0]) | uint64(b[1])<<8; got.Value != 8 || word != count {
			t.Errorf("read %+v, %d; want %d", got, word, count)
		}
		if r = m.do(c); r.Wait == NoKey {
			t.Errorf("read twice: %+v", r)
		}
		m.Notify(count)
		if m.collect(); len(m.wakes) != 0 {
			t.Error("the same count wakes")
		}
	}
	if r := m.do(call(linux.SysRead, fd, at, 7)); r.Value != -linux.EINVAL {
		t.Error("a short read:", r)
	}
	if fd := m.sys(linux.SysOpenat, cwdFD, m.path("/dev/skerry/doorbell"), linux.O_RDWR); fd != -linux.EACCES {
		t.Error("open for writing:", fd)
	}
}

// bell is an open file of the doorbell as the model has it.
type bell struct {
	fd       uint64
	returned *uint64 // the count last returned, which duplicates share
	waits    bool    // with O_NONBLOCK unset
	listed   [2]bool // in the epolls: level, edge
	edge     bool    // something has come since the edge-triggered one reported it
}

// TestDoorbellPolled reads and polls descriptors of the doorbell at random, some of
// which share an open file, and holds what comes against a model: readable is one as long
// as there have been more notifications than it last returned.
func TestDoorbellPolled(t *testing.T) {
	m := newMachine(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		clear(m.state())
		m.t = t
		m.Init(m.base, m.size)
		m.reset()
		word, wordAt := m.room(8)
		pollFD, pollAt := m.room(8)
		set, setAt := m.room(MaxDescriptors / 8)
		time, timeAt := m.room(16)
		clear(time)
		const most = 8
		events, eventsAt := m.room(12 * most)
		path := m.path("/dev/skerry/doorbell")
		level, edge := uint64(m.sys(linux.SysEpollCreate1, 0)), uint64(m.sys(linux.SysEpollCreate1, 0))

		var bells []*bell
		count := uint64(0)
		readable := func(b *bell) bool { return count > *b.returned }
		pick := func() *bell {
			if len(bells) == 0 {
				t.Skip("nothing is open")
			}
			return bells[rapid.IntRange(0, len(bells)-1).Draw(t, "which")]
		}
		register := func(b *bell, which int, epoll uint64, flags uint32) {
			at := m.used
			e, eAt := m.room(12)
			put32(e, flags|linux.EPOLLIN)
			put32(e[4:], uint32(b.fd))
			want := int64(0)
			if b.listed[which] {
				want = -linux.EEXIST
			}
			if r := m.sys(linux.SysEpollCtl, epoll, linux.EPOLL_CTL_ADD, b.fd, eAt); r != want {
				t.Fatalf("epoll_ctl of descriptor %d: %d, want %d", b.fd, r, want)
			}
			if !b.listed[which] && which == 1 {
				b.edge = readable(b)
			}
			b.listed[which] = true
			m.used = at
		}
		reported := func(epoll uint64) map[uint64]bool {
			n := m.sys(linux.SysEpollWait, epoll, eventsAt, most, 0)
			if n < 0 {
				t.Fatalf("epoll_wait: %d", n)
			}
			all := map[uint64]bool{}
			for i := range int(n) {
				e := events[i*12:]
				if got := get32(e); got != linux.EPOLLIN {
					t.Fatalf("events %#x", got)
				}
				all[uint64(get32(e[4:]))] = true
			}
			return all
		}
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				if len(bells) == most {
					t.Skip("enough are open")
				}
				b := &bell{returned: new(uint64), waits: rapid.Bool().Draw(t, "waits")}
				flags := uint64(0)
				if !b.waits {
					flags = linux.O_NONBLOCK
				}
				b.fd = uint64(m.sys(linux.SysOpenat, cwdFD, path, flags))
				bells = append(bells, b)
			},
			"duplicate": func(t *rapid.T) {
				if len(bells) == most {
					t.Skip("enough are open")
				}
				from := pick()
				bells = append(bells, &bell{fd: uint64(m.sys(linux.SysDup, from.fd)), returned: from.returned, waits: from.waits})
			},
			"notify": func(t *rapid.T) {
				if n := uint64(rapid.IntRange(0, 2).Draw(t, "more")); n > 0 {
					count += n
					for _, b := range bells {
						b.edge = true
					}
				}
				m.Notify(count)
				m.collect()
			},
			"read": func(t *rapid.T) {
				b := pick()
				r := m.do(call(linux.SysRead, b.fd, wordAt, 8))
				switch {
				case readable(b):
					if got := uint64(get32(word)); r.Value != 8 || r.Wait != NoKey || got != count {
						t.Fatalf("read %+v, %d; want %d", r, got, count)
					}
					*b.returned = count
				case b.waits && r.Wait == NoKey, !b.waits && (r.Value != -linux.EAGAIN || r.Wait != NoKey):
					t.Fatalf("read of what has not grown: %+v", r)
				}
			},
			"poll": func(t *rapid.T) {
				b := pick()
				clear(pollFD)
				put32(pollFD, uint32(b.fd))
				pollFD[4] = linux.EPOLLIN | linux.EPOLLOUT
				n := m.sys(linux.SysPoll, pollAt, 1, 0)
				if (n == 1) != readable(b) || (pollFD[6] == linux.EPOLLIN) != readable(b) {
					t.Fatalf("poll is %d with %#x; readable is %v", n, pollFD[6], readable(b))
				}
			},
			"select": func(t *rapid.T) {
				b := pick()
				clear(set)
				set[b.fd/8] = 1 << (b.fd % 8)
				n := m.sys(linux.SysSelect, b.fd+1, setAt, 0, 0, timeAt)
				if (n == 1) != readable(b) || (set[b.fd/8] != 0) != readable(b) {
					t.Fatalf("select is %d with %#x; readable is %v", n, set[b.fd/8], readable(b))
				}
			},
			"register level": func(*rapid.T) { register(pick(), 0, level, 0) },
			"register edge":  func(*rapid.T) { register(pick(), 1, edge, linux.EPOLLET) },
			"epoll level": func(t *rapid.T) {
				got := reported(level)
				for _, b := range bells {
					if got[b.fd] != (b.listed[0] && readable(b)) {
						t.Fatalf("descriptor %d is reported: %v; listed %v, readable %v", b.fd, got[b.fd], b.listed[0], readable(b))
					}
				}
			},
			"epoll edge": func(t *rapid.T) {
				got := reported(edge)
				for _, b := range bells {
					if got[b.fd] != (b.listed[1] && b.edge && readable(b)) {
						t.Fatalf("descriptor %d is reported: %v; listed %v, edge %v, readable %v", b.fd, got[b.fd], b.listed[1], b.edge, readable(b))
					}
					b.edge = false
				}
			},
			"close": func(t *rapid.T) {
				b := pick()
				for _, other := range bells {
					if other != b && other.returned == b.returned {
						t.Skip("registrations last as long as the open file")
					}
				}
				m.sys(linux.SysClose, b.fd)
				for i := range bells {
					if bells[i] == b {
						bells = append(bells[:i], bells[i+1:]...)
						break
					}
				}
			},
		})
	})
}

// TestDoorbellWakes has threads wait for the doorbell in each way there is.
func TestDoorbellWakes(t *testing.T) {
	m := newMachine(t, nil)
	fd := uint64(m.sys(linux.SysOpenat, cwdFD, m.path("/dev/skerry/doorbell"), linux.O_NONBLOCK))
	epoll := uint64(m.sys(linux.SysEpollCreate1, 0))
	e, eAt := m.room(12)
	put32(e, linux.EPOLLIN|linux.EPOLLET)
	m.sys(linux.SysEpollCtl, epoll, linux.EPOLL_CTL_ADD, fd, eAt)
	p, pAt := m.room(8)
	put32(p, uint32(fd))
	p[4] = linux.EPOLLIN
	_, eventsAt := m.room(12)
	const forever = ^uint64(0)
	// Without a read between: the next notification is an edge all the same.
	for count := uint64(1); count < 4; count++ {
		waiting := []*Call{
			call(linux.SysEpollWait, epoll, eventsAt, 1, forever),
			call(linux.SysPoll, pAt, 1, forever),
		}
		if count > 1 {
			waiting = waiting[:1] // it is readable still
		}
		var keys []Key
		for _, c := range waiting {
			r := m.do(c)
			if r.Wait == NoKey {
				t.Fatalf("call %d does not wait for notification %d: %+v", c.Number, count, r)
			}
			keys = append(keys, r.Wait)
		}
		m.Notify(count)
		m.collect()
		for i, c := range waiting {
			if !m.woken(keys[i]) {
				t.Errorf("notification %d does not wake call %d", count, c.Number)
			}
		}
		for _, c := range waiting {
			if r := m.do(c); r.Wait != NoKey || r.Value != 1 {
				t.Errorf("notification %d: call %d returns %+v", count, c.Number, r)
			}
		}
	}
}

func put32(b []byte, v uint32) {
	for i := range 4 {
		b[i] = byte(v >> (8 * i))
	}
}

func get32(b []byte) (v uint32) {
	for i := range 4 {
		v |= uint32(b[i]) << (8 * i)
	}
	return v
}
