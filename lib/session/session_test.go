package session

import (
	"encoding/binary"
	"errors"
	"testing"

	"skerry/lib/urpc"
)

var messages = []any{
	&Export{}, &Unexport{}, &Lookup{}, &Watch{}, &Cancel{}, &Bind{}, &Answer{}, &Close{}, &Give{}, &Withdraw{},
	&Exported{}, &Found{}, &NameGone{}, &Incoming{}, &Bound{}, &Gone{}, &Arrived{}, &Given{}, &Withdrawn{},
}

func TestSizes(t *testing.T) {
	for _, m := range messages {
		if n := binary.Size(m); n <= 0 || n > urpc.PayloadSize {
			t.Errorf("%T has %d bytes, a slot takes %d", m, n, urpc.PayloadSize)
		}
	}
}

// FuzzGet reads whatever comes as each of the messages; what is one is written as
// it was.
func FuzzGet(f *testing.F) {
	var b [urpc.PayloadSize]byte
	for _, m := range messages {
		n := Put(&b, m)
		f.Add(b[:n])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, m := range messages {
			if !Get(data, len(data), m) {
				continue
			}
			var again [urpc.PayloadSize]byte
			if n := Put(&again, m); string(again[:n]) != string(data) {
				t.Errorf("%T: %x was read from %x", m, again[:n], data)
			}
		}
	})
}

func TestNames(t *testing.T) {
	for _, s := range []string{"", "two words", "über", "0123456789012345678901234567890+"} {
		if n, err := MakeName(s); err == nil || n.Valid() {
			t.Errorf("%q is a name", s)
		}
	}
	n, err := MakeName("store")
	if err != nil || n.String() != "store" || !n.Valid() {
		t.Errorf("%q, %v", n, err)
	}
	n[10] = 'x'
	if n.Valid() {
		t.Errorf("%q is a name", n)
	}
}

// TestRefusal: whoever waits and binds again when it is refused need not know why it was.
func TestRefusal(t *testing.T) {
	for e := range Error(len(errorTexts)) {
		r := e.Refusal()
		if is, not := errors.Is(r, ErrRefused), r == e && e != ErrRefused; is == not {
			t.Errorf("%q is told as %q", e, r)
		}
		if errorTexts[e] == "" {
			t.Errorf("error %d says nothing", e)
		}
	}
}
