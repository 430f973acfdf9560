package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// DoorbellPath is the device file through which a program waits for the
// notifications of its dispatcher.
const DoorbellPath = "/dev/skerry/doorbell"

// Doorbell is where a program waits for notifications: doorbells of channels,
// serial ports that have bytes or room, interrupts, programs that have ended.
// One goroutine at a time may wait at one; each has the same to tell.
type Doorbell struct{ file *os.File }

// OpenDoorbell opens the dispatcher's doorbell. Notifications from before
// count: the first Wait returns at once if there have been any.
func OpenDoorbell() (*Doorbell, error) {
	// Non-blocking, so that the runtime polls it.
	fd, err := syscall.Open(DoorbellPath, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", DoorbellPath, err)
	}
	return &Doorbell{os.NewFile(uintptr(fd), DoorbellPath)}, nil
}

// Wait parks the goroutine, and no thread, until there are notifications that
// no earlier Wait has seen. It returns how many there have been since the start.
// It fails with os.ErrDeadlineExceeded when the deadline has passed, and with
// os.ErrClosed after Close.
func (d *Doorbell) Wait() (uint64, error) {
	var b [8]byte
	switch n, err := d.file.Read(b[:]); {
	case errors.Is(err, io.EOF) || err == nil && n != len(b):
		return 0, fmt.Errorf("read %s: %d bytes", DoorbellPath, n)
	case err != nil:
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

// SetDeadline sets until when Wait waits, for ever if t is zero: also one that
// waits already.
func (d *Doorbell) SetDeadline(t time.Time) error { return d.file.SetReadDeadline(t) }

// File returns the device as a file that the runtime polls. It is the
// doorbell's still.
func (d *Doorbell) File() *os.File { return d.file }

// Close ends the use of the doorbell: Wait returns.
func (d *Doorbell) Close() error { return d.file.Close() }
