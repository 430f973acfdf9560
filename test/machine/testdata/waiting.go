// Waiting has goroutines wait for the doorbell and for messages in channels, both
// ends of which are its own. It ends with exit code 0, or says what was wrong.
//
//	waiting doorbell     threads and deadlines of native.Doorbell
//	waiting messages     connections, on all of the program's dispatchers
//	waiting idle N       has N goroutines wait for ever
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/ring"
	"skerry/lib/native"
	"skerry/lib/native/endpoint"
	"skerry/lib/native/slots"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "waiting:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch args[0] {
	case "doorbell":
		return errors.Join(threads(), deadlines())
	case "messages":
		return messages()
	case "idle":
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return idle(n)
	}
	return fmt.Errorf("what is %q?", args[0])
}

// ownBell returns what rings this program's own doorbell. It does so by a thread of the
// first dispatcher, whose capabilities it takes.
func ownBell() (func() error, error) {
	wanted, made := make(chan struct{}, 1), make(chan error)
	go func() {
		runtime.LockOSThread()
		first := [1]uint64{1}
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(first), uintptr(unsafe.Pointer(&first))); errno != 0 {
			made <- errno
			return
		}
		bell, err := makeBell()
		made <- err
		for range wanted {
			if err := bell.Ring(); err != nil {
				fmt.Fprintln(os.Stderr, "waiting: ring:", err)
				os.Exit(1)
			}
		}
	}()
	return func() error {
		select {
		case wanted <- struct{}{}:
		default: // it is yet to be rung
		}
		return nil
	}, <-made
}

// makeBell makes a doorbell of an endpoint of this dispatcher.
func makeBell() (typed.Doorbell, error) {
	own, err := endpoint.New(1)
	if err != nil {
		return 0, err
	}
	slot, err := native.Slot()
	if err != nil {
		return 0, err
	}
	rule := capability.Of(capability.Doorbell)
	return typed.Doorbell(slot), slots.Home(slot).Retype(slot.Slot(), 1, capability.Reference(own), capability.Doorbell, 0, rule.Least)
}

// threads parks many goroutines at doorbells: all are woken, and hardly any thread is
// made for them.
func threads() error {
	ring, err := ownBell()
	if err != nil {
		return fmt.Errorf("make a doorbell: %w", err)
	}
	const bells, rings = 64, 10
	before := pprof.Lookup("threadcreate").Count()
	seen := make(chan error)
	all := make([]*native.Doorbell, bells)
	for i := range all {
		if all[i], err = native.OpenDoorbell(); err != nil {
			return err
		}
		go func() {
			for {
				_, err := all[i].Wait()
				seen <- err
				if err != nil {
					return
				}
			}
		}()
	}
	for range rings {
		if err := ring(); err != nil {
			return fmt.Errorf("ring: %w", err)
		}
		// Each sees it; some may have seen what came before besides.
		for range bells {
			if err := <-seen; err != nil {
				return err
			}
		}
	}
	if made := pprof.Lookup("threadcreate").Count() - before; made > 8 {
		return fmt.Errorf("%d threads were made for %d goroutines that wait", made, bells)
	}
	for _, b := range all {
		b.Close()
	}
	for closed := 0; closed < bells; {
		if err := <-seen; errors.Is(err, os.ErrClosed) {
			closed++
		} else if err != nil {
			return err
		}
	}
	return nil
}

// deadlines lets waits end by time, while others go on.
func deadlines() error {
	b, err := native.OpenDoorbell()
	if err != nil {
		return err
	}
	defer b.Close()
	var last uint64
	for range 3 {
		if err := b.SetDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
			return err
		}
		for {
			n, err := b.Wait()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return err
			}
			if n <= last {
				return fmt.Errorf("notification %d comes after %d", n, last)
			}
			last = n
		}
	}
	ring, err := ownBell()
	if err != nil {
		return err
	}
	if err := errors.Join(b.SetDeadline(time.Time{}), ring()); err != nil {
		return err
	}
	n, err := b.Wait()
	if err == nil && n <= last {
		err = fmt.Errorf("after ringing there have been %d notifications, as before", n)
	}
	return err
}

// memory returns fresh memory for so many bytes.
func memory(bytes int) (uintptr, error) {
	b, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	return uintptr(unsafe.Pointer(unsafe.SliceData(b))), err
}

// program is the Set, the board and the doorbell of this program.
type program struct {
	set   *wait.Set
	board uintptr
	ring  func() error
}

func newProgram() (*program, error) {
	bell, err := ownBell()
	if err != nil {
		return nil, err
	}
	at, err := memory(2 * urpc.BoardSize)
	if err != nil {
		return nil, err
	}
	board := new(urpc.Board)
	board.Attach(at, at+urpc.BoardSize)
	set, err := wait.Open(board)
	return &program{set, at, bell}, err
}

// connect returns the two ends of a connection with so many slots.
func (p *program) connect(slots int, polled bool) (*ring.Conn, *ring.Conn, error) {
	frame, err := memory(urpc.FrameSize(slots))
	if err != nil {
		return nil, nil, err
	}
	var items [2]*wait.Item
	for i := range items {
		if items[i], err = p.set.Add(nil); err != nil {
			return nil, nil, err
		}
	}
	var ends [2]*ring.Conn
	for i := range ends {
		c := ring.Config{
			Base: frame, Size: urpc.FrameSize(slots), Side: urpc.Side(i), Item: items[i],
			Bell: new(urpc.Bell), Ring: p.ring, Polled: polled,
		}
		c.Bell.Attach(p.board, p.board+urpc.BoardSize, items[1-i].Number())
		if ends[i], err = ring.New(c); err != nil {
			return nil, nil, err
		}
	}
	return ends[0], ends[1], nil
}

// messages sends to and fro over connections of both forms, several at a time, while
// another goroutine computes.
func messages() error {
	p, err := newProgram()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	failed := make(chan error, 100)
	for _, form := range []struct {
		conns, rounds int
		polled        bool
	}{{1, 400, false}, {5, 100, false}, {1, 400, true}} {
		for range form.conns {
			a, b, err := p.connect(8, form.polled)
			if err != nil {
				return err
			}
			all.Go(func() { failed <- echo(ctx, b) })
			all.Go(func() {
				for window := 1; window <= 16; window *= 4 {
					if err := rounds(ctx, a, form.rounds, window); err != nil {
						failed <- fmt.Errorf("%d at a time, polled %v: %w", window, form.polled, err)
					}
				}
				a.Close()
			})
		}
		all.Wait()
		for len(failed) > 0 {
			if err := <-failed; err != nil {
				return err
			}
		}
	}
	return expire(p)
}

// echo sends back what comes until the peer has closed.
func echo(ctx context.Context, c *ring.Conn) error {
	defer c.Close()
	var m channel.Message
	for {
		err := c.Receive(ctx, &m)
		if err == nil {
			err = c.Send(ctx, &m)
		}
		if err == channel.ErrPeer {
			return nil
		}
		if err != nil {
			return fmt.Errorf("echo: %w", err)
		}
	}
}

// rounds has numbered messages come back, so many under way at a time.
func rounds(ctx context.Context, c *ring.Conn, messages, window int) error {
	sending := make(chan error, 1)
	room := make(chan struct{}, window)
	go func() {
		m := channel.Message{Kind: 1, Length: 8}
		for n := range messages {
			room <- struct{}{}
			binary.LittleEndian.PutUint64(m.Payload[:], uint64(n))
			if err := c.Send(ctx, &m); err != nil {
				sending <- err
				return
			}
		}
		sending <- nil
	}()
	var m channel.Message
	for n := range messages {
		if err := c.Receive(ctx, &m); err != nil {
			return err
		}
		if got := binary.LittleEndian.Uint64(m.Payload[:]); got != uint64(n) {
			return fmt.Errorf("message %d came in place of %d", got, n)
		}
		<-room
	}
	return <-sending
}

// expire waits for what does not come.
func expire(p *program) error {
	a, b, err := p.connect(8, false)
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	var m channel.Message
	if err := a.Receive(ctx, &m); err != context.DeadlineExceeded {
		return fmt.Errorf("a wait with a deadline: %v", err)
	}
	// Others go on meanwhile, or nobody would ever cancel this one.
	ctx, cancel = context.WithCancel(context.Background())
	go func() {
		for range 5 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if err := a.Receive(ctx, &m); err != context.Canceled {
		return fmt.Errorf("a wait that is cancelled: %v", err)
	}
	done := make(chan error)
	go func() { done <- a.Receive(context.Background(), &m) }()
	if err := a.Close(); err != nil {
		return err
	}
	if err := <-done; err != channel.ErrClosed {
		return fmt.Errorf("a wait at an end that is closed: %v", err)
	}
	return p.set.Close()
}

// idle waits for what does not come, with many goroutines.
func idle(n int) error {
	p, err := newProgram()
	if err != nil {
		return err
	}
	ended := make(chan error)
	for range n {
		a, _, err := p.connect(4, false)
		if err != nil {
			return err
		}
		go func() {
			var m channel.Message
			ended <- a.Receive(context.Background(), &m)
		}()
	}
	// Whoever measures waits for this.
	fmt.Println("all wait")
	return <-ended
}
