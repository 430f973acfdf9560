// Parrot serves and calls skerry/interface/echo, for the tests of this folder:
//
//	parrot serve N    serve N clients, each until it has left
//	parrot die N      end without a word when N notes have come
//	parrot call       call all methods, from many goroutines too
//	parrot mourn      call until the server is gone
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"skerry/abi"
	invoke "skerry/abi/capability"
	"skerry/interface/echo"
	"skerry/lib/bind"
	"skerry/lib/capability"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/native/slots"
)

// patience is how long a client may take. Servers have no deadline, so that a call has one
// only if its client has.
const patience = 2 * time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "parrot: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	n := 0
	if len(args) == 2 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	}
	switch {
	case len(args) == 2 && args[0] == "serve":
		return serve(context.Background(), n)
	case len(args) == 2 && args[0] == "die":
		return echo.Export(context.Background(), "echo", &parrot{life: int64(n)})
	case len(args) == 1 && args[0] == "call":
		return call(ctx)
	case len(args) == 1 && args[0] == "mourn":
		return mourn(ctx)
	}
	return fmt.Errorf("%q is nothing to do", args)
}

// serve serves so many clients.
func serve(ctx context.Context, clients int) error {
	listener, err := bind.Export("echo", echo.Interface)
	if err != nil {
		return err
	}
	defer listener.Close()
	p := &parrot{}
	var served sync.WaitGroup
	for range clients {
		conn, err := listener.Accept(ctx)
		if err != nil {
			return err
		}
		served.Go(func() {
			if err := echo.Serve(ctx, conn, p); err != nil {
				fmt.Fprintf(os.Stderr, "parrot: a client: %v\n", err)
			}
		})
	}
	served.Wait()
	fmt.Printf("served %d clients, %d notes\n", clients, p.notes.Load())
	return nil
}

// parrot is an echo.Echo.
type parrot struct {
	notes atomic.Int64
	life  int64 // so many notes; 0: for ever
}

func (p *parrot) Empty(ctx context.Context) error {
	if _, ok := ctx.Deadline(); ok {
		return nil
	}
	<-ctx.Done() // who gives no time is cancelled
	return ctx.Err()
}
func (p *parrot) Word(_ context.Context, w uint64) (uint64, error)        { return w, nil }
func (p *parrot) Words(_ context.Context, w [8]uint64) ([8]uint64, error) { return w, nil }
func (p *parrot) Blob(_ context.Context, b []byte) ([]byte, error)        { return b, nil }

// Frame copies the first byte of the frame that it gets to its second, plus one, and to
// a frame that it makes, plus two.
func (p *parrot) Frame(_ context.Context, f capability.Frame) (capability.Frame, error) {
	var got byte
	err := within(f, func(memory []byte) {
		got = memory[0]
		memory[1] = got + 1
	})
	if err != nil {
		return 0, err
	}
	if err := slots.Drop(invoke.Reference(f)); err != nil {
		return 0, err
	}
	return makeFrame(got + 2)
}

func (p *parrot) Note(context.Context, uint64) error {
	if p.notes.Add(1) == p.life {
		os.Exit(0)
	}
	return nil
}

// within maps a frame of one page, uses it, and unmaps it.
func within(f capability.Frame, use func([]byte)) error {
	at, err := native.Map(invoke.Reference(f), 0, abi.PageSize, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	use(unsafe.Slice((*byte)(unsafe.Pointer(at)), abi.PageSize))
	return native.Unmap(at, abi.PageSize)
}

// call calls all methods.
func call(ctx context.Context) error {
	c, err := echo.Dial(ctx, "echo")
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Empty(ctx); err != nil {
		return err
	}
	var callers sync.WaitGroup
	failed := make([]error, 20)
	for g := range failed {
		callers.Go(func() { failed[g] = many(ctx, c, uint64(g)) })
	}
	callers.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if err := give(ctx, c); err != nil {
		return err
	}
	short, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, cancel)
	if err := c.Empty(short); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled: %v", err)
	}
	if w, err := c.Word(ctx, 7); w != 7 || err != nil {
		return fmt.Errorf("after that: %d, %v", w, err)
	}
	fmt.Printf("called by %s\n", c.Binding().Transport)
	return nil
}

// many makes a goroutine's calls.
func many(ctx context.Context, c *echo.Client, g uint64) error {
	for n := range uint64(10) {
		w := g<<32 | n
		if got, err := c.Word(ctx, w); got != w || err != nil {
			return fmt.Errorf("word %#x came back as %#x: %v", w, got, err)
		}
		if got, err := c.Words(ctx, [8]uint64{7: w}); got[7] != w || err != nil {
			return fmt.Errorf("words %#x came back as %#x: %v", w, got, err)
		}
		b := bytes.Repeat([]byte{byte(w), byte(g)}, int(50*n))
		if got, err := c.Blob(ctx, b); !bytes.Equal(got, b) || err != nil {
			return fmt.Errorf("%d bytes came back as %d: %v", len(b), len(got), err)
		}
		if err := c.Note(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// makeFrame makes a frame that begins with a byte.
func makeFrame(first byte) (capability.Frame, error) {
	ram, err := native.Slot()
	if err != nil {
		return 0, err
	}
	if err := native.RAM(abi.PageSize, ram); err != nil {
		return 0, err
	}
	frame, err := native.Slot()
	if err != nil {
		return 0, err
	}
	err = slots.Home(frame).Retype(frame.Slot(), 1, ram, invoke.Frame, 0, abi.PageSize)
	if err != nil && !errors.Is(err, invoke.ErrPending) {
		return 0, err
	}
	return capability.Frame(frame), within(capability.Frame(frame), func(memory []byte) { memory[0] = first })
}

// give gives a frame to the server, which writes to it and gives another one.
func give(ctx context.Context, c *echo.Client) error {
	given, err := makeFrame(40)
	if err != nil {
		return err
	}
	got, err := c.Frame(ctx, given)
	if err != nil {
		return err
	}
	var written, first byte
	err = errors.Join(
		within(given, func(memory []byte) { written = memory[1] }),
		within(got, func(memory []byte) { first = memory[0] }))
	if err != nil {
		return err
	}
	if written != 41 || first != 42 {
		return fmt.Errorf("the server wrote %d to the frame that was given, and %d to the one that it gave", written, first)
	}
	return nil
}

// mourn calls until there is nobody any more.
func mourn(ctx context.Context) error {
	c, err := echo.Dial(ctx, "echo")
	if err != nil {
		return err
	}
	defer c.Close()
	waiting := make(chan error, 1)
	go func() { waiting <- c.Empty(context.Background()) }()
	for n := uint64(0); err == nil; n++ {
		if err = c.Note(ctx, n); err == nil {
			_, err = c.Word(ctx, n)
		}
	}
	if !errors.Is(err, channel.ErrPeer) {
		return err
	}
	if err := <-waiting; !errors.Is(err, channel.ErrPeer) {
		return fmt.Errorf("the call that waited: %v", err)
	}
	fmt.Println("the server is gone")
	return nil
}
