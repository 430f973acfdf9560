package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"skerry/interface/echo"
	"skerry/lib/bind"
	"skerry/lib/bind/introduce"
	"skerry/lib/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/hop"
	"skerry/lib/native/slots"
	"skerry/lib/stub"
)

// What the server exports: messages, and calls through stubs.
const (
	messages = "bench.messages"
	calls    = "bench.calls"
)

var bare = channel.Interface{Name: "bench", Version: 1, Fingerprint: 0x62656e6368}

// Kinds of messages.
const (
	kindEcho  = 1 + iota // is sent back
	kindSink             // is not
	kindEnd              // is sent back, and the server ends
	kindBusy             // is sent back; who sends it will go on
	kindCrowd            // is sent back with the number of those who have sent kindBusy
)

// crowded are the connections over which kindBusy has come.
var crowded atomic.Int32

// serve answers whoever binds until somebody says that it is to end.
func serve() error {
	over, stop := context.WithCancel(context.Background())
	defer stop()
	plain, err := bind.Export(messages, bare)
	if err != nil {
		return err
	}
	defer plain.Close()
	stubs, err := bind.Export(calls, echo.Interface)
	if err != nil {
		return err
	}
	defer stubs.Close()
	var served sync.WaitGroup
	served.Go(func() {
		accept(over, plain, &served, func(c channel.Conn) error { return answer(over, c, stop) })
	})
	served.Go(func() {
		accept(over, stubs, &served, func(c channel.Conn) error { return echo.Serve(over, c, parrot{}, stub.Inline) })
	})
	served.Wait()
	return nil
}

// accept serves all who bind until it is over.
func accept(over context.Context, l *bind.Listener, served *sync.WaitGroup, how func(channel.Conn) error) {
	for {
		c, err := l.Accept(over)
		if over.Err() != nil {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "channel: accept:", err)
			return
		}
		served.Go(func() {
			err := how(c)
			if over.Err() == nil && err != nil && !errors.Is(err, channel.ErrPeer) {
				fmt.Fprintln(os.Stderr, "channel: a client:", err)
			}
			c.Close()
		})
	}
}

// answer sends back what is to be sent back.
func answer(over context.Context, c channel.Conn, stop func()) error {
	var m channel.Message
	busy := false
	for over.Err() == nil { // who always finds a message does not hear of it
		if err := c.Receive(over, &m); err != nil {
			return err
		}
		switch {
		case m.Kind == kindSink:
			continue
		case m.Kind == kindBusy && !busy:
			busy = true
			crowded.Add(1)
		case m.Kind == kindCrowd:
			m.Payload[0] = byte(crowded.Load())
		}
		if err := c.Send(over, &m); err != nil {
			return err
		}
		if m.Kind == kindEnd {
			stop()
			return nil
		}
	}
	return over.Err()
}

// parrot says what it hears.
type parrot struct{}

func (parrot) Empty(context.Context) error                                 { return nil }
func (parrot) Word(_ context.Context, word uint64) (uint64, error)         { return word, nil }
func (parrot) Words(_ context.Context, words [8]uint64) ([8]uint64, error) { return words, nil }
func (parrot) Blob(_ context.Context, data []byte) ([]byte, error)         { return data, nil }
func (parrot) Note(context.Context, uint64) error                          { return nil }
func (parrot) Frame(_ context.Context, f capability.Frame) (capability.Frame, error) {
	return f, nil
}

// passOn is a relay for as long as there is a server.
func passOn() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l, err := bind.Export(hop.Relay, introduce.Interface)
	if err != nil {
		return err
	}
	defer l.Close()
	reach := bind.Reach(slots.Drop)
	var served sync.WaitGroup
	served.Go(func() {
		accept(ctx, l, &served, func(c channel.Conn) error { return reach.Serve(ctx, c) })
	})
	if _, err := bind.Lookup(ctx, messages); err != nil {
		return err
	}
	if err := bind.Watch(ctx, messages); err != nil {
		return err
	}
	cancel()
	served.Wait()
	return nil
}
