package main

import (
	"context"
	"fmt"
	"time"

	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/native"
)

// idle binds n times, leaves a goroutine waiting at each, and sleeps a while. After that
// each carries a message there and back, all at once. When all are closed it binds once
// more, as anybody may.
func idle(ctx context.Context, name string, n int) error {
	ends := make([]channel.Conn, n)
	came := make(chan error, n)
	for i := range ends {
		c, err := bind.Dial(ctx, name, speech, bind.Via(channel.TransportDoorbell), bind.Depth(2))
		if err != nil {
			return fmt.Errorf("bind to %s after %d: %w", name, i, err)
		}
		ends[i] = c
		go func() { came <- awaits(ctx, c, i) }()
	}
	if err := sleeps(3 * time.Second); err != nil {
		return fmt.Errorf("%d idle channels: %w", n, err)
	}
	for i, c := range ends {
		if err := c.Send(ctx, number(i)); err != nil {
			return err
		}
	}
	for range ends {
		if err := <-came; err != nil {
			return err
		}
	}
	fmt.Printf("%d channels carried their message\n", n)
	for _, c := range ends {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return call(ctx, name, 1)
}

// awaits waits for a number to come.
func awaits(ctx context.Context, c channel.Conn, i int) error {
	var m channel.Message
	if err := c.Receive(ctx, &m); err != nil {
		return fmt.Errorf("channel %d: %w", i, err)
	}
	if m != *number(i) {
		return fmt.Errorf("over channel %d came %v", i, m)
	}
	return nil
}

// sleeps sleeps for a time, and says how much of it the core was idle: most of it.
func sleeps(d time.Duration) error {
	before, err := native.CoreInfo()
	if err != nil {
		return err
	}
	time.Sleep(d)
	after, err := native.CoreInfo()
	if err != nil {
		return err
	}
	share := 100 * (after.IdleNs - before.IdleNs) / (after.NowNs - before.NowNs)
	fmt.Printf("core %d was idle for %d percent of the time\n", after.Core, share)
	if share < 50 {
		return fmt.Errorf("they keep the core busy")
	}
	return nil
}
