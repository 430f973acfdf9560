package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"unsafe"

	"skerry/abi"
	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/channel/ring"
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
