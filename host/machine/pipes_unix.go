//go:build unix

package machine

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pipes is the host's end of a serial port that carries much: a pipe each way.
//
// QEMU writes what a guest sends byte by byte, one system call each. A socket
// makes a buffer of each byte and is full after some 280 of them; a pipe puts
// them together.
type pipes struct {
	from, to *os.File
	behind   bool // all that there was has been read
}

// breath is how long a reader leaves a pipe alone that it has emptied, so that
// QEMU need not wake it for every byte. It is the most that it adds to the time
// of an answer.
const breath = 200 * time.Microsecond

// newPipes returns the host's end, and the files for QEMU to read and write.
func newPipes() (p *pipes, in, out *os.File, err error) {
	from, out, err := newPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	in, to, err := newPipe()
	if err != nil {
		from.Close()
		out.Close()
		return nil, nil, nil, err
	}
	return &pipes{from: from, to: to}, in, out, nil
}

// newPipe returns a pipe whose ends block: a pipe that has ever been polled
// wakes its readers at every write, rather than at the first into an empty one.
// What blocks here goes on when QEMU ends and its ends close.
func newPipe() (r, w *os.File, err error) {
	var fds [2]int
	syscall.ForkLock.RLock()
	if err = unix.Pipe(fds[:]); err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	return os.NewFile(uintptr(fds[0]), "serial"), os.NewFile(uintptr(fds[1]), "serial"), nil
}

// Read implements io.Reader.
func (p *pipes) Read(b []byte) (int, error) {
	if p.behind {
		time.Sleep(breath)
	}
	n, err := p.from.Read(b)
	p.behind = n < len(b)
	return n, err
}

// Write implements io.Writer.
func (p *pipes) Write(b []byte) (int, error) { return p.to.Write(b) }

// Close implements io.Closer.
func (p *pipes) Close() error { return errors.Join(p.from.Close(), p.to.Close()) }
