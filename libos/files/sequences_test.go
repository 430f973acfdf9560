package files

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"skerry/abi/linux"
	writer "skerry/host/archive"
)

// TestSequencesAgainstLinux makes random sequences of calls on pipes, eventfds,
// epolls and files here and in the kernel the test runs on: every result and
// every byte must be the same, edges and the order of epoll's reports included.
func TestSequencesAgainstLinux(t *testing.T) {
	contents := bytes.Repeat([]byte("some contents of a file. "), 400)
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, contents, 0o444); err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, []writer.File{writer.Bytes("/file", 0o444, contents), {Path: "/dir", Mode: fs.ModeDir | 0o755}})
	pristine := bytes.Clone(m.state())
	rapid.Check(t, func(t *rapid.T) {
		copy(m.state(), pristine)
		m.t = t
		p := &pairs{machine: m, t: t, file: name}
		defer p.end()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			p.step()
		}
	})
}

// state is the memory of m's Files but for the buffers.
func (m *machine) state() []byte {
	return bytesAt(uint64(uintptr(pointerOf(m.Files))), uint64(offsetOfBuffers))
}

// pairs holds descriptors of the two sides that were made by the same calls.
type pairs struct {
	*machine
	t    *rapid.T
	file string
	fds  []pairFD
}

type pairFD struct {
	host, ours uint64
	epoll      bool
	event      bool // an eventfd: kernels differ in some of its calls
}

func (p *pairs) end() {
	for _, fd := range p.fds {
		syscall.Close(int(fd.host))
	}
}

// sizes are lengths at which something changes.
var sizes = []int{0, 1, 7, 8, 9, 100, 3996, 4095, 4096, 4097, 8191, 10000, 60000, 65535, 65536, 65537, 70000, 200000}

// events of interest, with what makes no sense for a pipe too.
var interests = []uint32{
	linux.EPOLLIN, linux.EPOLLOUT, linux.EPOLLIN | linux.EPOLLOUT, 0, linux.EPOLLRDNORM, linux.EPOLLPRI,
	linux.EPOLLIN | linux.EPOLLOUT | linux.EPOLLRDHUP, linux.EPOLLRDHUP,
}

var modes = []uint32{0, linux.EPOLLET, linux.EPOLLONESHOT, linux.EPOLLET | linux.EPOLLONESHOT, linux.EPOLLEXCLUSIVE}

// both makes a call on both sides, with output of n bytes each.
func (p *pairs) both(what string, n, number int, args func(out uint64, side int) []uint64) int64 {
	a, atA := p.room(n)
	b, atB := p.room(n)
	clear(a)
	clear(b)
	want := host(number, args(atA, 0)...)
	got := p.sys(number, args(atB, 1)...)
	if want != got {
		p.t.Fatalf("%s = %d, want %d", what, got, want)
	}
	if !bytes.Equal(a, b) {
		for i := range a {
			if a[i] != b[i] {
				p.t.Fatalf("%s: output differs at %d: %.60q, want %.60q", what, i, b[i:], a[i:])
			}
		}
	}
	return want
}

// opened makes a call on both sides that gives a descriptor.
func (p *pairs) opened(what string, epoll bool, number int, args func(side int) []uint64) {
	h := host(number, args(0)...)
	o := p.sys(number, args(1)...)
	if (h < 0 || o < 0) && h != o {
		p.t.Fatalf("%s = %d, want %d", what, o, h)
	}
	if h >= 0 {
		p.fds = append(p.fds, pairFD{host: uint64(h), ours: uint64(o), epoll: epoll, event: number == linux.SysEventfd2})
	}
}

// side is the number of a pair's descriptor on a side.
func (fd pairFD) side(i int) uint64 {
	if i == 0 {
		return fd.host
	}
	return fd.ours
}

func (p *pairs) step() {
	t := p.t
	p.reset()
	draw := func(name string, max int) int { return rapid.IntRange(0, max).Draw(t, name) }
	op := draw("op", 19)
	if len(p.fds) == 0 && op > 4 {
		op = draw("first op", 4)
	}
	any := func() pairFD { return p.fds[draw("fd", len(p.fds)-1)] }
	switch op {
	case 0, 1:
		if len(p.fds) > 40 {
			return
		}
		out, outAt := p.room(8)
		h := host(linux.SysPipe2, outAt, linux.O_NONBLOCK)
		hr, hw := out[0], out[4]
		o := p.sys(linux.SysPipe2, outAt, linux.O_NONBLOCK)
		if h != 0 || o != 0 {
			t.Fatalf("pipe2 = %d, want %d", o, h)
		}
		p.fds = append(p.fds, pairFD{host: uint64(hr), ours: uint64(out[0])}, pairFD{host: uint64(hw), ours: uint64(out[4])})
	case 2:
		initial := []uint64{0, 1, 3, 1<<32 - 1}[draw("initial", 3)]
		flags := uint64(linux.EFD_NONBLOCK | draw("semaphore", 2))
		p.opened("eventfd2", false, linux.SysEventfd2, func(int) []uint64 { return []uint64{initial, flags} })
	case 3:
		p.opened("epoll_create1", true, linux.SysEpollCreate1, func(int) []uint64 { return []uint64{0} })
	case 4:
		p.opened("open", false, linux.SysOpenat, func(side int) []uint64 {
			name := []string{p.file, "/file"}[side]
			return []uint64{cwdFD, p.path(name), linux.O_RDONLY}
		})
	case 5:
		fd := any()
		p.opened("dup", fd.epoll, linux.SysDup, func(side int) []uint64 { return []uint64{fd.side(side)} })
		p.fds[len(p.fds)-1].event = p.fds[len(p.fds)-1].event || fd.event
	case 6:
		from, to := any(), draw("to", len(p.fds)-1)
		target := p.fds[to]
		h := host(linux.SysDup3, from.host, target.host, 0)
		o := p.sys(linux.SysDup3, from.ours, target.ours, 0)
		if (h < 0 || o < 0) && h != o {
			t.Fatalf("dup3 = %d, want %d", o, h)
		}
		if h >= 0 {
			p.fds[to].epoll, p.fds[to].event = from.epoll, from.event
		}
	case 7:
		i := draw("closed", len(p.fds)-1)
		fd := p.fds[i]
		p.both("close", 0, linux.SysClose, func(_ uint64, side int) []uint64 { return []uint64{fd.side(side)} })
		p.fds = append(p.fds[:i:i], p.fds[i+1:]...)
	case 8, 9, 10:
		fd, n := any(), sizes[draw("size", len(sizes)-1)]
		p.both(fmt.Sprintf("read %d", n), n, linux.SysRead, func(out uint64, side int) []uint64 { return []uint64{fd.side(side), out, uint64(n)} })
	case 11, 12, 13:
		fd, n := any(), sizes[draw("size", len(sizes)-1)]
		if fd.event && n > 8 {
			n = 8
		}
		in, inAt := p.room(n)
		fill := byte(draw("fill", 255))
		for i := range in {
			in[i] = fill + byte(i)*7
		}
		if n >= 8 && draw("small", 1) == 1 {
			copy(in, []byte{fill, 0, 0, 0, 0, 0, 0, 0}) // a count for an eventfd
		}
		p.both(fmt.Sprintf("write %d", n), 0, linux.SysWrite, func(_ uint64, side int) []uint64 { return []uint64{fd.side(side), inAt, uint64(n)} })
	case 14:
		p.vector(any(), draw("write", 1) == 1, draw)
	case 15, 16:
		if ep, ok := p.anyEpoll(draw); ok {
			p.control(ep, any(), draw)
		}
	case 17, 18:
		if ep, ok := p.anyEpoll(draw); ok {
			most := []int{1, 2, 3, 10}[draw("most", 3)]
			p.both("epoll_wait", most*12, linux.SysEpollWait, func(out uint64, side int) []uint64 {
				return []uint64{ep.side(side), out, uint64(most), 0}
			})
		}
	case 19:
		p.other(any(), draw)
	}
}

func (p *pairs) anyEpoll(draw func(string, int) int) (pairFD, bool) {
	var found []pairFD
	for _, fd := range p.fds {
		if fd.epoll {
			found = append(found, fd)
		}
	}
	if len(found) == 0 {
		return pairFD{}, false
	}
	return found[draw("epoll", len(found)-1)], true
}

func (p *pairs) control(ep, fd pairFD, draw func(string, int) int) {
	operation := []uint64{linux.EPOLL_CTL_ADD, linux.EPOLL_CTL_ADD, linux.EPOLL_CTL_MOD, linux.EPOLL_CTL_DEL, 9}[draw("operation", 4)]
	if fd.epoll && operation == linux.EPOLL_CTL_ADD {
		return // epolls in epolls are refused here
	}
	e, at := p.room(12)
	events := interests[draw("events", len(interests)-1)] | modes[draw("mode", len(modes)-1)]
	if operation == linux.EPOLL_CTL_ADD && events&linux.EPOLLEXCLUSIVE != 0 {
		events |= linux.EPOLLRDNORM // refused: whom an exclusive wait wakes is up to the kernel
	}
	for i := range 4 {
		e[i] = byte(events >> (8 * i))
	}
	for i := 4; i < 12; i++ {
		e[i] = byte(draw("data", 255))
	}
	p.both(fmt.Sprintf("epoll_ctl %d %#x", operation, events), 0, linux.SysEpollCtl, func(_ uint64, side int) []uint64 {
		return []uint64{ep.side(side), operation, fd.side(side), at}
	})
}

// vector makes a readv or writev.
func (p *pairs) vector(fd pairFD, write bool, draw func(string, int) int) {
	count := draw("iovecs", 4)
	var lengths []int
	total := 0
	for range count {
		n := sizes[draw("size", len(sizes)-2)]
		lengths = append(lengths, n)
		total += n
	}
	number := linux.SysReadv
	if write {
		number = linux.SysWritev
	}
	p.both(fmt.Sprintf("readv/writev %v", lengths), total, number, func(out uint64, side int) []uint64 {
		vector, at := p.room(16 * count)
		for i, n := range lengths {
			for j := range 8 {
				vector[i*16+j] = byte(out >> (8 * j))
				vector[i*16+8+j] = byte(uint64(n) >> (8 * j))
			}
			out += uint64(n)
		}
		return []uint64{fd.side(side), at, uint64(count)}
	})
}

// other makes the calls that are asked for less often.
func (p *pairs) other(fd pairFD, draw func(string, int) int) {
	on := func(what string, n, number int, args ...uint64) {
		p.both(what, n, number, func(out uint64, side int) []uint64 {
			a := []uint64{fd.side(side)}
			for _, v := range args {
				if v == outArg {
					v = out
				}
				a = append(a, v)
			}
			return a
		})
	}
	switch draw("other", 9) {
	case 0:
		on("fcntl getfl", 0, linux.SysFcntl, linux.F_GETFL)
	case 1:
		flags := []uint64{linux.O_NONBLOCK, linux.O_NONBLOCK | linux.O_APPEND}[draw("flags", 1)]
		on("fcntl setfl", 0, linux.SysFcntl, linux.F_SETFL, flags)
	case 2:
		on("fcntl setfd", 0, linux.SysFcntl, linux.F_SETFD, uint64(draw("cloexec", 3)))
		on("fcntl getfd", 0, linux.SysFcntl, linux.F_GETFD)
	case 3:
		on("fcntl getpipe_sz", 0, linux.SysFcntl, linux.F_GETPIPE_SZ)
	case 4:
		if !fd.epoll && !fd.event { // what lseek of these says has changed over time
			on("lseek", 0, linux.SysLseek, uint64(draw("offset", 20000)), uint64(draw("whence", 5)))
		}
	case 5:
		if n := draw("length", 300); !fd.epoll && !fd.event {
			on("pread", n, linux.SysPread64, outArg, uint64(n), uint64(draw("offset", 12000)))
		}
	case 6:
		if !fd.epoll {
			on("ioctl fionread", 4, linux.SysIoctl, linux.FIONREAD, outArg)
		}
	case 7:
		on("fcntl bad", 0, linux.SysFcntl, 77, 0)
		on("getdents64", 64, linux.SysGetdents64, outArg, 64)
	case 8:
		on("flock", 0, linux.SysFlock, 1)
		on("fallocate", 0, linux.SysFallocate, 0, 0, uint64(draw("length", 1)))
		on("ftruncate", 0, linux.SysFtruncate, 0)
		on("fsync", 0, linux.SysFsync)
	case 9:
		p.poll(draw)
	}
}

// poll polls some descriptors, or selects them.
func (p *pairs) poll(draw func(string, int) int) {
	count := draw("polled", 4)
	var chosen []pairFD
	var events []uint16
	for range count {
		chosen = append(chosen, p.fds[draw("fd", len(p.fds)-1)])
		events = append(events, uint16(draw("events", 0x3f)))
	}
	var fds [2][]byte
	var results [2]int64
	for side := range 2 {
		b, at := p.room(8 * count)
		clear(b)
		for i, fd := range chosen {
			b[i*8], b[i*8+1] = byte(fd.side(side)), byte(fd.side(side)>>8)
			b[i*8+4], b[i*8+5] = byte(events[i]), byte(events[i]>>8)
		}
		if side == 0 {
			results[0] = host(linux.SysPoll, at, uint64(count), 0)
		} else {
			results[1] = p.sys(linux.SysPoll, at, uint64(count), 0)
		}
		for i := range count {
			fds[side] = append(fds[side], b[i*8+6:i*8+8]...)
		}
	}
	if results[0] != results[1] || !bytes.Equal(fds[0], fds[1]) {
		p.t.Fatalf("poll %x = %d %x, want %d %x", events, results[1], fds[1], results[0], fds[0])
	}
}
