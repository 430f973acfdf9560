package main

import (
	"context"
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/native/slots"
	"skerry/lib/session"
)

// overlap gives a frame and a page of it to a program of another core that keeps what it is given: it
// cannot have both. What is refused harms nothing else.
func overlap(ctx context.Context, name string, n int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	refused := 0
	for i := range n {
		frames, free, err := nested()
		if err != nil {
			return err
		}
		first := i % 2
		for _, f := range []int{first, 1 - first, first} {
			m := channel.Message{Kind: kindFrame, Capability: frames[f]}
			err := c.Send(ctx, &m)
			switch {
			case f == first && err == nil:
				if err := c.Receive(ctx, &m); err != nil {
					return err
				}
			case f != first && errors.Is(err, session.ErrOverlap):
				refused++
			default:
				return fmt.Errorf("frame %d after frame %d: %v", f, first, err)
			}
		}
		if err := free(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("%d of %d were refused\n", refused, n)
	return nil
}

// nested returns a frame of two pages and one of its first page, and what takes both back from all.
func nested() (frames [2]capability.Reference, free func(context.Context) error, err error) {
	var m memory
	if m.ram, err = native.Slot(); err != nil {
		return frames, nil, err
	}
	if err := native.RAM(2*abi.PageSize, m.ram); err != nil {
		return frames, nil, err
	}
	source := m.ram
	for i, size := range []uint64{2 * abi.PageSize, abi.PageSize} {
		if frames[i], err = native.Slot(); err != nil {
			return frames, nil, err
		}
		if err := patiently(func() error {
			return slots.Home(frames[i]).Retype(frames[i].Slot(), 1, source, capability.Frame, 0, size)
		}); err != nil && !errors.Is(err, capability.ErrOccupied) {
			return frames, nil, fmt.Errorf("retype: %w", err)
		}
		if err := patiently(func() error { return inFrame(frames[i], func(w *uint64) { *w = 0 }) }); err != nil {
			return frames, nil, err
		}
		source = frames[i]
	}
	m.frame = frames[0]
	return frames, func(ctx context.Context) error {
		return errors.Join(m.revoke(ctx), native.FreeSlot(frames[1]), m.free())
	}, nil
}
