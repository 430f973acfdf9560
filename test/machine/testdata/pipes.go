// Pipes moves bytes through pipes between goroutines and checks their ends.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

func check(ok bool, format string, args ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, "pipes: "+format+"\n", args...)
		os.Exit(1)
	}
}

func pipe() (r, w *os.File) {
	r, w, err := os.Pipe()
	check(err == nil, "pipe: %v", err)
	return r, w
}

func main() {
	// Much more than a pipe holds, through a chain of pipes.
	data := make([]byte, 1<<20+123)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	first, in := pipe()
	from := first
	for range 3 {
		r, w := pipe()
		go func(from *os.File) {
			_, err := io.Copy(w, from)
			check(err == nil, "copying: %v", err)
			w.Close()
		}(from)
		from = r
	}
	go func() {
		n, err := in.Write(data)
		check(n == len(data) && err == nil, "wrote %d: %v", n, err)
		in.Close()
	}()
	got, err := io.ReadAll(from)
	check(err == nil && bytes.Equal(got, data), "%d bytes came, sum %x: %v", len(got), sha256.Sum256(got), err)

	// Small writes of several writers stay whole.
	r, w := pipe()
	var group sync.WaitGroup
	for i := range byte(8) {
		group.Go(func() {
			for range 50 {
				w.Write(bytes.Repeat([]byte{i}, 100))
			}
		})
	}
	go func() { group.Wait(); w.Close() }()
	counts := [8]int{}
	for b := make([]byte, 100); ; {
		_, err := io.ReadFull(r, b)
		if err == io.EOF {
			break
		}
		check(err == nil && bytes.Count(b, b[:1]) == 100, "a write was mixed with another: %v %v", b, err)
		counts[b[0]]++
	}
	for i, n := range counts {
		check(n == 50, "%d writes of writer %d arrived", n, i)
	}

	// Without a reader.
	r, w = pipe()
	r.Close()
	_, err = w.Write([]byte{1})
	check(errors.Is(err, syscall.EPIPE), "writing to no one: %v", err)

	// Closing ends a read that waits.
	r, w = pipe()
	ended := make(chan error)
	go func() {
		_, err := r.Read(make([]byte, 1))
		ended <- err
	}()
	w.Close()
	err = <-ended
	check(err == io.EOF, "a read of a closed pipe: %v", err)

	// Descriptors are given back.
	for range 2000 {
		r, w := pipe()
		r.Close()
		w.Close()
	}
}
