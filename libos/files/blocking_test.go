package files

import (
	"testing"

	"pgregory.net/rapid"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
)

// waiter is a thread that is blocked in a call.
type waiter struct {
	call Call
	key  Key
}

// TestNoLostWakeups blocks calls on pipes, eventfds, epolls, poll, the doorbell
// and the stdio streams, and goes on making others. After each, a blocked call
// whose key was not woken must still be unable to do anything; those whose key
// was woken are executed again.
func TestNoLostWakeups(t *testing.T) {
	m := newMachine(t, nil)
	frame := mapped(t, abi.StdioSize)
	rapid.Check(t, func(t *rapid.T) {
		clear(m.state())
		clear(frame)
		m.t = t
		m.Init(m.base, m.size)
		var spawner urpc.Channel
		urpc.Format(address(frame), abi.StdioSize)
		spawner.Attach(address(frame), abi.StdioSize, urpc.A)
		m.channel.Attach(address(frame), abi.StdioSize, urpc.B)

		draw := func(name string, max int) int { return rapid.IntRange(0, max).Draw(t, name) }
		m.reset()
		buffer, at := m.room(1 << 20)
		_, pairAt := m.room(8)
		for range 2 {
			m.sys(linux.SysPipe2, pairAt, 0)
		}
		m.sys(linux.SysEventfd2, 0, 0)
		m.sys(linux.SysEventfd2, 5, linux.EFD_SEMAPHORE)
		m.sys(linux.SysEpollCreate1, 0)
		m.sys(linux.SysOpenat, cwdFD, m.path("/dev/skerry/doorbell"), 0)
		const last = 10 // the doorbell
		poll, pollAt := m.room(8 * 4)
		for i := range 4 {
			poll[i*8], poll[i*8+4] = byte([]int{0, 3, 7, last}[i]), linux.EPOLLIN
		}
		item, itemAt := m.room(12)
		notified, dead := uint64(0), false
		var waiters []waiter
		started := 0

		execute := func(w waiter) {
			r := m.do(&w.call)
			if r.Wait != NoKey {
				w.key = r.Wait
				waiters = append(waiters, w)
			}
		}
		settle := func() {
			for {
				// Those whose key was woken run again, in order.
				woken := append([]Key(nil), m.wakes...)
				m.wakes = m.wakes[:0]
				var run []waiter
				keep := waiters[:0:0]
				for _, w := range waiters {
					hit := false
					for _, k := range woken {
						hit = hit || k == w.key
					}
					if hit {
						run = append(run, w)
					} else {
						keep = append(keep, w)
					}
				}
				waiters = keep
				if len(run) == 0 {
					break
				}
				var again []Key
				for _, w := range run {
					execute(w)
					again = append(again, m.wakes...)
				}
				m.wakes = again
			}
			for _, w := range waiters {
				copied := w.call
				r := m.do(&copied)
				if r.Wait != w.key || copied.Progress != w.call.Progress || len(m.wakes) > 0 {
					t.Fatalf("call %d %v waits for key %d, but nothing was woken and it gets %+v (progress %d, was %d)",
						w.call.Number, w.call.Args, w.key, r, copied.Progress, w.call.Progress)
				}
			}
		}
		for range draw("steps", 60) {
			fd := uint64(draw("fd", last))
			switch draw("op", 9) {
			case 0, 1:
				// A thread each, for as long as there are threads.
				if started++; started < 30 {
					execute(waiter{call: *call(linux.SysRead, fd, at, uint64(sizes[draw("size", len(sizes)-1)]))})
				}
			case 2, 3:
				if started++; started < 30 {
					clear(buffer[:8])
					buffer[0] = byte(draw("count", 3))
					execute(waiter{call: *call(linux.SysWrite, fd, at, uint64(sizes[draw("size", len(sizes)-1)]))})
				}
			case 4:
				if started++; started < 30 {
					execute(waiter{call: *call(linux.SysEpollWait, 9, at, 3, uint64(1000*draw("timeout", 1)))})
				}
			case 5:
				if started++; started < 30 {
					execute(waiter{call: *call(linux.SysPoll, pollAt, uint64(draw("polled", 4)), at64(-1))})
				}
			case 6:
				events := interests[draw("events", len(interests)-1)] | modes[draw("mode", 3)]
				for i := range 4 {
					item[i] = byte(events >> (8 * i))
				}
				operation := uint64(1 + draw("operation", 2))
				m.do(call(linux.SysEpollCtl, 9, operation, fd, itemAt))
			case 7:
				// Only ends that nobody is blocked in: what a blocked call on a
				// closed descriptor does is said nowhere.
				if busy := func() bool {
					for _, w := range waiters {
						if w.call.Args[0] == fd || w.call.Number == linux.SysPoll {
							return true
						}
					}
					return false
				}(); fd >= 3 && fd <= 8 && !busy {
					m.do(call(linux.SysClose, fd))
				}
			case 8:
				notified += uint64(draw("notifications", 1))
				m.Notify(notified)
				m.collect()
			case 9:
				var payload [urpc.PayloadSize]byte
				for range draw("taken", 40) {
					if _, _, ok := spawner.Receive(&payload); !ok {
						break
					}
				}
				switch draw("input", 6) {
				case 0, 1, 2:
					spawner.Send(stdio.Stdin, payload[:draw("length", urpc.PayloadSize)])
				case 3:
					if draw("really", 5) == 0 && !dead {
						dead = spawner.Send(stdio.StdinEOF, nil)
					}
				}
				m.Poll()
				m.collect()
			}
			settle()
		}
	})
}

func at64(v int64) uint64 { return uint64(v) }

// pipeOf makes a blocking pipe.
func (m *machine) pipeOf() (reader, writer uint64) {
	b, at := m.room(8)
	if r := m.sys(linux.SysPipe2, at, 0); r != 0 {
		m.t.Fatalf("pipe2 = %d", r)
	}
	return uint64(b[0]), uint64(b[4])
}

func TestBlockedWrite(t *testing.T) {
	m := newMachine(t, nil)
	reader, writer := m.pipeOf()
	in, inAt := m.room(200_000)
	for i := range in {
		in[i] = byte(i * 31 >> 3)
	}
	out, outAt := m.room(200_000)
	c := call(linux.SysWrite, writer, inAt, uint64(len(in)))
	r := m.do(c)
	if r.Wait == NoKey || c.Progress != pipeSize {
		t.Fatalf("a write of 200,000 bytes: %+v, progress %d", r, c.Progress)
	}
	got := 0
	for got < len(in) {
		n := m.sys(linux.SysRead, reader, outAt+uint64(got), 50_000)
		if n <= 0 {
			t.Fatalf("read %d after %d", n, got)
		}
		got += int(n)
		if m.woken(r.Wait) {
			r = m.do(c)
		}
	}
	if r.Wait != NoKey || r.Value != int64(len(in)) || string(in) != string(out[:got]) {
		t.Fatalf("the write ended with %+v; bytes equal: %v", r, string(in) == string(out))
	}

	// A signal ends a wait with what was done, or EINTR if that is nothing.
	c = call(linux.SysWrite, writer, inAt, pipeSize+1)
	m.do(c)
	c.Stop = Interrupted
	if r := m.do(c); r.Wait != NoKey || r.Value != pipeSize {
		t.Errorf("an interrupted write: %+v", r)
	}
	c = call(linux.SysWrite, writer, inAt, 1)
	m.do(c)
	c.Stop = Interrupted
	if r := m.do(c); r.Value != -linux.EINTR {
		t.Errorf("an interrupted write of nothing: %+v", r)
	}
	// Without readers it breaks.
	c = call(linux.SysWrite, writer, inAt, 1)
	r = m.do(c)
	m.sys(linux.SysClose, reader)
	if !m.woken(r.Wait) {
		t.Error("closing the reader does not wake the writer")
	}
	if r = m.do(c); r.Value != -linux.EPIPE || !r.BrokenPipe {
		t.Errorf("a write without readers: %+v", r)
	}
}

func TestTimeouts(t *testing.T) {
	m := newMachine(t, nil)
	epoll := uint64(m.sys(linux.SysEpollCreate1, 0))
	_, out := m.room(120)
	times, at := m.room(16)
	times[0], times[9] = 2, 1 // 2 s and 256 ns
	for _, c := range []struct {
		call    *Call
		timeout int64
	}{
		{call(linux.SysEpollWait, epoll, out, 10, 1500), 1_500_000_000},
		{call(linux.SysEpollWait, epoll, out, 10, at64(-1)), -1},
		{call(linux.SysEpollPwait2, epoll, out, 10, at), 2_000_000_256},
		{call(linux.SysEpollPwait2, epoll, out, 10, 0), -1},
		{call(linux.SysPoll, out, 0, 3), 3_000_000},
		{call(linux.SysPpoll, out, 0, at), 2_000_000_256},
		{call(linux.SysSelect, 0, 0, 0, 0, at), 2_000_256_000},
		{call(linux.SysPselect6, 0, 0, 0, 0, at), 2_000_000_256},
	} {
		r := m.do(c.call)
		if r.Wait == NoKey || r.Timeout != c.timeout {
			t.Errorf("call %d: %+v, want a timeout of %d", c.call.Number, r, c.timeout)
		}
		c.call.Stop = Expired
		if r := m.do(c.call); r.Wait != NoKey || r.Value != 0 {
			t.Errorf("call %d after its time: %+v", c.call.Number, r)
		}
		c.call.Stop = Interrupted
		if r := m.do(c.call); r.Value != -linux.EINTR {
			t.Errorf("call %d interrupted: %+v", c.call.Number, r)
		}
	}
	if r := m.do(call(linux.SysEpollWait, epoll, out, 10, 0)); r.Wait != NoKey || r.Value != 0 {
		t.Errorf("epoll_wait without time: %+v", r)
	}
	times[15] = 0x80
	if r := m.do(call(linux.SysPpoll, out, 0, at)); r.Value != -linux.EINVAL {
		t.Errorf("a negative time: %+v", r)
	}
}
