package link

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"skerry/abi"
)

func frames() []Frame {
	end := End{abi.Status{Domain: 7, Kind: abi.ExitFault, Code: 1 << 60, FaultRIP: 0x7f0000001234, CPU: -1}, 3, 9}
	end.Trace[11] = 9
	return []Frame{
		{Hello, 0, None, []byte(`{"Version":"0.1.0"}`)},
		{Started, 3, 0, AppendStarted(nil, 1)},
		{Failed, 1, 1, []byte("no memory")},
		{Stdout, 3, 0, []byte("a\x00b\n")},
		{Stderr, 3, 0, nil},
		{Window, 3, 0, AppendWindow(nil, 4096)},
		{Stdin, 3, 0, bytes.Repeat([]byte("S"), MaxPayload)},
		{StdinEOF, 3, 0, nil},
		{Exit, 3, 0, AppendEnd(nil, &end)},
		{Kill, None, None, nil},
		{Log, 2, None, []byte("line")},
		{Info, 0, None, []byte("{}")},
		{Bye, 0, None, nil},
	}
}

func encode(t testing.TB, fs []Frame) []byte {
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, f := range fs {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	b := encode(t, frames())
	for name, in := range map[string]io.Reader{
		"whole": bytes.NewReader(b), "bytewise": iotest.OneByteReader(bytes.NewReader(b)),
	} {
		r := NewReader(in)
		for i, want := range frames() {
			got, err := r.Next()
			if err != nil {
				t.Fatalf("%s: frame %d: %v", name, i, err)
			}
			if got.Kind != want.Kind || got.Core != want.Core || got.Program != want.Program || !bytes.Equal(got.Payload, want.Payload) {
				t.Fatalf("%s: frame %d: got %v, want %v", name, i, got, want)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("%s: at the end: %v", name, err)
		}
	}
}

func TestEnd(t *testing.T) {
	want := End{abi.Status{Domain: 1, Kind: abi.ExitSignal, Code: 11, FaultAddress: 1 << 63, CPU: 6}, 3, 5 << 20}
	want.Trace[0] = 4
	got, err := ParseEnd(AppendEnd(nil, &want))
	if err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := ParseEnd(nil); err == nil {
		t.Fatal("an empty status was read")
	}
}

func TestTruncated(t *testing.T) {
	b := encode(t, []Frame{{Stdout, 0, 0, []byte("hello")}})
	for n := 1; n < len(b); n++ {
		r := NewReader(bytes.NewReader(b[:n]))
		for range 2 { // the error stays
			if _, err := r.Next(); err != io.ErrUnexpectedEOF {
				t.Fatalf("cut at %d: %v", n, err)
			}
		}
	}
}

func TestFormatErrors(t *testing.T) {
	good := encode(t, []Frame{{Bye, 0, None, nil}})
	for _, c := range []struct {
		want string
		edit func([]byte)
	}{
		{"starts with 0x54", func(b []byte) { b[0]++ }},
		{"unknown kind 0", func(b []byte) { b[1] = 0 }},
		{"unknown kind 14", func(b []byte) { b[1] = byte(lastKind) + 1 }},
		{"bye frame of 1 bytes", func(b []byte) { b[6] = 1 }},
	} {
		bad := bytes.Clone(good)
		c.edit(bad)
		r := NewReader(bytes.NewReader(append(bytes.Clone(good), bad...)))
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		_, err := r.Next()
		var fe *FormatError
		if !errors.As(err, &fe) || fe.Offset != HeaderSize || !strings.Contains(fe.Reason, c.want) {
			t.Errorf("want %q at 8, got %v", c.want, err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	w := NewWriter(io.Discard)
	for _, f := range []Frame{
		{Kind: 0}, {Kind: lastKind + 1}, {Kind: Bye, Payload: []byte{1}},
		{Kind: Exit}, {Kind: Stdout, Payload: make([]byte, MaxPayload+1)},
	} {
		if err := w.Write(f); err == nil {
			t.Errorf("%v frame of %d bytes was written", f.Kind, len(f.Payload))
		}
	}
}

func TestWriterErrorStays(t *testing.T) {
	r, p := io.Pipe()
	r.Close()
	w := NewWriter(p)
	for range 2 {
		if err := w.Write(Frame{Kind: Bye}); err != io.ErrClosedPipe {
			t.Fatalf("got %v", err)
		}
	}
}

func TestWriteStream(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789"), 1000)
	var b bytes.Buffer
	if err := NewWriter(&b).WriteStream(Stdout, 2, 5, want, 999); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for r := NewReader(&b); ; {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil || f.Kind != Stdout || f.Core != 2 || f.Program != 5 || len(f.Payload) > 999 {
			t.Fatalf("%v, %v", f, err)
		}
		got = append(got, f.Payload...)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the stream changed on its way")
	}
}

// FuzzReader holds that whatever comes in, the reader ends with an error of
// the kinds it promises, and that what it took is what a writer writes.
func FuzzReader(f *testing.F) {
	var all bytes.Buffer
	w := NewWriter(&all)
	for _, fr := range frames() {
		if len(fr.Payload) < 1000 {
			w.Write(fr)
		}
	}
	f.Add(all.Bytes())
	f.Add([]byte("S\x04\x00\x00\x00\x00\x02\x00x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in))
		var out bytes.Buffer
		w := NewWriter(&out)
		for {
			fr, err := r.Next()
			if err != nil {
				var fe *FormatError
				if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.As(err, &fe) {
					t.Fatalf("error %v", err)
				}
				if err == io.EOF && !bytes.Equal(out.Bytes(), in) {
					t.Fatal("frames read are not those written")
				}
				break
			}
			if err := w.Write(fr); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(in, out.Bytes()) {
			t.Fatal("frames read are not those written")
		}
	})
}
