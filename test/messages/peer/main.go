// Peer is the program of the tests of messages: one role of several, each of which ends
// with exit code 0 if all went as it should.
//
//	peer ROLE NAME [NUMBER [MORE]]
//
// With UNTIL_INPUT_ENDS in its environment it ends well when its input does.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/native/slots"
)

var speech = channel.Interface{Name: "peer", Version: 1, Fingerprint: 1}

// Kinds of messages.
const (
	kindNumber = 1 + iota // a number, the next one each time
	kindFrame             // a frame with a number in its first word
	kindDone              // asks for how many frames there are
	kindBlind             // a frame that nobody looks into
	kindLost              // a frame that was withdrawn on its way
	kindBell              // a doorbell
	kindRing              // who is to ring it, by how far on it is
	kindTally             // asks for what tally counts
	kindOver              // no other receiver comes
)

var roles = map[string]func(ctx context.Context, name string, n int) error{
	"serve": serve, "call": call, "give": give, "keep": keep, "orphan": orphan, "late": late,
	"version": version, "die": die, "scribble": scribble, "idle": idle, "stay": stay, "spray": spray,
	"forward": forward, "revoke": revoke, "race": race, "back": back, "sprays": sprays, "heir": heir, "stuffed": stuffed, "patient": patient,
	"overlap": overlap,
	"lines":   lines, "gather": gather, "self": self,
	"forget": forget, "leave": leave,
	"ringer": ringer, "rung": rung,
	"rounds": rounds, "tally": tally,
}

func main() {
	role := roles[os.Args[1]]
	n := 0
	if len(os.Args) > 3 {
		n, _ = strconv.Atoi(os.Args[3])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	if os.Getenv("UNTIL_INPUT_ENDS") != "" {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	if err := role(ctx, os.Args[2], n); err != nil {
		fmt.Printf("%s %s: %v\n", os.Args[1], os.Args[2], err)
		os.Exit(1)
	}
}

// serve exports a name, and sends back what comes, until n have come and gone.
func serve(ctx context.Context, name string, n int) error { return serveBy(ctx, name, n, answer) }

// serveBy is serve with another way to answer.
func serveBy(ctx context.Context, name string, n int, answer func(context.Context, channel.Conn) error) error {
	l, err := bind.Export(name, speech)
	if err != nil {
		return err
	}
	defer l.Close()
	var all sync.WaitGroup
	for range n {
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		all.Go(func() {
			defer c.Close()
			if err := answer(ctx, c); err != nil {
				fmt.Println("serve", name, err)
			}
		})
	}
	all.Wait()
	return nil
}

// answer sends back what comes; in a frame that comes it writes one more than it read. A frame
// that is gone, since its giver is, it says to be lost.
func answer(ctx context.Context, c channel.Conn) error {
	var m channel.Message
	for {
		if err := c.Receive(ctx, &m); errors.Is(err, channel.ErrPeer) || errors.Is(err, channel.ErrBroken) {
			return nil
		} else if err != nil {
			return err
		}
		if m.Capability != 0 {
			err := inFrame(m.Capability, func(word *uint64) { *word++ })
			if errors.Is(err, bind.ErrWithdrawn) {
				m.Kind, err = kindLost, nil
			}
			if err := errors.Join(err, slots.Drop(m.Capability)); err != nil {
				return err
			}
			m.Capability = 0
		}
		if err := c.Send(ctx, &m); errors.Is(err, channel.ErrPeer) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// inFrame does something with the first word of a frame. It fails with ErrWithdrawn if
// the frame is gone, or goes meanwhile, as it does when its giver is killed.
func inFrame(frame capability.Reference, do func(*uint64)) (err error) {
	at, err := native.Map(frame, 0, abi.PageSize, abi.ProtRead|abi.ProtWrite)
	if errors.Is(err, capability.ErrEmpty) {
		return bind.ErrWithdrawn
	}
	if err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = bind.ErrWithdrawn
		}
		err = errors.Join(err, native.Unmap(at, abi.PageSize))
	}()
	do((*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&at))))
	return nil
}

func number(i int) *channel.Message {
	m := &channel.Message{Kind: kindNumber, Length: channel.PayloadSize}
	for at := 0; at < channel.PayloadSize; at += 8 {
		binary.LittleEndian.PutUint64(m.Payload[at:], uint64(i)*uint64(at+1))
	}
	return m
}

// call binds, says by what, and sends n numbers, as fast as they come back.
func call(ctx context.Context, name string, n int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Printf("%s by %s: %s\n", name, c.Binding().Transport, c.Binding().Why)
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if err := c.Send(ctx, number(i)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	var m channel.Message
	for i := range n {
		if err := c.Receive(ctx, &m); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if m != *number(i) {
			return fmt.Errorf("message %d came as %v", i, m)
		}
	}
	return <-sent
}

// give gives frames: what one end writes the other reads. Then it takes each back.
func give(ctx context.Context, name string, n int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range n {
		page, err := newMemory()
		if err != nil {
			return err
		}
		frame := page.frame
		want := uint64(1000 * i)
		if err := inFrame(frame, func(w *uint64) { *w = want }); err != nil {
			return fmt.Errorf("map: %w", err)
		}
		m := channel.Message{Kind: kindFrame, Capability: frame}
		if err := c.Send(ctx, &m); err != nil {
			return fmt.Errorf("send frame %d: %w", i, err)
		}
		if err := c.Receive(ctx, &m); err != nil {
			return fmt.Errorf("receive answer %d: %w", i, err)
		}
		var got uint64
		if err := inFrame(frame, func(w *uint64) { got = *w }); err != nil {
			return err
		}
		if got != want+1 {
			return fmt.Errorf("frame %d holds %d, not %d", i, got, want+1)
		}
		if err := errors.Join(page.revoke(ctx), page.free()); err != nil {
			return err
		}
	}
	fmt.Printf("%d frames by %s\n", n, c.Binding().Transport)
	return nil
}

// patiently repeats what the kernel has begun.
func patiently(do func() error) error {
	for {
		err := do()
		if !errors.Is(err, capability.ErrPending) && !errors.Is(err, capability.ErrRevoking) && !errors.Is(err, capability.ErrNotReady) && !errors.Is(err, capability.ErrBusy) {
			return err
		}
		if err := native.Yield(0); err != nil {
			return err
		}
	}
}

// stay exports a name and takes what comes until it is killed.
func stay(ctx context.Context, name string, _ int) error { return serve(ctx, name, 1<<30) }

// die exports a name, and ends without a word when n have bound to it and have been
// answered, one of them for a while.
func die(ctx context.Context, name string, n int) error {
	l, err := bind.Export(name, speech)
	if err != nil {
		return err
	}
	var answered atomic.Int32 // of those who have bound
	for range n {
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		go func() {
			var m channel.Message
			for answers := 1; ; answers++ {
				if c.Receive(ctx, &m) != nil || c.Send(ctx, &m) != nil {
					return
				}
				if answers == 1 {
					answered.Add(1)
				}
				if answers > 50 && answered.Load() == int32(n) {
					os.Exit(0)
				}
			}
		}()
	}
	<-ctx.Done()
	return ctx.Err()
}

// spray gives frames without end until it is killed: none is lost, nor the receiver.
func spray(ctx context.Context, name string, _ int) error {
	if err := pour(ctx, name, errors.New("a frame was lost, and its giver lives")); err != nil {
		return err
	}
	return errors.New("the receiver is gone")
}

// pour gives frames until the receiver is killed, or says that it is over. When that says that
// one was lost, pour fails with lost, unless it is nil.
func pour(ctx context.Context, name string, lost error) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	page, err := newMemory()
	if err != nil {
		return err
	}
	for {
		m := channel.Message{Kind: kindFrame, Capability: page.frame}
		err := c.Send(ctx, &m)
		if err == nil {
			err = c.Receive(ctx, &m)
		}
		switch {
		case errors.Is(err, channel.ErrPeer):
			return nil
		case err != nil:
			return err
		case m.Kind == kindOver:
			return errOver
		case m.Kind == kindLost && lost != nil:
			return lost
		}
	}
}

// keep binds, and says what it is told when the other is killed: its end, and that of
// its name.
func keep(ctx context.Context, name string, _ int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	watched := make(chan error, 1)
	go func() { watched <- bind.Watch(ctx, name) }()
	// It is asked for something all the time, and then for nothing.
	for i := 0; err == nil; i++ {
		var m channel.Message
		if err = c.Send(ctx, number(i)); err == nil {
			err = c.Receive(ctx, &m)
		}
	}
	if !errors.Is(err, channel.ErrPeer) {
		return err
	}
	if err := c.Receive(ctx, new(channel.Message)); !errors.Is(err, channel.ErrPeer) {
		return err
	}
	if err := <-watched; err != nil {
		return err
	}
	if _, err := bind.Find(ctx, name); !errors.Is(err, bind.ErrNotFound) {
		return fmt.Errorf("the name of one that was killed: %w", err)
	}
	fmt.Println("told")
	return c.Close()
}

// orphan waits in Receive for one that is killed.
func orphan(ctx context.Context, name string, _ int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Send(ctx, number(0)); err != nil {
		return err
	}
	var m channel.Message
	if err := c.Receive(ctx, &m); err != nil {
		return err
	}
	if err := c.Receive(ctx, &m); !errors.Is(err, channel.ErrPeer) {
		return err
	}
	fmt.Println("orphaned")
	return nil
}

// late finds that a name is not there, and makes one that others wait for.
func late(ctx context.Context, name string, n int) error {
	if _, err := bind.Find(ctx, name); !errors.Is(err, bind.ErrNotFound) {
		return fmt.Errorf("found it: %w", err)
	}
	if _, err := bind.Dial(ctx, name, speech, bind.NoWait()); !errors.Is(err, bind.ErrNotFound) {
		return fmt.Errorf("bound to it: %w", err)
	}
	if err := call(ctx, name+".wanted", 1); err != nil {
		return err
	}
	return serve(ctx, name, n)
}

// version binds with another version of the interface.
func version(ctx context.Context, name string, _ int) error {
	other := speech
	other.Version = 7
	_, err := bind.Dial(ctx, name, other)
	var v *bind.VersionError
	if !errors.As(err, &v) || v.Have != 1 || v.Want != 7 {
		return fmt.Errorf("bound as another version: %w", err)
	}
	fmt.Println(err)
	_, err = bind.Export(name, speech)
	if !errors.Is(err, bind.ErrTaken) {
		return fmt.Errorf("exported a name that is taken: %w", err)
	}
	return call(ctx, name, 1)
}

// accept exports a name and waits for the first who binds to it; leave closes the connection, and
// then the export.
func accept(ctx context.Context, name string) (c channel.Conn, leave func(), err error) {
	l, err := bind.Export(name, speech)
	if err != nil {
		return nil, nil, err
	}
	if c, err = l.Accept(ctx); err != nil {
		l.Close()
		return nil, nil, err
	}
	return c, func() {
		c.Close()
		l.Close()
	}, nil
}
