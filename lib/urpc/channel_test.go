package urpc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

// frame returns a zeroed frame between two pages that fault, so that a step
// outside it ends the test. Its size is cut to size bytes by placing it at the
// end of its pages.
func frame(t testing.TB, size int) uintptr {
	t.Helper()
	const page = 4096
	pages := (size + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, pages+2*page, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	if err := syscall.Mprotect(m[page:page+pages], syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
		t.Fatal(err)
	}
	return uintptr(unsafe.Pointer(&m[page+pages-size]))
}

type message struct {
	kind    uint8
	payload string
}

// TestQueueModel holds both directions of a channel against plain queues.
func TestQueueModel(t *testing.T) {
	const size = Rings + 2*6*Pitch
	base := frame(t, size)
	rapid.Check(t, func(rt *rapid.T) {
		Format(base, size)
		var side [2]Channel
		side[A].Attach(base, size, A)
		side[B].Attach(base, size, B)
		var queue [2][]message // by sender
		send := func(s Side) {
			m := message{
				kind:    uint8(rapid.IntRange(1, 255).Draw(rt, "kind")),
				payload: string(rapid.SliceOfN(rapid.Byte(), 0, PayloadSize).Draw(rt, "payload")),
			}
			if side[s].Send(m.kind, []byte(m.payload)) {
				queue[s] = append(queue[s], m)
				if len(queue[s]) > 6 {
					rt.Fatalf("side %d has %d messages under way in 6 slots", s, len(queue[s]))
				}
			}
		}
		receive := func(s Side) {
			var buf [PayloadSize]byte
			kind, n, ok := side[s].Receive(&buf)
			from := 1 - s
			switch {
			case !ok && len(queue[from]) > 0:
				rt.Fatalf("side %d receives nothing of %d messages", s, len(queue[from]))
			case ok && len(queue[from]) == 0:
				rt.Fatalf("side %d receives a message of kind %d that nobody sent", s, kind)
			case ok:
				want := queue[from][0]
				queue[from] = queue[from][1:]
				if got := (message{kind, string(buf[:n])}); got != want {
					rt.Fatalf("side %d receives %q, want %q", s, got, want)
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"A sends":    func(*rapid.T) { send(A) },
			"B sends":    func(*rapid.T) { send(B) },
			"A receives": func(*rapid.T) { receive(A) },
			"B receives": func(*rapid.T) { receive(B) },
			"A fills": func(*rapid.T) {
				for side[A].CanSend() {
					send(A)
				}
			},
			"B fills": func(*rapid.T) {
				for side[B].CanSend() {
					send(B)
				}
			},
		})
		// Whatever happened, draining both sides makes room on both.
		for range 4 {
			for len(queue[B]) > 0 || side[A].Pending() {
				receive(A)
			}
			for len(queue[A]) > 0 || side[B].Pending() {
				receive(B)
			}
		}
		if side[A].Free() < 6 || side[B].Free() < 6 || side[A].Broken() || side[B].Broken() {
			rt.Fatalf("drained channel is stuck: %+v %+v", &side[A], &side[B])
		}
	})
}

func TestSendLimits(t *testing.T) {
	base := frame(t, MinFrame)
	var a, none Channel
	a.Attach(base, MinFrame, A)
	if a.Send(1, make([]byte, PayloadSize+1)) {
		t.Error("sent more than a slot holds")
	}
	for i := range 4 {
		if !a.Send(1, nil) {
			t.Errorf("message %d of 4 refused by a ring of 4", i)
		}
	}
	if a.Send(1, nil) {
		t.Error("a full ring took a message")
	}
	var buf [PayloadSize]byte
	if _, _, ok := none.Receive(&buf); ok || none.CanSend() || none.Pending() || none.Attached() {
		t.Error("a channel attached to nothing sends or receives")
	}
}

// TestDoorbell checks who is told to ring, and how often.
func TestDoorbell(t *testing.T) {
	base := frame(t, MinFrame)
	var a, b Channel
	a.Attach(base, MinFrame, A)
	b.Attach(base, MinFrame, B)
	expect := func(what string, want bool) {
		t.Helper()
		if got := a.NeedsDoorbell(); got != want {
			t.Errorf("%s: NeedsDoorbell is %v", what, got)
		}
	}
	var buf [PayloadSize]byte
	expect("nothing sent", false)
	a.Send(1, nil)
	expect("peer awake", false)
	if b.Announce() {
		t.Error("announced sleep over a message")
	}
	b.Receive(&buf)
	if !b.Announce() {
		t.Error("may not sleep on an empty ring")
	}
	expect("peer asleep, nothing sent", false)
	a.Send(1, nil)
	expect("peer asleep", true)
	a.Send(1, nil)
	expect("rung already", false)
	b.Withdraw()
	for b.Pending() {
		b.Receive(&buf)
	}
	a.Receive(&buf)
	if !b.Announce() {
		t.Error("may not sleep again")
	}
	a.Send(1, nil)
	expect("asleep again", true)
}

// TestNoLostWakeup runs both sides at full speed, each sleeping at every
// chance on a doorbell, and fails when both sleep for ever.
func TestNoLostWakeup(t *testing.T) {
	const size = Rings + 2*8*Pitch
	messages := 300_000
	if testing.Short() {
		messages = 50_000
	}
	base := frame(t, size)
	bells := [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	failed := make(chan string, 2)
	run := func(s Side) {
		var c Channel
		c.Attach(base, size, s)
		var buf [PayloadSize]byte
		sent, received := 0, 0
		random := rand.New(rand.NewPCG(uint64(s), 1))
		for sent < messages || received < messages {
			for burst := random.IntN(12); burst > 0 && sent < messages; burst-- {
				if !c.Send(1, binary.LittleEndian.AppendUint64(buf[:0], uint64(sent))) {
					break
				}
				sent++
			}
			progress := false
			for {
				kind, n, ok := c.Receive(&buf)
				if !ok {
					break
				}
				progress = true
				if kind != 1 || n != 8 || binary.LittleEndian.Uint64(buf[:]) != uint64(received) {
					failed <- "messages out of order"
					return
				}
				received++
			}
			if c.NeedsDoorbell() {
				select {
				case bells[1-s] <- struct{}{}:
				default:
				}
			}
			if progress || sent < messages && c.CanSend() {
				continue
			}
			if c.Announce() {
				select {
				case <-bells[s]:
				case <-time.After(20 * time.Second):
					failed <- "asleep for ever"
					return
				}
				c.Withdraw()
			}
		}
		failed <- ""
	}
	go run(A)
	go run(B)
	for range 2 {
		if why := <-failed; why != "" {
			t.Fatal(why)
		}
	}
}

// FuzzGarbagePeer lets the peer write what it likes anywhere in the frame: the
// side under test must neither leave the frame (its neighbours fault), nor
// return impossible lengths, nor loop for ever.
func FuzzGarbagePeer(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		seed := make([]byte, 2048)
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		f.Add(seed)
	}
	const size = Rings + 2*7*Pitch
	base := frame(f, size)
	shared := unsafe.Slice((*byte)(at(base)), size)
	f.Fuzz(func(t *testing.T, script []byte) {
		Format(base, size)
		var c Channel
		c.Attach(base, size, A)
		var buf [PayloadSize]byte
		for len(script) >= 12 {
			// Half of the writes go to header words, where they hurt.
			offset := int(binary.LittleEndian.Uint16(script)) % (size / 8) * 8
			if script[2]&1 != 0 {
				slot := int(script[3]) % Slots(size)
				offset = Rings + (Slots(size)+slot)*Pitch + PayloadSize
			}
			copy(shared[offset:offset+8], script[4:12])
			script = script[12:]
			for range 2 * Slots(size) {
				_, n, ok := c.Receive(&buf)
				if n > PayloadSize || n < 0 {
					t.Fatalf("received %d bytes", n)
				}
				if !ok {
					break
				}
			}
			c.Send(3, buf[:7])
			c.NeedsDoorbell()
			if c.Announce() {
				c.Withdraw()
			}
			if free := c.Free(); free < 0 || free > Slots(size) {
				t.Fatalf("%d slots free of %d", free, Slots(size))
			}
		}
		if c.Broken() && (c.CanSend() || c.Pending()) {
			t.Fatal("a broken channel is still used")
		}
	})
}

// TestBroken checks the two things a peer can be convicted of.
func TestBroken(t *testing.T) {
	for name, header := range map[string]uint64{
		"length beyond the slot":        epochBit | 1<<kindShift | (PayloadSize+1)<<lengthShift,
		"acknowledges what nobody sent": epochBit | 1<<kindShift | 1<<ackShift,
	} {
		base := frame(t, MinFrame)
		var a Channel
		a.Attach(base, MinFrame, A)
		*(*uint64)(at(a.in + PayloadSize)) = header
		var buf [PayloadSize]byte
		a.Receive(&buf)
		if a.Free(); !a.Broken() || a.CanSend() || a.Pending() {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestAllocations holds the paths of messages at zero allocations.
func TestAllocations(t *testing.T) {
	base := frame(t, MinFrame)
	var a, b Channel
	a.Attach(base, MinFrame, A)
	b.Attach(base, MinFrame, B)
	var buf [PayloadSize]byte
	want := []byte("ping")
	if n := testing.AllocsPerRun(100, func() {
		a.Send(1, want)
		if _, n, ok := b.Receive(&buf); !ok || !bytes.Equal(buf[:n], want) {
			t.Fatal("message lost")
		}
		a.Receive(&buf)
		b.NeedsDoorbell()
		b.Announce()
		b.Withdraw()
	}); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// TestRoom checks what Free promises: that a sender gets three quarters of the
// ring, however the messages before came in.
func TestRoom(t *testing.T) {
	const size = 8 * 4096 // 127 slots
	base := frame(t, size)
	for burst := 1; burst < 127; burst++ {
		Format(base, size)
		var a, b Channel
		a.Attach(base, size, A)
		b.Attach(base, size, B)
		var buf [PayloadSize]byte
		for range 5 * 127 / burst {
			for range burst {
				a.Send(1, nil)
			}
			for b.Pending() {
				b.Receive(&buf)
			}
			for a.Pending() {
				a.Receive(&buf)
			}
			if want := 127 - 127/4 + 1; a.Free() < want {
				t.Fatalf("bursts of %d: %d slots free, want %d", burst, a.Free(), want)
			}
		}
	}
}

// BenchmarkRoundTrip is a message there and one back in rings of so many slots, both
// ends on one processor: what the instructions take, with no line to wait for.
func BenchmarkRoundTrip(b *testing.B) {
	for _, slots := range []int{8, 64} {
		b.Run(fmt.Sprint(slots), func(b *testing.B) {
			size := FrameSize(slots)
			base := frame(b, size)
			var here, there Channel
			here.Attach(base, size, A)
			there.Attach(base, size, B)
			var buf [PayloadSize]byte
			for b.Loop() {
				for !here.Sender().Send(1, buf[:]) {
				}
				there.Receiver().Receive(&buf)
				for !there.Sender().Send(1, buf[:]) {
				}
				here.Receiver().Receive(&buf)
			}
		})
	}
}
