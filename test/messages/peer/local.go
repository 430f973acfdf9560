package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"skerry/lib/bind"
	"skerry/lib/channel"
)

// lines binds n times at once to a name on its core, so that endpoints run out, and has
// each connection carry messages and a frame; then it gives all up and, if it is alone,
// begins anew.
func lines(ctx context.Context, name string, n int) error {
	alone := len(os.Args) <= 4
	rounds := 1
	if alone {
		rounds = 2
	}
	for range rounds {
		by := map[channel.Transport]int{}
		var all []channel.Conn
		for range n {
			c, err := bind.Dial(ctx, name, speech)
			if err != nil {
				return fmt.Errorf("bind after %d: %w", len(all), err)
			}
			if t := c.Binding().Transport; t == channel.TransportDoorbell && by[t] == 0 {
				fmt.Println(c.Binding().Why)
			}
			by[c.Binding().Transport]++
			all = append(all, c)
		}
		if alone {
			if _, err := bind.Dial(ctx, name, speech, bind.Via(channel.TransportLMP)); !errors.Is(err, bind.ErrTransport) {
				return fmt.Errorf("bound by one endpoint more than there is room for: %w", err)
			}
		}
		for i, c := range all {
			if err := exchange(ctx, c, i); err != nil {
				return fmt.Errorf("by %s: %w", c.Binding().Transport, err)
			}
		}
		for _, c := range all {
			if err := c.Close(); err != nil {
				return err
			}
		}
		if alone && by[channel.TransportLMP] == 0 || by[channel.TransportLMP]+by[channel.TransportDoorbell] != n {
			return fmt.Errorf("bound by %v", by)
		}
		fmt.Printf("%d lines\n", n)
	}
	return nil
}

// gather exports a name, and answers nobody before n have bound to it.
func gather(ctx context.Context, name string, n int) error {
	l, err := bind.Export(name, speech)
	if err != nil {
		return err
	}
	defer l.Close()
	var conns []channel.Conn
	for range n {
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		conns = append(conns, c)
	}
	failed := make([]error, n)
	var all sync.WaitGroup
	for i, c := range conns {
		all.Go(func() { failed[i] = errors.Join(answer(ctx, c), c.Close()) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// self is bound to itself, and gives itself n frames.
func self(ctx context.Context, name string, n int) error {
	served := make(chan error, 1)
	go func() { served <- serve(ctx, name, 1) }()
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	for i := range n {
		if err := exchange(ctx, c, i); err != nil {
			return err
		}
	}
	fmt.Printf("%d frames by %s\n", n, c.Binding().Transport)
	return errors.Join(c.Close(), <-served)
}

// exchange sends a number, and gives a frame and takes it back.
func exchange(ctx context.Context, c channel.Conn, i int) error {
	m := *number(i)
	if err := c.Send(ctx, &m); err != nil {
		return err
	}
	if err := c.Receive(ctx, &m); err != nil {
		return err
	}
	if m != *number(i) {
		return fmt.Errorf("message %d came as %v", i, m)
	}
	page, err := newMemory()
	if err != nil {
		return err
	}
	m = channel.Message{Kind: kindFrame, Capability: page.frame}
	if err := c.Send(ctx, &m); err != nil {
		return fmt.Errorf("send frame %d: %w", i, err)
	}
	if err := c.Receive(ctx, &m); err != nil {
		return err
	}
	var word uint64
	if err := inFrame(page.frame, func(w *uint64) { word = *w }); err != nil {
		return err
	}
	if word != 1 {
		return fmt.Errorf("frame %d holds %d", i, word)
	}
	return errors.Join(page.revoke(ctx), page.free())
}
