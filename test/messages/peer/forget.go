package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"skerry/lib/bind"
	"skerry/lib/channel"
)

// forget serves n who bind, and closes nothing. When they are all gone it holds no more
// than before.
func forget(ctx context.Context, name string, n int) error {
	l, err := bind.Export(name, speech)
	if err != nil {
		return err
	}
	defer l.Close()
	before, err := mappings()
	if err != nil {
		return err
	}
	var served sync.WaitGroup
	for range n {
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		served.Go(func() {
			if err := answer(ctx, c); err != nil {
				fmt.Println("forget", name, err)
			}
		})
	}
	served.Wait()
	const spare = 20 // for the program's own heap
	for {
		now, err := mappings()
		if err != nil {
			return err
		}
		if now <= before+spare {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("of %d clients %d mappings are left, after %d before", n, now, before)
		case <-time.After(50 * time.Millisecond):
		}
	}
	fmt.Printf("%s has forgotten %d clients\n", name, n)
	return nil
}

// mappings returns how many regions of memory the program has.
func mappings() (int, error) {
	b, err := os.ReadFile("/proc/self/maps")
	return bytes.Count(b, []byte("\n")), err
}

// leave binds n times, has a message come back over each, and ends without a word.
func leave(ctx context.Context, name string, n int) error {
	for i := range n {
		c, err := dialSoon(ctx, name)
		if err != nil {
			return err
		}
		if err := c.Send(ctx, number(i)); err != nil {
			return err
		}
		if err := awaits(ctx, c, i); err != nil {
			return err
		}
	}
	os.Exit(0)
	return nil
}

// dialSoon binds, and waits where the exporter has no room for another endpoint before it
// has heard that others are gone.
func dialSoon(ctx context.Context, name string) (channel.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := bind.Dial(ctx, name, speech)
		if !errors.Is(err, bind.ErrTransport) || ctx.Err() != nil {
			return c, err
		}
		time.Sleep(time.Millisecond)
	}
}
