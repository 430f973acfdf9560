package main

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"skerry/lib/urpc"
)

// rivals are round trips by what else a host offers, of a full payload where there is
// one, and messages one way as fast as they go where any number may be under way.
var rivals = []row{
	{name: "spin_round_trip", here: spinHere, there: spinThere},
	{name: "channel_round_trip", here: channelAsk, there: channelAnswer, local: true},
	{name: "futex_round_trip", here: futexHere, there: futexThere},
	{name: "eventfd_round_trip", here: ask(fileEventOut, fileEventIn, 8, 1), there: answer(fileEventIn, fileEventOut, 8, 1)},
	{name: "pipe_round_trip", here: ask(filePipeOut, filePipeIn, urpc.PayloadSize, 1), there: answer(filePipeIn, filePipeOut, urpc.PayloadSize, 1)},
	{name: "socket_round_trip", here: ask(fileSocket, fileSocket, urpc.PayloadSize, 1), there: answer(fileSocket, fileSocket, urpc.PayloadSize, 1)},
	{name: "channel_message", here: channelStream, there: channelSink, local: true},
	{name: "pipe_message", here: ask(filePipeOut, filePipeIn, urpc.PayloadSize, all), there: answer(filePipeIn, filePipeOut, urpc.PayloadSize, all)},
	{name: "socket_message", here: ask(fileSocket, fileSocket, urpc.PayloadSize, all), there: answer(fileSocket, fileSocket, urpc.PayloadSize, all)},
}

// all is how many messages go for one answer where there is one at the end.
const all = math.MaxInt

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

// ask writes to one file, and waits for an answer from another after so many messages and
// at the end.
func ask(out, in, size, each int) func(*end, int) error {
	return func(e *end, n int) error {
		var buf [urpc.PayloadSize]byte
		buf[0] = 1 // an eventfd counts
		for i := range n {
			if err := transfer(unix.SYS_WRITE, e.files[out], buf[:size]); err != nil {
				return err
			}
			if (i+1)%each != 0 && i != n-1 {
				continue
			}
			if err := transfer(unix.SYS_READ, e.files[in], buf[:size]); err != nil {
				return err
			}
		}
		return nil
	}
}

func answer(in, out, size, each int) func(*end, int) error {
	return func(e *end, n int) error {
		var buf [urpc.PayloadSize]byte
		for i := range n {
			if err := transfer(unix.SYS_READ, e.files[in], buf[:size]); err != nil {
				return err
			}
			if (i+1)%each != 0 && i != n-1 {
				continue
			}
			if err := transfer(unix.SYS_WRITE, e.files[out], buf[:size]); err != nil {
				return err
			}
		}
		return nil
	}
}

// transfer reads or writes all of a buffer. Go's scheduler is not told that the thread
// waits, which has no other goroutine to run: so nothing but what the host does is measured.
func transfer(call uintptr, fd int, b []byte) error {
	for len(b) > 0 {
		n, _, err := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch {
		case err == syscall.EINTR:
		case err != 0:
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
	syscall.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), 1 /* FUTEX_WAKE */, 1)
}

func futexWait(w *atomic.Uint64, value uint32) {
	for {
		now := w.Load()
		if now == uint64(value) {
			return
		}
		futexSleep(w, uint32(now))
	}
}

// futexSleep waits until it is woken, unless the word's value is another one already.
func futexSleep(w *atomic.Uint64, value uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), 0 /* FUTEX_WAIT */, uintptr(value), 0, 0, 0)
}

// goChannels are between two threads of this process, each on its processor.
type goChannels struct {
	there, back chan [urpc.PayloadSize]byte
}

// newGoChannels makes channels with room for as many messages as there is in a ring.
func newGoChannels(depth int) goChannels {
	return goChannels{make(chan [urpc.PayloadSize]byte, depth), make(chan [urpc.PayloadSize]byte, depth)}
}

func channelAsk(e *end, n int) error {
	var m [urpc.PayloadSize]byte
	for range n {
		e.channels.there <- m
		m = <-e.channels.back
	}
	return nil
}

func channelAnswer(e *end, n int) error {
	for range n {
		e.channels.back <- <-e.channels.there
	}
	return nil
}

func channelStream(e *end, n int) error {
	var m [urpc.PayloadSize]byte
	for range n {
		e.channels.there <- m
	}
	<-e.channels.back
	return nil
}

func channelSink(e *end, n int) error {
	var m [urpc.PayloadSize]byte
	for range n {
		m = <-e.channels.there
	}
	e.channels.back <- m
	return nil
}
