package supply

import (
	"bytes"
	"testing"

	"skerry/abi/capability"
	"skerry/lib/urpc"

	"pgregory.net/rapid"
)

// All payloads fit into a message.
const (
	_ = uint(urpc.PayloadSize - PieceSize)
	_ = uint(urpc.PayloadSize - ListingSize)
	_ = uint(urpc.PayloadSize - ThreadSize)
)

// threads generates any Thread.
func threads(t *rapid.T) Thread {
	th := Thread{
		Query: rapid.Uint32().Draw(t, "query"), ID: rapid.Uint32().Draw(t, "id"), CPU: rapid.Uint32().Draw(t, "cpu"),
		State: State(rapid.Uint8().Draw(t, "state")), Wait: Wait(rapid.Uint8().Draw(t, "wait")),
		Policy: rapid.Uint8().Draw(t, "policy"), Priority: rapid.Uint8().Draw(t, "priority"), Nice: rapid.Int8().Draw(t, "nice"),
		Call: rapid.Uint16().Draw(t, "call"), Object: rapid.Uint64().Draw(t, "object"), Deadline: rapid.Int64().Draw(t, "deadline"),
	}
	copy(th.Name[:], rapid.SliceOfN(rapid.Byte(), 0, len(th.Name)).Draw(t, "name"))
	return th
}

// TestRoundTrip: what is put is got, and nothing of the buffer is left unset.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th, got := threads(t), Thread{}
		var b, over [ThreadSize]byte
		for i := range over {
			over[i] = 0xff
		}
		th.Put(&b)
		th.Put(&over)
		if b != over {
			t.Fatalf("the payload depends on what was there: % x, % x", b, over)
		}
		if !got.Get(b[:], ThreadSize) || got != th {
			t.Fatalf("put %+v, got %+v", th, got)
		}
		l, back := Listing{rapid.Uint32().Draw(t, "query"), rapid.Uint32().Draw(t, "next")}, Listing{}
		var c [ListingSize]byte
		l.Put(&c)
		if !back.Get(c[:], ListingSize) || back != l {
			t.Fatalf("put %+v, got %+v", l, back)
		}
		p := Piece{Error: capability.Error(rapid.Uint32().Draw(t, "error")), Number: rapid.Uint32().Draw(t, "number"), Size: rapid.Uint64().Draw(t, "size")}
		var again Piece
		var d [PieceSize]byte
		p.Put(&d)
		if !again.Get(d[:], PieceSize) || again != p {
			t.Fatalf("put %+v, got %+v", p, again)
		}
	})
}

// FuzzGet: whatever came, Get accepts it only at its own size, and puts the
// same bytes again but for those that mean nothing.
func FuzzGet(f *testing.F) {
	f.Add(make([]byte, ThreadSize), ThreadSize)
	f.Add(bytes.Repeat([]byte{0xff}, urpc.PayloadSize), ListingSize)
	f.Add([]byte{1, 2, 3}, PieceSize)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		var th Thread
		if got := th.Get(b, n); got != (n == ThreadSize && len(b) >= n) {
			t.Fatalf("a thread of %d bytes of %d: %v", n, len(b), got)
		} else if got {
			var again [ThreadSize]byte
			th.Put(&again)
			want := [ThreadSize]byte(b)
			want[17] = 0
			if again != want {
				t.Fatalf("% x became % x", b[:n], again)
			}
			if th.State.String() == "" || th.Wait != WaitNothing && th.Wait.String() == "" {
				t.Fatalf("%+v has a state without a name", th)
			}
		}
		var l Listing
		if got := l.Get(b, n); got != (n == ListingSize && len(b) >= n) {
			t.Fatalf("a listing of %d bytes of %d: %v", n, len(b), got)
		} else if got {
			var again [ListingSize]byte
			if l.Put(&again); !bytes.Equal(again[:], b[:n]) {
				t.Fatalf("% x became % x", b[:n], again)
			}
		}
		var p Piece
		if got := p.Get(b, n); got != (n == PieceSize && len(b) >= n) {
			t.Fatalf("a piece of %d bytes of %d: %v", n, len(b), got)
		}
	})
}
