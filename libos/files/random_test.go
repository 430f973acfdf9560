package files

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"testing"

	"skerry/abi/linux"
	writer "skerry/host/archive"
)

// TestRandomCalls makes calls with any numbers and arguments. None may panic,
// touch memory that Spans did not name, or upset the tables.
func TestRandomCalls(t *testing.T) {
	files := []writer.File{
		writer.Bytes("/a/b", 0o755, bytes.Repeat([]byte("x"), 9000)), writer.Bytes("/c", 0o600, nil),
		{Path: "/l", Mode: fs.ModeSymlink, Target: "a/b"}, {Path: "/m", Mode: fs.ModeSymlink, Target: "/l/../m"},
	}
	paths := []string{
		"", ".", "/", "a", "a/b", "l", "m", "../c", "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/random",
		"/dev/skerry/doorbell", "/proc/self/maps", "/proc/self/cmdline", "/proc/self/exe", "/proc/self/fd/3", "/dev/stdin",
		"/dev/stdout", "/dev/fd/5", "/proc/self/fd", "/proc/self/cwd/c", "new", "new/", "a/b/",
	}
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for seed := range uint64(rounds) {
		random := rand.New(rand.NewPCG(seed, 7))
		m := newMachine(t, files)
		m.arena = m.arena[:1<<14]
		spawner := stdioPair(t, m)
		names, addresses := 0, []uint64(nil)
		for _, p := range paths {
			addresses = append(addresses, m.path(p))
		}
		names = m.used
		before := make([]byte, len(m.arena))
		base := uint64(address(m.arena))
		argument := func() uint64 {
			switch random.IntN(12) {
			case 0, 1, 2:
				return uint64(random.IntN(12)) // descriptors, small sizes, operations
			case 3, 4:
				return addresses[random.IntN(len(addresses))]
			case 5, 6:
				return base + uint64(names) + uint64(random.IntN(len(m.arena)-names))
			case 7:
				return uint64(random.IntN(1 << 12))
			case 8:
				return 1 << random.IntN(64)
			case 9:
				return -uint64(random.IntN(200))
			case 10:
				return uint64(random.IntN(1 << 22)) // flags
			}
			return random.Uint64()
		}
		var stuck []Call
		for step := range 15_000 {
			c := Call{Number: uint64(random.IntN(460))}
			for i := range c.Args {
				c.Args[i] = argument()
			}
			if len(stuck) > 0 && random.IntN(4) == 0 {
				c = stuck[random.IntN(len(stuck))]
				c.Stop = Stop(random.IntN(3))
			}
			if random.IntN(3) == 0 { // something for vectors and events
				for i := names; i < len(m.arena); i += 8 {
					v := argument()
					for j := range 8 {
						m.arena[i+j] = byte(v >> (8 * j))
					}
				}
			}
			copy(before, m.arena)
			var spans [SpansMax]Span
			written, ok := m.verify(spans[:Spans(&c, &spans)])
			if !ok {
				if r := m.Fault(&c); r != -linux.EFAULT && r != -linux.EBADF {
					t.Fatalf("Fault = %d", r)
				}
				continue
			}
			// Do not lose the standard streams to close_range.
			if c.Number == linux.SysCloseRange && random.IntN(50) != 0 {
				continue
			}
			r, _ := m.Do(&c)
			m.collect()
			for i := range m.arena {
				if before[i] != m.arena[i] && !written(base+uint64(i)) {
					t.Fatalf("seed %d step %d: call %d %#x wrote at +%#x, where no span is", seed, step, c.Number, c.Args, i)
				}
			}
			if r.Value < 0 && (r.Value < -linux.MaxErrno || r.Wait != NoKey) {
				t.Fatalf("seed %d step %d: call %d %#x: %+v", seed, step, c.Number, c.Args, r)
			}
			switch r.Wait {
			case NoKey:
			case KeyMaps:
				m.SetMaps(random.IntN(mapsSize + 1))
			default:
				if len(stuck) < 20 {
					stuck = append(stuck, c)
				}
			}
			if random.IntN(10) == 0 {
				var payload [56]byte
				spawner.Receive(&payload)
				spawner.Send(1, payload[:random.IntN(57)])
				m.Notify(uint64(step / 100))
				m.Poll()
				m.collect()
			}
			if step%100 == 0 {
				m.audit(t)
			}
		}
		m.audit(t)
	}
}

// verify does what the libos does before a call: it checks the spans, and
// returns what tells whether an address may be written.
func (m *machine) verify(spans []Span) (written func(uint64) bool, ok bool) {
	base := uint64(address(m.arena))
	end := base + uint64(len(m.arena))
	inside := func(a, n uint64) bool { return n == 0 || a >= base && a < end && n <= end-a }
	var ranges [][2]uint64
	for _, s := range spans {
		switch s.Kind {
		case SpanString:
			if !inside(s.Address, 1) {
				return nil, false
			}
			rest := m.arena[s.Address-base:]
			if bytes.IndexByte(rest[:min(len(rest), int(s.Length))], 0) < 0 && !inside(s.Address, s.Length) {
				return nil, false
			}
		case SpanReadVector, SpanWriteVector:
			if s.Address%8 != 0 || !inside(s.Address, s.Length) {
				return nil, false
			}
			for i := range s.Length / 16 {
				v := iovec(s.Address, i)
				if !inside(v.Base, v.Len) {
					return nil, false
				}
				if s.Kind == SpanWriteVector {
					ranges = append(ranges, [2]uint64{v.Base, v.Base + v.Len})
				}
			}
			// The array must not change while it is read.
			for _, r := range ranges {
				if r[0] < s.Address+s.Length && s.Address < r[1] {
					return nil, false
				}
			}
		default:
			if !inside(s.Address, s.Length) {
				return nil, false
			}
			if s.Kind == SpanWrite {
				ranges = append(ranges, [2]uint64{s.Address, s.Address + s.Length})
			}
		}
	}
	return func(a uint64) bool {
		for _, r := range ranges {
			if a >= r[0] && a < r[1] {
				return true
			}
		}
		return false
	}, true
}

// audit checks that the tables agree with one another.
func (m *machine) audit(t *testing.T) {
	t.Helper()
	refs := map[uint32]uint16{}
	for fd := range int32(MaxDescriptors) {
		if n, ok := m.number(fd); ok {
			refs[n]++
		}
	}
	items := map[uint32]bool{}
	readers, writers := map[uint32]uint16{}, map[uint32]uint16{}
	for n := range m.usedFiles {
		o := &m.files[n]
		if o.kind == kindNone {
			continue
		}
		if o.refs != refs[n] || o.refs == 0 {
			t.Fatalf("file %d has %d references, and %d descriptors", n, o.refs, refs[n])
		}
		if s := m.source(o); s != nil {
			found := 0
			for at := s.first; at != 0; at = m.files[at-1].next {
				if uint32(at-1) == n {
					found++
				}
			}
			if found != 1 {
				t.Fatalf("file %d is %d times on its source", n, found)
			}
		}
		if o.kind == kindPipe {
			if o.readable() {
				readers[o.index]++
			}
			if o.writable() {
				writers[o.index]++
			}
		}
		for i := o.items; i != 0; i = m.items[i].nextOfFile {
			if items[i] || m.items[i].file != n {
				t.Fatalf("item %d is on a wrong file", i)
			}
			items[i] = true
		}
	}
	for i := range m.pipes {
		p := &m.pipes[i]
		if p.readers != readers[uint32(i)] || p.writers != writers[uint32(i)] || p.used != (p.readers+p.writers > 0) || p.count > pipeSlots {
			t.Fatalf("pipe %d: %+v, but %d readers and %d writers", i, p, readers[uint32(i)], writers[uint32(i)])
		}
	}
	ofEpolls := 0
	for e := range m.epolls {
		queued := map[uint32]bool{}
		for i := m.epolls[e].head; i != 0; i = m.items[i].nextInQueue {
			if queued[i] || !m.items[i].queued || m.items[i].epoll != uint32(e) {
				t.Fatalf("item %d is queued wrongly", i)
			}
			queued[i] = true
		}
		for i := m.epolls[e].first; i != 0; i = m.items[i].nextOfEpoll {
			if !items[i] || m.items[i].queued != queued[i] {
				t.Fatalf("item %d of epoll %d is on no file, or says wrongly that it is queued", i, e)
			}
			ofEpolls++
		}
	}
	if ofEpolls != len(items) {
		t.Fatalf("%d items on epolls, %d on files", ofEpolls, len(items))
	}
}

// TestExhaustion uses up each table and sees that all comes back.
func TestExhaustion(t *testing.T) {
	m := newMachine(t, []writer.File{writer.Bytes("/a", 0o644, nil)})
	path, out := m.path("/a"), m.path("........")
	fill := func(want int64, number int, args ...uint64) {
		t.Helper()
		for i := 0; ; i++ {
			if r := m.sys(number, args...); r < 0 {
				if r != want {
					t.Errorf("call %d fails with %d after %d times, want %d", number, r, i, want)
				}
				break
			} else if i > MaxDescriptors {
				t.Fatalf("call %d never fails", number)
			}
		}
		m.audit(t)
		m.sys(linux.SysCloseRange, 3, 1<<32-1, 0)
		m.audit(t)
	}
	for range 3 {
		fill(-linux.EMFILE, linux.SysOpenat, cwdFD, path, 0)
		fill(-linux.EMFILE, linux.SysDup, 0)
		fill(-linux.EMFILE, linux.SysPipe2, out, 0)
		fill(-linux.ENFILE, linux.SysEventfd2, 0, 0)
		fill(-linux.ENFILE, linux.SysEpollCreate1, 0)
	}
	// All pipes, each with one end closed.
	m.sys(linux.SysCloseRange, 3, 1<<32-1, 0)
	for i := 0; ; i++ {
		if r := m.sys(linux.SysPipe2, out, 0); r != 0 {
			if r != -linux.ENFILE || i != maxPipes {
				t.Errorf("%d after %d pipes", r, i)
			}
			break
		}
		m.sys(linux.SysClose, 3) // the reader: the lowest that was free
	}
	m.sys(linux.SysCloseRange, 3, 1<<32-1, 0)
	m.audit(t)
	// All registrations.
	event := uint64(m.sys(linux.SysEventfd2, 0, 0))
	_, data := m.room(12)
	added := 0
	for range 5 {
		epoll := uint64(m.sys(linux.SysEpollCreate1, 0))
		m.sys(linux.SysCloseRange, 200, 1<<32-1, 0)
		var r int64
		for fd := uint64(200); fd < MaxDescriptors; fd++ {
			m.sys(linux.SysDup2, event, fd)
			if r = m.sys(linux.SysEpollCtl, epoll, linux.EPOLL_CTL_ADD, fd, data); r != 0 {
				break
			}
			added++
		}
		if r != 0 && (r != -linux.ENOSPC || added != maxItems) {
			t.Errorf("%d after %d registrations", r, added)
		}
	}
	if added != maxItems {
		t.Errorf("%d registrations, want %d", added, maxItems)
	}
	m.audit(t)
	m.sys(linux.SysCloseRange, 3, 1<<32-1, 0)
	m.audit(t)
	// The limit.
	m.SetLimit(10)
	fill(-linux.EMFILE, linux.SysOpenat, cwdFD, path, 0)
	if r := m.sys(linux.SysDup2, 0, 10); r != -linux.EBADF {
		t.Errorf("dup2 above the limit: %d", r)
	}
}
