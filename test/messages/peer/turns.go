package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/native"
)

// warm is how many round trips it takes until all goes on as it will.
const warm = 200

// rounds binds, and sends messages, the next when the one before has come back: some to
// warm up, then kindTally, n, and kindTally again.
func rounds(ctx context.Context, name string, n int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	there := func(m *channel.Message) error {
		if err := c.Send(ctx, m); err != nil {
			return err
		}
		return c.Receive(ctx, m)
	}
	for _, n := range []int{warm, n} {
		for i := range n {
			if err := there(number(i)); err != nil {
				return fmt.Errorf("message %d: %w", i, err)
			}
		}
		if err := there(&channel.Message{Kind: kindTally}); err != nil {
			return err
		}
	}
	return nil
}

// tally exports a name and sends one client back what comes. It prints how often each
// dispatcher of its core but the monitor's had the core between two messages kindTally,
// and how often it lost that for another while it could run.
func tally(ctx context.Context, name string, _ int) error {
	c, leave, err := accept(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	var began map[uint32]abi.DispatcherCounts
	var m channel.Message
	for {
		if err := c.Receive(ctx, &m); errors.Is(err, channel.ErrPeer) {
			return nil
		} else if err != nil {
			return err
		}
		if m.Kind == kindTally {
			if began, err = dispatched(began); err != nil {
				return err
			}
		}
		if err := c.Send(ctx, &m); err != nil {
			return err
		}
	}
}

// dispatched returns the counts of the core's dispatchers, and prints what has been added to
// those from before, if there are any.
func dispatched(before map[uint32]abi.DispatcherCounts) (map[uint32]abi.DispatcherCounts, error) {
	counts := map[uint32]abi.DispatcherCounts{}
	for from := uint64(0); ; {
		d, ok, err := native.Dispatcher(from)
		if err != nil {
			return nil, err
		}
		if !ok {
			return counts, nil
		}
		from = (uint64(d.Domain) | uint64(d.Number)<<32) + 1
		text, _, _ := bytes.Cut(d.Name[:], []byte{0})
		if counts[d.Number] = d.Counts; before != nil && string(text) != "monitor" {
			b := before[d.Number]
			fmt.Printf("turns %d %d %s\n", d.Counts.Dispatches-b.Dispatches, d.Counts.Preemptions-b.Preemptions, text)
		}
	}
}
