package files

import (
	"testing"
	"unsafe"

	"skerry/abi/linux"
)

// TestSizes holds the sizes that Spans promises against the structures.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"stat", unsafe.Sizeof(linux.Stat{}), statSize},
		{"statfs", unsafe.Sizeof(linux.Statfs{}), statfsSize},
		{"iovec", unsafe.Sizeof(linux.Iovec{}), 16},
		{"epoll_event", unsafe.Sizeof(linux.EpollEvent{}), 12},
		{"pollfd", unsafe.Sizeof(linux.PollFD{}), 8},
		{"flock", unsafe.Sizeof(lock{}), lockSize},
	} {
		if c.got != c.want {
			t.Errorf("%s has %d bytes, want %d", c.name, c.got, c.want)
		}
	}
	t.Logf("Files has %d KiB of which %d are buffers", Size>>10, (mapsSize+stdinSize+maxPipes*pipeSize)>>10)
}
