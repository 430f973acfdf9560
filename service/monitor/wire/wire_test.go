package wire

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/lib/urpc"

	"pgregory.net/rapid"
)

// samples has one message of each type, filled at random.
func samples(r *rand.Rand) []Message {
	text := func(n int) string {
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	}
	var list []Message
	for kind := uint8(1); empty(kind) != nil; kind++ {
		m := empty(kind)
		fill(reflect.ValueOf(m).Elem(), r)
		list = append(list, m)
	}
	list[0].(*Spawn).Name = text(32)
	list[0].(*Spawn).Info = []byte(text(abi.InfoMax))
	return list
}

func fill(v reflect.Value, r *rand.Rand) {
	if !v.CanSet() {
		return // padding
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), r)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), r)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(v.Index(i), r)
		}
	case reflect.String:
		v.SetString("a reason")
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Int8, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - v.Type().Bits()))

	default:
		panic(v.Type())
	}
}

func TestEveryMessage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	list := samples(r)
	if len(list) != kindChannelsAnswer {
		t.Fatalf("%d kinds known to Decode, want %d", len(list), kindChannelsAnswer)
	}
	for _, m := range list {
		body := m.append(nil)
		got, err := Decode(m.kind(), body)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%T: got %+v, %v\nwant %+v", m, got, err, m)
		}
		// A length that a type cannot have is refused, not half understood.
		if _, open := m.(*DomainsAnswer); open || m.kind() == kindQueryCore || m.kind() == kindLoan {
			if _, err := Decode(m.kind(), append(body, 0)); err == nil {
				t.Errorf("%T with a byte too many accepted", m)
			}
		}
		if len(body) > 0 {
			if _, err := Decode(m.kind(), body[:3]); err == nil {
				t.Errorf("%T of 3 bytes accepted", m)
			}
		}
	}
	if _, err := Decode(100, nil); err == nil || !strings.Contains(err.Error(), "unknown kind 100") {
		t.Errorf("unknown kind: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range samples(rand.New(rand.NewPCG(1, 2))) {
		f.Add(m.kind(), m.append(nil))
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		m, err := Decode(kind, body)
		if err != nil {
			return
		}
		// Padding becomes zero; all else is what it was.
		again := m.append(nil)
		if other, err := Decode(kind, again); err != nil || len(again) != len(body) || !reflect.DeepEqual(other, m) {
			t.Fatalf("%T: %x became %x, %v", m, body, again, err)
		}
	})
}

// pair returns the two ends of a channel in a frame of size bytes.
func pair(size int) (a, b *Stream, channels [2]*urpc.Channel) {
	memory := make([]uint64, (size+urpc.SlotSize)/8)
	base := uintptr(unsafe.Pointer(&memory[0]))
	base = (base + urpc.SlotSize - 1) &^ (urpc.SlotSize - 1)
	for side := range channels {
		channels[side] = new(urpc.Channel)
		channels[side].Attach(base, size, urpc.Side(side))
	}
	frames = append(frames, memory)
	return NewStream(channels[0]), NewStream(channels[1]), channels
}

// frames keeps the channels' memory alive: they hold its address only.
var frames [][]uint64

// TestStream sends random messages both ways over a small ring in random
// order, with flushes and receives in between.
func TestStream(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		frames = frames[:0]
		a, b, _ := pair(urpc.MinFrame + 2*urpc.Pitch)
		ends := [2]*Stream{a, b}
		var queue [2][]Message
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		receive := func(s int) bool {
			m, err := ends[s].Receive()
			if err != nil {
				rt.Fatal(err)
			}
			if m == nil {
				return false
			}
			want := queue[1-s][0]
			queue[1-s] = queue[1-s][1:]
			if !reflect.DeepEqual(m, want) {
				rt.Fatalf("got %+v, want %+v", m, want)
			}
			return true
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			s := r.IntN(2)
			switch r.IntN(3) {
			case 0:
				list := samples(r)
				m := list[r.IntN(len(list))]
				queue[s] = append(queue[s], m)
				if err := ends[s].Send(m); err != nil {
					rt.Fatal(err)
				}
			case 1:
				receive(s)
			case 2:
				ends[s].Flush()
			}
		}
		for idle := 0; idle < 4; idle++ {
			for s := range ends {
				ends[s].Flush()
				for receive(s) {
					idle = 0
				}
				if ends[s].Queued() > 0 {
					idle = min(idle, 1)
				}
			}
			if len(queue[0])+len(queue[1]) > 0 && ends[0].Queued()+ends[1].Queued() == 0 && idle > 2 {
				rt.Fatalf("%d and %d messages lost", len(queue[0]), len(queue[1]))
			}
		}
	})
}

func TestTooLarge(t *testing.T) {
	a, b, channels := pair(urpc.MinFrame)
	if err := a.Send(&Stdin{Data: make([]byte, MaxMessage)}); err == nil {
		t.Error("a message over the limit was sent")
	}
	if a.Queued() != 0 {
		t.Errorf("%d bytes of it are queued", a.Queued())
	}
	// A peer that never ends its message.
	var err error
	for i := 0; err == nil && i < 2*MaxMessage; i++ {
		channels[0].Send(kindStdin|fragment, make([]byte, urpc.PayloadSize))
		_, err = b.Receive()
		a.Receive()
	}
	if err != ErrBroken {
		t.Errorf("endless message: %v", err)
	}
}
