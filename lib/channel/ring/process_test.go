package ring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"skerry/lib/channel"
	"skerry/lib/urpc"
)

// role names, in the environment, what a child process does, and number by which
// number it hints.
const (
	role   = "SKERRY_RING_ROLE"
	number = "SKERRY_RING_NUMBER"
)

// The files of a child: the frame, the two boards, what it waits on, and what rings
// its parent.
const (
	childFrame = 3 + iota
	childBoard
	childParent
	childWakes
	childRings
)

const frameSize = 4 * pageSize

// TestMain does a child's part if this process is one.
func TestMain(m *testing.M) {
	if r := os.Getenv(role); r != "" {
		if err := child(r); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child sends back what it receives, until its peer has closed.
func child(role string) error {
	frame, err1 := mapMemory(os.NewFile(childFrame, "frame"), frameSize)
	board, err2 := mapMemory(os.NewFile(childBoard, "board"), boardSize)
	parents, err3 := mapMemory(os.NewFile(childParent, "the parent's board"), boardSize)
	n, err4 := strconv.Atoi(os.Getenv(number))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	if role == "hostile" || role == "liar" {
		scribble(frame, parents, role == "liar")
	}
	if err := syscall.SetNonblock(childWakes, true); err != nil {
		return err
	}
	own, err := programOf(board, os.NewFile(childWakes, "bell"), nil)
	if err != nil {
		return err
	}
	parent := &program{board: parents, bell: os.NewFile(childRings, "the parent's bell")}
	item, err := own.set.Add(nil)
	if err != nil {
		return err
	}
	c, err := New(config(frame, urpc.B, own, parent, item, n, role == "polled"))
	if err != nil {
		return err
	}
	var m channel.Message
	for err == nil {
		if err = c.Receive(context.Background(), &m); err == nil {
			err = c.Send(context.Background(), &m)
		}
	}
	if errors.Is(err, channel.ErrPeer) {
		return nil
	}
	return err
}

// scribble writes to the parent's hints, to the headers of slots, and unless it
// only lies to all else in the frame but the word by which it would say that it has
// closed.
func scribble(frame, parents *memory, lies bool) {
	random := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	word := func(at uintptr) *atomic.Uint64 { return *(**atomic.Uint64)(unsafe.Pointer(&at)) }
	const closed = 2*urpc.SlotSize + 16
	for {
		at := random.IntN(frameSize/8) * 8
		switch what := random.IntN(100); {
		case what < 10:
			word(parents.at(random.IntN(urpc.BoardSize/8) * 8)).Store(random.Uint64())
		case what < 20:
			for i := 0; i < urpc.BoardSize; i += 8 {
				word(parents.at(i)).Store(0)
			}
		case what < 99 || lies:
			header := uint64(random.IntN(2)) | uint64(1+random.IntN(255))<<8 | uint64(random.IntN(urpc.PayloadSize+1))<<16
			word(frame.at(max(at, urpc.Rings)&^63 + urpc.PayloadSize)).Store(header)
		case at != closed:
			word(frame.at(at)).Store(random.Uint64())
		}
	}
}

// other is another process.
type other struct {
	*exec.Cmd
	ended chan struct{}
	said  strings.Builder
}

// spawn starts a child and returns p's end of the connection, which is told when
// the child has ended.
func spawn(t testing.TB, p *program, as string) (*Conn, *other) {
	t.Helper()
	frame, board := newMemory(t, frameSize), newMemory(t, boardSize)
	wakes, rings, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer wakes.Close()
	t.Cleanup(func() { rings.Close() })
	item := add(t, p)
	o := &other{Cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	o.Env = append(os.Environ(), role+"="+as, fmt.Sprintf("%s=%d", number, item.Number()))
	o.ExtraFiles = []*os.File{frame.file, board.file, p.board.file, wakes, p.bell}
	o.Stderr = &o.said
	// A child hints by number 0, as its first item has.
	c := open(t, config(frame, urpc.A, p, &program{board: board, bell: rings}, item, 0, as == "polled"))
	if err := o.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		o.Wait()
		c.Gone()
		close(o.ended)
	}()
	t.Cleanup(func() {
		o.Process.Kill()
		<-o.ended
	})
	return c, o
}

// echo has n numbered messages sent and come back, so many of them under way.
func echo(ctx context.Context, c *Conn, n, window uint64) error {
	var m channel.Message
	for sent, received := uint64(0), uint64(0); received < n; {
		if sent < n && sent-received < window {
			m = channel.Message{Kind: 1, Length: 8}
			binary.LittleEndian.PutUint64(m.Payload[:], sent)
			if err := c.Send(ctx, &m); err != nil {
				return fmt.Errorf("send message %d: %w", sent, err)
			}
			sent++
			continue
		}
		if err := c.Receive(ctx, &m); err != nil {
			return fmt.Errorf("receive message %d: %w", received, err)
		}
		if got := binary.LittleEndian.Uint64(m.Payload[:]); m.Length != 8 || got != received {
			return fmt.Errorf("received message %d of %d bytes, not %d", got, m.Length, received)
		}
		received++
	}
	return nil
}

// TestProcesses talks to another process, which ends when it is told that its peer has
// closed.
func TestProcesses(t *testing.T) {
	for _, as := range []string{"doorbell", "polled"} {
		t.Run(as, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c, o := spawn(t, newProgram(t), as)
			for _, window := range []uint64{1, 8, 50} {
				if err := echo(ctx, c, 5000, window); err != nil {
					t.Fatal(err)
				}
			}
			c.Close()
			select {
			case <-o.ended:
				if !o.ProcessState.Success() {
					t.Error(o.ProcessState, &o.said)
				}
			case <-ctx.Done():
				t.Error("the other process does not end when its peer has closed")
			}
		})
	}
}

// TestDeath kills the other process in the midst of messages.
func TestDeath(t *testing.T) {
	for _, as := range []string{"doorbell", "polled"} {
		t.Run(as, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c, o := spawn(t, newProgram(t), as)
			if err := echo(ctx, c, 100, 8); err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() { done <- echo(ctx, c, 1<<40, 8) }()
			o.Process.Kill()
			if err := <-done; !errors.Is(err, channel.ErrPeer) {
				t.Error(err)
			}
		})
	}
}

// TestHostile has peers that write whatever they like wherever they can, beside one that
// does not: that one's connection is as good as ever, and the others' carry garbage or
// break, but nothing hangs.
func TestHostile(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := newProgram(t)
	good, _ := spawn(t, p, "doorbell")
	var victims sync.WaitGroup
	var received, broken atomic.Uint64
	for _, as := range []string{"hostile", "liar"} {
		bad, _ := spawn(t, p, as)
		victims.Go(func() {
			var m channel.Message
			for {
				short, cancel := context.WithTimeout(ctx, time.Millisecond)
				err := bad.Receive(short, &m)
				if err == nil {
					received.Add(1)
					err = bad.Send(short, &channel.Message{Kind: 1})
				}
				cancel()
				switch {
				case ctx.Err() != nil:
					return
				case err == nil, err == context.DeadlineExceeded:
				case err == channel.ErrBroken:
					broken.Add(1)
					return
				default:
					t.Error("a hostile peer's connection:", err)
					return
				}
			}
		})
	}
	if err := echo(ctx, good, 20_000, 1); err != nil {
		t.Error("beside hostile peers:", err)
	}
	if err := echo(ctx, good, 20_000, 8); err != nil {
		t.Error("beside hostile peers:", err)
	}
	cancel()
	victims.Wait()
	t.Logf("%d messages of garbage, %d connections broken", received.Load(), broken.Load())
}
