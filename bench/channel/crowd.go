package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skerry/bench/mark"
	"skerry/bench/measure"
	"skerry/lib/channel"
)

// crowds are how many clients ask the server at the same time, each a program on a core of
// its own.
var crowds = []int{1, 3, 7, 15}

// crowd returns the rows about one of so many clients: the others are started with -busy.
func crowd() (rows []measure.Row) {
	for _, n := range crowds {
		rows = append(rows, measure.Row{Name: fmt.Sprintf("channel_round_trip_of_%d", n), Prepare: func() (o measure.Operation, err error) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			c, err := dial(ctx, channel.TransportDoorbell)
			if err != nil {
				return o, err
			}
			o = roundTrip(c)
			o.Done = func() { c.Close() }
			for {
				busy, err := ask(c, kindCrowd)
				switch {
				case err != nil:
					c.Close()
					return o, err
				case busy == n-1:
					return o, nil
				case ctx.Err() != nil:
					c.Close()
					return o, fmt.Errorf("%d of %d other clients have come in %v", busy, n-1, patience)
				}
				time.Sleep(time.Millisecond)
			}
		}})
	}
	return rows
}

// join asks the server again and again until it ends. Each round trip is marked.
func join() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := dial(ctx, channel.TransportDoorbell)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		if _, err := ask(c, kindBusy); errors.Is(err, channel.ErrPeer) {
			return nil
		} else if err != nil {
			return err
		}
		mark.One()
	}
}

// ask sends a message of a kind and returns the number in the answer.
func ask(c channel.Conn, kind uint8) (int, error) {
	m := channel.Message{Kind: kind, Length: channel.PayloadSize}
	if err := c.Send(context.Background(), &m); err != nil {
		return 0, err
	}
	if err := c.Receive(context.Background(), &m); err != nil {
		return 0, err
	}
	return int(m.Payload[0]), nil
}
