package buffer

import "testing"

// TestBuffer checks that the buffer is a whole page, zeroed, and one user's.
func TestBuffer(t *testing.T) {
	b, err := Lock()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != Size || Address(b)%Size != 0 {
		t.Errorf("%d bytes at %#x", len(b), Address(b))
	}
	*As[uint64](b) = 0x0102
	if b[0] != 2 || b[1] != 1 {
		t.Errorf("bytes %d, %d", b[0], b[1])
	}
	taken := make(chan bool)
	go func() {
		Lock()
		taken <- true
		Unlock()
	}()
	select {
	case <-taken:
		t.Error("two have the buffer")
	default:
	}
	Unlock()
	<-taken
}
