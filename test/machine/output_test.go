package machine

import (
	"strconv"
	"testing"

	"skerry/test/boot"
)

// TestOutputs lets programs on all cores write to standard output and standard
// error at once, in writes of all sizes. Each has bytes of its own, so that
// what comes out can be told apart: all of it must, in order.
func TestOutputs(t *testing.T) {
	writer := boot.Temp(t, "writer.go", `package main

import (
	"os"
	"strconv"
)

func main() {
	first, _ := strconv.Atoi(os.Args[1])
	n := 0
	for size := 1; n < 60_000; size = size*3%10_007 + 1 {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(first + n%40)
			n++
		}
		out := os.Stdout
		if first%80 != 0 {
			out = os.Stderr
		}
		if got, err := out.Write(b); got != size || err != nil {
			os.Exit(1)
		}
	}
	os.Exit(n % 251)
}
`)
	const programs = 6
	m := &boot.Machine{Cores: 3}
	for i := range programs {
		m.Programs = append(m.Programs, boot.Program{Package: writer, Args: []string{strconv.Itoa(40 * i)}, Core: i % m.Cores})
	}
	o := boot.Run(t, m)
	if o.Err != nil {
		t.Error(o.Err)
	}
	var came [programs]int
	for stream, text := range []string{o.Stdout, o.Stderr} {
		for i := range len(text) {
			p := int(text[i]) / 40
			if p >= programs || p%2 != stream {
				t.Fatalf("byte %#x came on stream %d", text[i], stream+1)
			}
			if want := byte(40*p + came[p]%40); text[i] != want {
				t.Fatalf("byte %d of program %d is %#x, want %#x", came[p], p, text[i], want)
			}
			came[p]++
		}
	}
	for i, p := range o.Outcomes {
		if came[i] < 60_000 || p.Status.Code != uint64(came[i]%251) {
			t.Errorf("%d bytes of program %d came; it ended with code %d", came[i], i, p.Status.Code)
		}
	}
}
