package stub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"skerry/interface/echo"
	"skerry/lib/channel"
	"skerry/lib/stub"
)

// flood is a connection over which the same message comes for ever.
type flood struct {
	channel.Conn
	message channel.Message
}

func (f *flood) Receive(_ context.Context, m *channel.Message) error {
	*m = f.message
	return nil
}

func (f *flood) TrySend(*channel.Message) error { return nil }

// TestEndBesideFlood: a server that always finds a call ends when its context does.
func TestEndBesideFlood(t *testing.T) {
	a, b := pair(4)
	client := echo.NewClient(a)
	defer client.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go client.Empty(ctx)
	f := &flood{Conn: b}
	if err := b.Receive(within(t), &f.message); err != nil {
		t.Fatal(err)
	}
	calls := 0
	impl := &parrot{empty: func(context.Context) error {
		if calls++; calls == 100 {
			cancel()
		}
		return nil
	}}
	ended := make(chan error, 1)
	go func() { ended <- echo.Serve(ctx, f, impl, stub.Inline) }()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
}
