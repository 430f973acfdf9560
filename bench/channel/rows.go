package main

import (
	"context"
	"fmt"
	"time"

	"skerry/bench/measure"
	"skerry/interface/echo"
	"skerry/lib/bind"
	"skerry/lib/channel"
)

const (
	burst = 1024                 // messages that are sent without waiting
	nap   = 3 * time.Millisecond // after it a receiver that may sleep does
	binds = 15                   // connections that are made; a program has few endpoints for LMP
)

// ways are how two programs are bound. Which of them there are depends on where the two are.
var ways = []struct {
	name      string
	transport channel.Transport
	sleeps    bool // the receiver does, if nothing comes
}{
	{"lmp", channel.TransportLMP, true},
	{"polled", channel.TransportPolled, false},
	{"doorbell", channel.TransportDoorbell, true},
	{"doorbell_one_core", channel.TransportDoorbell, true},
	{"hop", channel.TransportHop, false},
}

// besides are how many other connections there are over which nothing comes.
var besides = []int{1, 10, 100, 1000}

// rows returns the rows of all ways.
func rows() (all []measure.Row) {
	for _, w := range ways {
		all = append(all,
			row("channel_round_trip_"+w.name, w.transport, 0, roundTrip),
			row("channel_call_"+w.name, w.transport, 0, nil),
			row("channel_message_"+w.name, w.transport, 0, stream))
		if w.sleeps {
			all = append(all, row("channel_wake_"+w.name, w.transport, 0, wake), binding("channel_bind_"+w.name, w.transport))
		}
	}
	for _, n := range besides {
		all = append(all,
			row(fmt.Sprintf("channel_round_trip_beside_%d", n), channel.TransportDoorbell, n, roundTrip),
			row(fmt.Sprintf("channel_wake_beside_%d", n), channel.TransportDoorbell, n, wake))
	}
	return append(all, crowd()...)
}

// row returns a row about a connection by a transport, beside so many others; without an
// operation on it, about a call through stubs.
func row(name string, via channel.Transport, beside int, of func(channel.Conn) measure.Operation) measure.Row {
	return measure.Row{Name: name, Prepare: func() (o measure.Operation, err error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		hush, err := connectIdle(beside)
		if err != nil {
			return o, err
		}
		defer func() {
			if err != nil {
				hush()
			}
		}()
		if of == nil {
			c, err := echo.Dial(ctx, calls, bind.Via(via))
			if err != nil {
				return o, err
			}
			o = measure.Operation{Run: func() { call(c) }, Done: func() { c.Close() }}
			return o, nil
		}
		c, err := dial(ctx, via)
		if err != nil {
			return o, err
		}
		o = of(c)
		o.Done = func() {
			c.Close()
			hush()
		}
		return o, nil
	}}
}

// binding returns a row about being bound, which is undone when all have been measured.
func binding(name string, via channel.Transport) measure.Row {
	return measure.Row{Name: name, Prepare: func() (measure.Operation, error) {
		var all []channel.Conn
		bind := func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			c, err := dial(ctx, via)
			must(err)
			all = append(all, c)
		}
		return measure.Operation{Samples: binds, Run: bind, Done: func() {
			for _, c := range all {
				c.Close()
			}
		}}, nil
	}}
}

// dial binds to the server by a transport.
func dial(ctx context.Context, via channel.Transport) (channel.Conn, error) {
	return bind.Dial(ctx, messages, bare, bind.Via(via))
}

// connectIdle makes connections at whose ends goroutines wait and over which nothing
// comes, and returns what closes them.
func connectIdle(n int) (hush func(), err error) {
	var all []channel.Conn
	hush = func() {
		for _, c := range all {
			c.Close()
		}
	}
	for range n {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		c, err := dial(ctx, channel.TransportDoorbell)
		cancel()
		if err != nil {
			hush()
			return nil, fmt.Errorf("connection %d of %d: %w", len(all)+1, n, err)
		}
		all = append(all, c)
		go func() {
			var m channel.Message
			for c.Receive(context.Background(), &m) == nil {
			}
		}()
	}
	return hush, nil
}

// request sends a message and waits for it to come back.
func request(c channel.Conn, kind uint8) error {
	m := channel.Message{Kind: kind, Length: channel.PayloadSize}
	ctx := context.Background()
	if err := c.Send(ctx, &m); err != nil {
		return err
	}
	if err := c.Receive(ctx, &m); err != nil {
		return err
	}
	if m.Kind != kind {
		return fmt.Errorf("message %d comes back as %d", kind, m.Kind)
	}
	return nil
}

// roundTrip is a message with a full payload, and another one back.
func roundTrip(c channel.Conn) measure.Operation {
	return measure.Operation{Run: func() { must(request(c, kindEcho)) }}
}

// call is a call through stubs with a word, and its answer with one.
func call(c *echo.Client) {
	word, err := c.Word(context.Background(), 1)
	if err == nil && word != 1 {
		err = fmt.Errorf("the answer to 1 is %d", word)
	}
	must(err)
}

// stream is messages one way, as fast as they go, until all have been received.
func stream(c channel.Conn) measure.Operation {
	m := channel.Message{Kind: kindSink, Length: channel.PayloadSize}
	return measure.Operation{Units: burst, Samples: 31, Run: func() {
		for range burst - 1 {
			must(c.Send(context.Background(), &m))
		}
		must(request(c, kindEcho))
	}}
}

// wake is roundTrip where the receiver sleeps.
func wake(c channel.Conn) measure.Operation {
	return measure.Operation{Samples: 51, Before: func() { time.Sleep(nap) }, Run: func() { must(request(c, kindEcho)) }}
}

// must ends a measurement that has failed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
