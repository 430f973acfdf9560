package console

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"skerry/abi"
)

// outbox lays out the outboxes of n cores in memory of the test's, with bytes
// before and behind that nobody may touch, and returns a check of those.
func outbox(t *testing.T, n int) (intact func()) {
	const fence = 64
	words := make([]uint64, (n*OutboxSize+2*fence)/8)
	buf := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
	for i := range fence {
		buf[i], buf[len(buf)-1-i] = 0xaa, 0xaa
	}
	outboxes = uintptr(unsafe.Pointer(&buf[fence]))
	t.Cleanup(func() { outboxes, self = 0, 0; _ = buf[0] })
	return func() {
		t.Helper()
		for i := range fence {
			if buf[i] != 0xaa || buf[len(buf)-1-i] != 0xaa {
				t.Fatal("memory outside of the outboxes was written")
			}
		}
	}
}

// TestLinesStayWhole lets cores log lines while the owner takes them in
// transfers of a log's size, in any order: each transfer ends with a line, and
// each core's lines arrive whole, once, and in order, or are counted as lost.
func TestLinesStayWhole(t *testing.T) {
	for seed := range uint64(30) {
		const cores = 4
		intact := outbox(t, cores)
		r := rand.New(rand.NewPCG(seed, 1))
		var sent, got [cores][]string
		for step := range 4000 {
			if c := uint32(1 + r.IntN(cores-1)); r.IntN(3) > 0 {
				Attach(outboxes, c)
				line := fmt.Sprintf("%d %d %s\n", c, step, strings.Repeat("x", r.IntN(lineSize)))
				before := Of(c).Put
				if put([]byte(line)) {
					sent[c] = append(sent[c], line)
				} else if Of(c).Put != before {
					t.Fatal("a line that did not fit was put in part")
				} else if RingSize-(before-Of(0).Taken[c]) >= uint64(len(line)) {
					t.Fatal("a line that fits was refused")
				}
			} else {
				self = 0
				b := make([]byte, len(transfer))
				n := take(c, b)
				if n > 0 && b[n-1] != '\n' {
					t.Fatalf("seed %d: a transfer of %d bytes ends in the middle of a line", seed, n)
				}
				got[c] = append(got[c], strings.SplitAfter(string(b[:n]), "\n")...)
				got[c] = got[c][:len(got[c])-1]
			}
		}
		self = 0
		for c := uint32(1); c < cores; c++ {
			for b := make([]byte, len(transfer)); ; {
				n := take(c, b)
				if n == 0 {
					break
				}
				lines := strings.SplitAfter(string(b[:n]), "\n")
				got[c] = append(got[c], lines[:len(lines)-1]...)
			}
			if fmt.Sprint(got[c]) != fmt.Sprint(sent[c]) {
				t.Fatalf("seed %d: core %d: %d lines arrived of %d, or changed", seed, c, len(got[c]), len(sent[c]))
			}
		}
		intact()
	}
}

// TestLyingCore takes from a core whose count says anything.
func TestLyingCore(t *testing.T) {
	intact := outbox(t, 2)
	r := rand.New(rand.NewPCG(2, 1))
	copy(ring(1)[:], bytes.Repeat([]byte("no line's end "), RingSize/14))
	self = 0
	for range 10_000 {
		switch r.IntN(3) {
		case 0:
			Of(1).Put = r.Uint64()
		case 1:
			Of(1).Put = Of(0).Taken[1] - uint64(r.IntN(3))
		default:
			Of(1).Put = Of(0).Taken[1] + uint64(r.IntN(2*RingSize))
		}
		b := make([]byte, r.IntN(600))
		if r.IntN(10) == 0 {
			b = make([]byte, 2*RingSize)
		}
		before, claimed := Of(0).Taken[1], Of(1).Put
		n := take(1, b)
		if n < 0 || n > len(b) || uint64(n) > RingSize || Of(0).Taken[1] != before+uint64(n) {
			t.Fatalf("took %d of %d bytes into %d", n, claimed-before, len(b))
		}
	}
	intact()
}

// TestLyingOwner puts lines while the owner's count says anything.
func TestLyingOwner(t *testing.T) {
	intact := outbox(t, 2)
	r := rand.New(rand.NewPCG(3, 1))
	Attach(outboxes, 1)
	for range 10_000 {
		Of(0).Taken[1] = r.Uint64()
		if r.IntN(2) == 0 {
			Of(0).Taken[1] = Of(1).Put - uint64(r.IntN(RingSize))
		}
		put(bytes.Repeat([]byte("y"), r.IntN(len(line))))
	}
	intact()
}

// logged returns what f logs on a core that is not the owner.
func logged(t *testing.T, core uint32, f func()) string {
	t.Helper()
	intact := outbox(t, int(core)+1)
	Attach(outboxes, core)
	f()
	self = 0
	var out []byte
	for b := make([]byte, len(transfer)); ; {
		n := take(core, b)
		if n == 0 {
			break
		}
		out = append(out, b[:n]...)
	}
	intact()
	return string(out)
}

// TestLines checks what lines look like: whose, how numbers are written, and
// that a long one becomes several.
func TestLines(t *testing.T) {
	for core, prefix := range map[uint32]string{1: "skerry: core 1: ", 10: "skerry: core 10: ", abi.MaxCores - 1: "skerry: core 253: "} {
		got := logged(t, core, func() {
			Write("a")
			Number(0)
			Write(" ")
			Number(1<<64 - 1)
			Write(" ")
			Hex(0)
			Write(" ")
			Hex(1<<64 - 1)
			Write(" ")
			Hex(0x80)
			Flush()
			WriteBytes([]byte("b\n\nc"))
			Begin("skerry: panic: ")
			Write("d")
			Flush()
		})
		want := prefix + "a0 18446744073709551615 0x0 0xffffffffffffffff 0x80\r\n" +
			prefix + "b\r\n" + prefix + "\r\n" + prefix + "c\r\nskerry: panic: d\r\n"
		if got != want {
			t.Errorf("core %d logged %q\nwant %q", core, got, want)
		}
	}
	long := strings.Repeat("0123456789", 100)
	for name, write := range map[string]func(){
		"Write":      func() { Write(long) },
		"WriteBytes": func() { WriteBytes([]byte(long)) },
	} {
		got := logged(t, 2, func() { write(); Flush() })
		text := ""
		for l := range strings.SplitSeq(strings.TrimSuffix(got, "\r\n"), "\r\n") {
			rest, ok := strings.CutPrefix(l, "skerry: core 2: ")
			if !ok || len(l) > lineSize {
				t.Errorf("%s: a line of %d bytes: %q", name, len(l), l)
			}
			text += rest
		}
		if text != long {
			t.Errorf("%s: %d bytes became %d", name, len(long), len(text))
		}
	}
	if got := logged(t, 1, func() {
		for range 1000 {
			Byte('z')
		}
		Number(12345678901234567890)
		Flush()
		Write("next")
		Flush()
	}); !strings.HasSuffix(got, "\r\nskerry: core 1: next\r\n") || strings.Count(got, "\n") != 2 {
		t.Errorf("a line longer than any was logged as %q", got)
	}
}

// TestLost fills the outbox and expects the lines that do not fit to be
// counted, whole lines only.
func TestLost(t *testing.T) {
	outbox(t, 2)
	Attach(outboxes, 1)
	const lines = 1000
	for i := range lines {
		Write("line ")
		Number(uint64(i))
		Flush()
	}
	self = 0
	got := 0
	for b := make([]byte, len(transfer)); ; {
		n := take(1, b)
		if n == 0 {
			break
		}
		got += bytes.Count(b[:n], []byte{'\n'})
	}
	if lost := Of(1).Lost; lost == 0 || uint64(got)+lost != lines {
		t.Errorf("%d lines arrived, %d were lost, %d were logged", got, lost, lines)
	}
}

// TestLastWords logs more than the outbox holds as last words: while the owner
// takes them none is lost, and when it does not, the log gives up.
func TestLastWords(t *testing.T) {
	outbox(t, 2)
	Attach(outboxes, 1)
	old := patience
	defer func() { last, patience = false, old }()
	LastWords()
	done := make(chan bool)
	go func() { // the owner
		for {
			select {
			case <-done:
				done <- true
				return
			default:
				atomic.StoreUint64(&Of(0).Taken[1], atomic.LoadUint64(&Of(1).Put))
			}
		}
	}()
	const lines = 2000
	for range lines {
		Write("last words")
		Flush()
	}
	done <- true
	<-done
	size := uint64(len("skerry: core 1: last words\r\n"))
	if m := Of(1); m.Lost != 0 || m.Put != lines*size {
		t.Errorf("%d lines were lost, %d of %d bytes put", m.Lost, m.Put, lines*size)
	}
	patience = 1000
	for range lines {
		Write("last words")
		Flush()
	}
	if Of(1).Lost == 0 || patience != 0 {
		t.Errorf("nobody takes them, and %d lines were lost, patience is %d", Of(1).Lost, patience)
	}
}

// TestExactFit fills the ring to its last byte and no further, wherever in it
// the first lies.
func TestExactFit(t *testing.T) {
	outbox(t, 2)
	for at := range uint64(300) {
		Attach(outboxes, 1)
		Of(1).Put, Of(0).Taken[1] = at*97, at*97
		if !put(make([]byte, RingSize-int(at)-1)) || put(make([]byte, at+2)) || !put(make([]byte, at+1)) || put([]byte{1}) {
			t.Fatalf("from %d on the ring does not take %d bytes", at*97, RingSize)
		}
	}
}
