package machine

import (
	"testing"

	"skerry/lib/session"
	"skerry/lib/urpc"
)

// TestDepth: a ring has room for as many messages as were asked for, however many have been
// received and not been acknowledged.
func TestDepth(t *testing.T) {
	for _, messages := range []int{1, 2, 3, 4, 5, 64, 1000, session.SlotsMax/4*3 - 1} {
		size := urpc.FrameSize(int(depth(messages)))
		f := memory(t, size)
		var a, b urpc.Channel
		a.Attach(f.base, size, urpc.A)
		b.Attach(f.base, size, urpc.B)
		var buf [urpc.PayloadSize]byte
		for n := range 2 * session.SlotsMax {
			if free := a.Free(); free < messages {
				t.Errorf("%d messages were asked for, and after %d there is room for %d", messages, n, free)
				break
			}
			a.Send(1, nil)
			b.Receive(&buf)
		}
	}
}
