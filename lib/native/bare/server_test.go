package bare

import (
	"bytes"
	"testing"

	"skerry/abi"
)

// TestServerCode checks that what is copied is one routine of instructions.
func TestServerCode(t *testing.T) {
	start, end := serverCode()
	if end <= start || end-start > 512 || end-start > abi.PageSize {
		t.Fatalf("%d bytes", int64(end-start))
	}
	syscall := []byte{0x0f, 0x05}
	if n := bytes.Count(Server(), syscall); n != 3 {
		t.Errorf("%d native calls in %x", n, Server())
	}
}
