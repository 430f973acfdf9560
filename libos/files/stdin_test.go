package files

import (
	"testing"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
)

// told returns what the program has said about its input: how often it wanted
// some, and how much it has read by its last word.
func told(t *testing.T, spawner *urpc.Channel) (wanted int, read uint32) {
	t.Helper()
	var payload [urpc.PayloadSize]byte
	for {
		kind, n, ok := spawner.Receive(&payload)
		if !ok {
			return wanted, read
		}
		switch kind {
		case stdio.Stdout, stdio.Stderr:
			continue
		case stdio.Wanted:
			wanted++
		case stdio.Read:
		default:
			t.Errorf("message of kind %d", kind)
			continue
		}
		if n != stdio.CountSize {
			t.Fatalf("%d bytes of count", n)
		}
		read = stdio.Count(payload[:n])
	}
}

// TestWanted: whoever reads or polls an empty standard input says so, once for
// each time that it runs out.
func TestWanted(t *testing.T) {
	m := newMachine(t, nil)
	b, at := m.room(4096)
	spawner := stdioPair(t, m)
	expect := func(when string, wanted int, read uint32) {
		t.Helper()
		if w, r := told(t, spawner); w != wanted || r != read {
			t.Errorf("%s: wanted %d times, read %d; want %d, %d", when, w, r, wanted, read)
		}
	}
	expect("at the start", 0, 0)
	reader := call(linux.SysRead, 0, at, 100)
	if r := m.do(reader); r.Wait == NoKey {
		t.Fatalf("a read of nothing: %+v", r)
	}
	expect("a blocked read", 1, 0)
	m.do(call(linux.SysRead, 0, at, 100))
	expect("another", 0, 0)
	spawner.Send(stdio.Stdin, []byte("hello"))
	m.Poll()
	m.collect()
	if r := m.do(reader); r.Value != 5 {
		t.Fatalf("read %+v", r)
	}
	expect("a read of what there was", 0, 0)
	poll := func(timeout int64) {
		copy(b, []byte{0, 0, 0, 0, linux.EPOLLIN, 0, 0, 0}) // descriptor 0
		m.do(call(linux.SysPoll, at, 1, at64(timeout)))
	}
	poll(0)
	expect("a poll", 1, 5)
	poll(-1)
	m.do(call(linux.SysRead, 0, at, 100))
	expect("a poll and a read", 0, 0)
	spawner.Send(stdio.Stdin, []byte("x"))
	m.Poll()
	m.collect()
	poll(0)
	expect("a poll of what there is", 0, 0)
	m.do(call(linux.SysRead, 0, at, 100))
	spawner.Send(stdio.StdinEOF, nil)
	m.Poll()
	m.collect()
	m.do(call(linux.SysRead, 0, at, 100))
	poll(0)
	expect("the end", 0, 0)
}

// TestUnreadInput: a whole window of unread input leaves the ring empty, so
// that acknowledgements of output still come in; and reading makes room.
func TestUnreadInput(t *testing.T) {
	m := newMachine(t, nil)
	_, at := m.room(stdio.Window)
	spawner := stdioPair(t, m)
	var payload [urpc.PayloadSize]byte
	for sent := 0; sent < stdio.Window; {
		n := min(len(payload), stdio.Window-sent)
		if spawner.Send(stdio.Stdin, payload[:n]) {
			sent += n
			continue
		}
		m.Poll()
		if told(t, spawner); !spawner.CanSend() {
			t.Fatalf("stuck after %d bytes of input", sent)
		}
	}
	for range 100 {
		c := call(linux.SysWrite, 1, at, 4096)
		for tries, r := 0, m.do(c); r.Wait != NoKey; tries, r = tries+1, m.do(c) {
			told(t, spawner)
			if m.Poll(); !m.channel.CanSend() || tries > urpc.Slots(abi.StdioSize) {
				t.Fatal("output is stuck behind input")
			}
			m.collect()
		}
	}
	told(t, spawner)
	m.Poll()
	if n := m.sys(linux.SysRead, 0, at, stdio.Window/2); n != stdio.Window/2 {
		t.Fatalf("read %d", n)
	}
	if wanted, read := told(t, spawner); wanted != 0 || read != stdio.Window/2 {
		t.Errorf("wanted %d times, read %d", wanted, read)
	}
}
