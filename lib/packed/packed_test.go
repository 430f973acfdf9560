package packed

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

type name [5]byte

type inner struct {
	A int8
	B uint64
	C [3]uint16
}

type outer struct {
	Kind  uint8
	Inner inner
	Word  uint32
	Name  name
	List  [2]inner
	Last  int16
	Is    [2]bool
}

// TestAsBinary puts and gets as encoding/binary does.
func TestAsBinary(t *testing.T) {
	for _, make := range []func() any{
		func() any { return new(outer) }, func() any { return new(inner) }, func() any { return new(struct{}) },
		func() any { return new(struct{ A, B uint8 }) }, func() any { return new(uint32) }, func() any { return new([7]uint64) },
	} {
		size := binary.Size(make())
		if n := Size(make()); n != size {
			t.Fatalf("a %T takes %d bytes, not %d", make(), n, size)
		}
		rapid.Check(t, func(t *rapid.T) {
			b := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "bytes")
			got, want := make(), make()
			if _, err := binary.Decode(b, binary.LittleEndian, want); err != nil {
				t.Fatal(err)
			}
			if !Get(b, got) || !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			// What is not 0 is true, and true is 1.
			b, _ = binary.Append(nil, binary.LittleEndian, want)
			back := bytes.Repeat([]byte{0xee}, size+3)
			if n := Put(back, got); n != size || !bytes.Equal(back[:size], b) || !bytes.Equal(back[size:], []byte{0xee, 0xee, 0xee}) {
				t.Fatalf("put %d bytes %x, want %x", n, back, b)
			}
		})
		if before, after := make(), make(); Get(bytes.Repeat([]byte{1}, size+1), after) || !reflect.DeepEqual(before, after) {
			t.Errorf("got a %T of a byte too many", after)
		}
		if size > 0 && Get(bytes.Repeat([]byte{1}, size-1), make()) {
			t.Errorf("got a %T of a byte too few", make())
		}
	}
}

// TestRefuses panics at what has no fixed layout, each time.
func TestRefuses(t *testing.T) {
	for _, v := range []any{outer{}, new([]byte), new(struct{ S string }), new(int)} {
		for range 2 {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%T is taken", v)
					}
				}()
				Size(v)
			}()
		}
	}
}
