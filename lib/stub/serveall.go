package stub

import (
	"context"
	"sync"

	"skerry/lib/channel"
)

// Listener is where connections come from: a *bind.Listener.
type Listener interface {
	Accept(ctx context.Context) (channel.Conn, error)
	Close() error
}

// ServeAll has serve, which is a package's Serve with an implementation and options,
// serve every connection that comes, until the context ends or the listener is closed.
// It returns when all have been served, and closes the listener. What ends one
// connection is no matter to the others, and not told.
func ServeAll(ctx context.Context, l Listener, serve func(context.Context, channel.Conn) error) error {
	var connections sync.WaitGroup
	defer connections.Wait()
	defer l.Close()
	for {
		conn, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		connections.Go(func() { serve(ctx, conn) })
	}
}
