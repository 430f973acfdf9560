package stub

import (
	"bytes"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"skerry/lib/channel"
)

// A step encodes a value, and returns what decodes it and reports whether it is the
// same.
type step func(*Encoder) func(*Decoder) bool

func number[T comparable](put func(*Encoder, T), get func(*Decoder) T, v T) step {
	return func(e *Encoder) func(*Decoder) bool {
		put(e, v)
		return func(d *Decoder) bool { return get(d) == v }
	}
}

// aStep draws a value of any kind.
func aStep(t *rapid.T) step {
	v := rapid.Uint64().Draw(t, "value")
	max := rapid.SampledFrom([]int{1, 255, 256, 300, 65535, 65536, 70000}).Draw(t, "bound")
	b := bytes.Repeat([]byte{byte(v)}, int(v%uint64(min(max, 600)+1)))
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return number((*Encoder).Bool, (*Decoder).Bool, v&1 == 1)
	case 1:
		return number((*Encoder).Uint8, (*Decoder).Uint8, uint8(v))
	case 2:
		return number((*Encoder).Uint16, (*Decoder).Uint16, uint16(v))
	case 3:
		return number((*Encoder).Uint32, (*Decoder).Uint32, uint32(v))
	case 4:
		return number((*Encoder).Uint64, (*Decoder).Uint64, v)
	case 5:
		return number((*Encoder).Float64, (*Decoder).Float64, math.Float64frombits(v>>12))
	case 6:
		at := time.Unix(int64(v), int64(v%1e9))
		return func(e *Encoder) func(*Decoder) bool {
			e.Time(at)
			return func(d *Decoder) bool { return d.Time().Equal(at) }
		}
	case 7:
		return func(e *Encoder) func(*Decoder) bool {
			e.String("text", string(b), max)
			return func(d *Decoder) bool { return d.String(max) == string(b) }
		}
	case 8:
		return func(e *Encoder) func(*Decoder) bool {
			e.Bytes("bytes", b, max)
			return func(d *Decoder) bool { return bytes.Equal(d.Bytes(max), b) }
		}
	}
	return func(e *Encoder) func(*Decoder) bool {
		n := e.Count("bytes", len(b), max)
		e.Raw(b[:n])
		return func(d *Decoder) bool {
			got := make([]byte, d.Count(max, 1))
			d.Raw(got)
			return bytes.Equal(got, b)
		}
	}
}

// TestCodec has what is encoded come out as it was, and any part of it be found wanting.
func TestCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m channel.Message
		var e Encoder
		for range 2 { // the second time with the buffers of the first
			e.start(m.Payload[:0])
			var checks []func(*Decoder) bool
			for range rapid.IntRange(0, 20).Draw(t, "values") {
				checks = append(checks, aStep(t)(&e))
			}
			if e.err != nil {
				t.Fatal(e.err)
			}
			var d Decoder
			d.start(e.b, nil)
			for i, check := range checks {
				if !check(&d) {
					t.Fatalf("value %d is another", i)
				}
			}
			if !d.finished() {
				t.Fatalf("%d bytes are left, failed: %v", d.left(), d.left() < 0)
			}
			if len(e.b) > 0 {
				d.start(e.b[:rapid.IntRange(0, len(e.b)-1).Draw(t, "cut")], nil)
				for _, check := range checks {
					check(&d)
				}
				if d.finished() {
					t.Fatal("it makes sense though it was cut")
				}
			}
		}
	})
}

// FuzzDecoder reads anything as anything: nothing is longer than its bound.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{7, 8, 200, 1, 2, 3}, []byte{1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, kinds, data []byte) {
		var d Decoder
		d.start(data, nil)
		for _, k := range kinds {
			max := 1 << (k >> 4)
			switch n := 0; k & 7 {
			case 0:
				d.Bool()
			case 1:
				d.Uint32()
			case 2:
				d.Time()
			case 3:
				n = len(d.String(max))
				fallthrough
			case 4:
				n += len(d.Bytes(max)) / 2
				fallthrough
			case 5:
				n += d.Count(max, 4) / 2
				if n > 2*max || n > len(data) {
					t.Errorf("%d elements, bound %d, of %d bytes", n, max, len(data))
				}
			case 6:
				d.Raw(make([]byte, max))
			case 7:
				if d.Capability() != 0 {
					t.Error("a capability that did not come")
				}
			}
		}
	})
}

func TestCut(t *testing.T) {
	for n, want := range []string{"", "a", "a", "aü", "aü", "aüü", "aüü", "aüü", "aüü€"} {
		if got := cut("aüü€", n); got != want {
			t.Errorf("%d: %q rather than %q", n, got, want)
		}
	}
}
