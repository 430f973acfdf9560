package main

import (
	"context"
	"fmt"

	"skerry/interface/echo"
	"skerry/lib/channel/ring"
	"skerry/lib/stub"
)

// connect makes a connection of the end's channel for calls. Both ends poll.
func (e *end) connect() (*ring.Conn, error) {
	return ring.New(ring.Config{Base: e.calls, Size: callSize, Side: e.side, Polled: true})
}

// Calls through generated stubs: a word there and one back.
func callHere(e *end, n int) error {
	conn, err := e.connect()
	if err != nil {
		return err
	}
	client := echo.NewClient(conn)
	ctx := context.Background()
	for i := range uint64(n) {
		if w, err := client.Word(ctx, i); err != nil || w != i {
			return fmt.Errorf("call %d: %d, %w", i, w, err)
		}
	}
	return client.Close()
}

func callThere(e *end, _ int) error {
	conn, err := e.connect()
	if err != nil {
		return err
	}
	return echo.Serve(context.Background(), conn, parrot{}, stub.Inline)
}

// parrot gives back what it gets.
type parrot struct{ echo.Echo }

func (parrot) Word(_ context.Context, word uint64) (uint64, error) { return word, nil }
