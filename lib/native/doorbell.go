package native

import (
	"encoding/binary"
	"fmt"
	"syscall"
)

// DoorbellPath is the device file through which a thread waits for the
// notifications of its dispatcher.
const DoorbellPath = "/dev/skerry/doorbell"

// Doorbell is where a program waits for notifications: doorbells of channels,
// serial ports that have bytes or room, interrupts, programs that have ended.
type Doorbell struct{ fd int }

// OpenDoorbell opens the dispatcher's doorbell. Notifications from before
// count: the first Wait returns at once if there have been any.
func OpenDoorbell() (*Doorbell, error) {
	fd, err := syscall.Open(DoorbellPath, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", DoorbellPath, err)
	}
	return &Doorbell{fd}, nil
}

// Wait blocks, and its thread with it, until there are notifications that no
// earlier Wait has seen. It returns how many there have been since the start.
func (d *Doorbell) Wait() (uint64, error) {
	var b [8]byte
	for {
		// The plain system call: the file cannot be polled.
		n, err := syscall.Read(d.fd, b[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("read %s: %w", DoorbellPath, err)
		case n != len(b):
			return 0, fmt.Errorf("read %s: %d bytes", DoorbellPath, n)
		}
		return binary.LittleEndian.Uint64(b[:]), nil
	}
}
