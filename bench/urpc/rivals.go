package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"skerry/lib/urpc"
)

// rivals are round trips by what else a host offers, of a full payload where there is
// one.
var rivals = []row{
	{"spin_round_trip", spinHere, spinThere},
	{"channel_round_trip", channelHere, nil},
	{"futex_round_trip", futexHere, futexThere},
	{"eventfd_round_trip", ask(fileEventOut, fileEventIn, 8), answer(fileEventIn, fileEventOut, 8)},
	{"pipe_round_trip", ask(filePipeOut, filePipeIn, urpc.PayloadSize), answer(filePipeIn, filePipeOut, urpc.PayloadSize)},
	{"socket_round_trip", ask(fileSocket, fileSocket, urpc.PayloadSize), answer(fileSocket, fileSocket, urpc.PayloadSize)},
}

// The files of an end.
const (
	filePipeIn = iota
	filePipeOut
	fileSocket
	fileEventIn
	fileEventOut
	fileCount
)

// openFiles opens the files of both ends.
func openFiles() (ours, theirs [fileCount]int, err error) {
	var there, back [2]int
	err = errors.Join(unix.Pipe2(there[:], unix.O_CLOEXEC), unix.Pipe2(back[:], unix.O_CLOEXEC))
	sockets, socketError := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	first, firstError := unix.Eventfd(0, unix.EFD_CLOEXEC)
	second, secondError := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err = errors.Join(err, socketError, firstError, secondError); err != nil {
		return ours, theirs, fmt.Errorf("open files for both processes: %w", err)
	}
	ours = [fileCount]int{back[0], there[1], sockets[0], first, second}
	theirs = [fileCount]int{there[0], back[1], sockets[1], second, first}
	return ours, theirs, nil
}

// ask writes to one file and waits for the answer from another.
func ask(out, in, size int) func(*end, int) error {
	return func(e *end, n int) error {
		var buf [urpc.PayloadSize]byte
		buf[0] = 1 // an eventfd counts
		for range n {
			if err := transfer(syscall.Write, e.files[out], buf[:size]); err != nil {
				return err
			}
			if err := transfer(syscall.Read, e.files[in], buf[:size]); err != nil {
				return err
			}
		}
		return nil
	}
}

func answer(in, out, size int) func(*end, int) error {
	return func(e *end, n int) error {
		var buf [urpc.PayloadSize]byte
		for range n {
			if err := transfer(syscall.Read, e.files[in], buf[:size]); err != nil {
				return err
			}
			if err := transfer(syscall.Write, e.files[out], buf[:size]); err != nil {
				return err
			}
		}
		return nil
	}
}

// transfer reads or writes all of a buffer.
func transfer(call func(int, []byte) (int, error), fd int, b []byte) error {
	for len(b) > 0 {
		n, err := call(fd, b)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case n == 0:
			return errors.New("the other process has closed the file")
		default:
			b = b[n:]
		}
	}
	return nil
}

// Spin: one mailbox, which is one line, and a word in it that says whose turn it is.
func spinHere(e *end, n int) error  { return spin(e, n, 0) }
func spinThere(e *end, n int) error { return spin(e, n, 1) }

func spin(e *end, n int, me uint64) error {
	var buf [urpc.PayloadSize]byte
	turn, payload := e.word(4), (*[urpc.PayloadSize]byte)(at(e.words+4*128+8))
	for i := range uint64(n) {
		await(turn, 2*i+me)
		if buf = *payload; me == 0 {
			buf[0]++
		}
		*payload = buf
		turn.Store(2*i + me + 1)
	}
	if me == 0 {
		await(turn, 2*uint64(n))
	}
	return nil
}

// Futex: two words, each of which one end writes and the other waits for.
func futexHere(e *end, n int) error {
	for i := range uint32(n) {
		futexWake(e.word(0), i+1)
		futexWait(e.word(1), i+1)
	}
	return nil
}

func futexThere(e *end, n int) error {
	for i := range uint32(n) {
		futexWait(e.word(0), i+1)
		futexWake(e.word(1), i+1)
	}
	return nil
}

func futexWake(w *atomic.Uint64, value uint32) {
	w.Store(uint64(value))
	syscall.Syscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), 1 /* FUTEX_WAKE */, 1)
}

func futexWait(w *atomic.Uint64, value uint32) {
	for {
		now := w.Load()
		if now == uint64(value) {
			return
		}
		syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), 0 /* FUTEX_WAIT */, uintptr(now), 0, 0, 0)
	}
}

// Go channels between two threads, each on its processor.
func channelHere(e *end, n int) error {
	type message [urpc.PayloadSize]byte
	there, back := make(chan message), make(chan message)
	failed := make(chan error, 1)
	go func() {
		// The thread ends with the goroutine, since it stays locked.
		if err := pin(e.cpu); err != nil {
			failed <- err
			return
		}
		for range n {
			back <- <-there
		}
	}()
	var m message
	for range n {
		select {
		case there <- m:
		case err := <-failed:
			return err
		}
		m = <-back
	}
	return nil
}
