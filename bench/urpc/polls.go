package main

import (
	"errors"
	"unsafe"

	"skerry/lib/urpc"
)

// polls are what the owner of many channels pays to see that there is nothing.
var polls = []row{
	{name: "poll_of_1", here: idle(1)},
	{name: "poll_of_10", here: idle(10)},
	{name: "poll_of_100", here: idle(100)},
	{name: "poll_of_1000", here: idle(1000)},
}

// owner has a board, and channels that it does not poll.
type owner struct {
	memory   []uint64
	board    urpc.Board
	channels []urpc.Channel
}

func newOwner(count int) (*owner, error) {
	size := urpc.FrameSize(4)
	o := &owner{
		memory:   make([]uint64, (count*size+3*urpc.SlotSize)/8),
		channels: make([]urpc.Channel, count),
	}
	base := (uintptr(unsafe.Pointer(&o.memory[0])) + urpc.SlotSize - 1) &^ (urpc.SlotSize - 1)
	o.board.Attach(base, base+urpc.SlotSize)
	for i := range o.channels {
		o.channels[i].Attach(base+uintptr(2*urpc.SlotSize+i*size), size, urpc.B)
		if !o.channels[i].Receiver().Announce() {
			return nil, errors.New("a fresh channel has a message")
		}
	}
	return o, nil
}

// idle polls for so many channels.
func idle(count int) func(*end, int) error {
	var o *owner
	return func(_ *end, n int) (err error) {
		if o == nil {
			if o, err = newOwner(count); err != nil {
				return err
			}
		}
		for range n {
			if o.board.Poll() {
				return errors.New("a hint from nobody")
			}
		}
		return nil
	}
}
