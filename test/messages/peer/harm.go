package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/channel/ring"
	"skerry/lib/native"
)

// scribble binds and writes garbage into the rings and onto the peer's board, n times
// anew.
func scribble(ctx context.Context, name string, n int) error {
	random := rand.New(rand.NewPCG(1, 2))
	for range n {
		c, err := bind.Dial(ctx, name, speech, bind.Via(channel.TransportDoorbell))
		if err != nil {
			return err
		}
		conn, ok := c.(*ring.Conn)
		if !ok {
			return fmt.Errorf("bound by %s", c.Binding().Transport)
		}
		r := (*ring.Config)(unsafe.Pointer(conn)) // it begins with that
		// Where the peer's board is only its bell knows, in its third word.
		hints := *(*uintptr)(unsafe.Add(unsafe.Pointer(r.Bell), 2*unsafe.Sizeof(uintptr(0))))
		for range 200 {
			write(r.Base+uintptr(random.IntN(r.Size/8))*8, random.Uint64())
			write(hints+uintptr(random.IntN(abi.PageSize/8))*8, random.Uint64())
			if random.IntN(20) == 0 {
				r.Ring()
			}
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
	fmt.Println("scribbled")
	return nil
}

func write(at uintptr, word uint64) { *(*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&at))) = word }

// idle binds n times, leaves a goroutine waiting at each, and then sleeps a while.
func idle(ctx context.Context, name string, n int) error {
	var all sync.WaitGroup
	var ends []channel.Conn
	for range n {
		c, err := bind.Dial(ctx, name, speech, bind.Via(channel.TransportDoorbell), bind.Depth(2))
		if err != nil {
			return fmt.Errorf("bind to %s after %d: %w", name, len(ends), err)
		}
		ends = append(ends, c)
		all.Go(func() {
			if err := c.Receive(ctx, new(channel.Message)); err != nil && !errors.Is(err, channel.ErrClosed) {
				fmt.Println("idle", err)
			}
		})
	}
	before, err := native.CoreInfo()
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // it is this that is looked at
	after, err := native.CoreInfo()
	if err != nil {
		return err
	}
	share := 100 * (after.IdleNs - before.IdleNs) / (after.NowNs - before.NowNs)
	fmt.Printf("core %d was idle for %d percent of the time\n", after.Core, share)
	if share < 50 {
		return fmt.Errorf("%d idle channels keep the core busy", n)
	}
	for i, c := range ends {
		if i%100 == 0 { // each of them would still work
			if err := c.Send(ctx, number(i)); err != nil {
				return err
			}
		}
	}
	for _, c := range ends {
		if err := c.Close(); err != nil {
			return err
		}
	}
	all.Wait()
	return nil
}
