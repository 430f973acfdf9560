package stub_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"skerry/interface/echo"
	"skerry/lib/channel"
	"skerry/lib/channel/ring"
	"skerry/lib/stub"
	"skerry/lib/urpc"
)

// mapped is an end of a connection whose memory is unmapped when it is given up: whoever
// touches it after that ends the test.
type mapped struct {
	*ring.Conn
	over chan struct{} // closed then
}

// mappedPair returns two ends that poll, each with a mapping of its own.
func mappedPair(t *testing.T) (ends [2]mapped) {
	t.Helper()
	size := (urpc.FrameSize(8) + 4095) &^ 4095
	file, err := os.Create(filepath.Join(t.TempDir(), "frame"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	for i := range ends {
		m, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		c, err := ring.New(ring.Config{
			Base: uintptr(unsafe.Pointer(&m[0])), Size: size, Side: urpc.Side(i), Polled: true,
			OnClose: func() error {
				defer close(over)
				return syscall.Munmap(m)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		ends[i] = mapped{c, over}
	}
	return ends
}

// givenUp checks that an end has been given up, or soon is.
func (m mapped) givenUp(t *testing.T) {
	t.Helper()
	select {
	case <-m.over:
	case <-time.After(patience):
		t.Fatal("its memory is still mapped")
	}
}

// TestCloseBesideCalls closes a client over which others call.
func TestCloseBesideCalls(t *testing.T) {
	for range 20 {
		for callers := range 4 {
			ends := mappedPair(t)
			served := make(chan error, 1)
			go func() { served <- echo.Serve(context.Background(), ends[1].Conn, &parrot{}, stub.Inline) }()
			client := echo.NewClient(ends[0].Conn)
			var all sync.WaitGroup
			called := make(chan bool, callers)
			for range callers {
				all.Go(func() {
					for n := uint64(0); ; n++ {
						if w, err := client.Word(context.Background(), n); errors.Is(err, channel.ErrClosed) {
							return
						} else if w != n || err != nil {
							t.Errorf("%d came back as %d: %v", n, w, err)
							return
						}
						if n == 10 {
							called <- true
						}
					}
				})
			}
			for range callers {
				<-called
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
			select {
			case <-ends[0].over:
			default:
				t.Error("it is closed, and its memory still mapped")
			}
			all.Wait()
			if err := <-served; err != nil {
				t.Error("served:", err)
			}
			ends[1].givenUp(t)
		}
	}
}

// TestCloseByCall has an inline call close the connection that it came by.
func TestCloseByCall(t *testing.T) {
	ends := mappedPair(t)
	client := echo.NewClient(ends[0].Conn)
	defer client.Close()
	served := make(chan error, 1)
	go func() {
		served <- echo.Serve(context.Background(), ends[1].Conn, &parrot{empty: func(context.Context) error {
			return ends[1].Close()
		}}, stub.Inline)
	}()
	if err := client.Empty(within(t)); !errors.Is(err, channel.ErrPeer) {
		t.Error("the call:", err)
	}
	select {
	case err := <-served:
		if !errors.Is(err, channel.ErrClosed) {
			t.Error("served:", err)
		}
	case <-time.After(patience):
		t.Fatal("the server goes on")
	}
	ends[1].givenUp(t)
}

// TestGone has the peer of a client and of a server go: nobody closes what has nothing to say any more.
func TestGone(t *testing.T) {
	for name, inline := range modes {
		t.Run(name, func(t *testing.T) {
			ends := mappedPair(t)
			client := echo.NewClient(ends[0].Conn)
			served := make(chan error, 1)
			go func() { served <- echo.Serve(context.Background(), ends[1].Conn, &parrot{}, inline...) }()
			if _, err := client.Word(within(t), 1); err != nil {
				t.Fatal(err)
			}
			ends[0].Gone()
			ends[0].givenUp(t)
			if err := client.Empty(within(t)); !errors.Is(err, channel.ErrPeer) {
				t.Error("a call:", err)
			}
			if err := <-served; err != nil {
				t.Error("served:", err)
			}
			ends[1].givenUp(t)
		})
	}
}
