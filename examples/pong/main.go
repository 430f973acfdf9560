// Pong answers whoever binds to it: what comes goes back. It runs until it is killed, or
// has served as many as it was told to.
//
//	pong [-name NAME] [-serve N]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"

	"skerry/lib/bind"
	"skerry/lib/channel"
)

// Echo is what ping and pong speak: a message, and the same one back.
var echo = channel.Interface{Name: "echo", Version: 1, Fingerprint: 0x6f686365}

func main() {
	name := flag.String("name", "echo", "the `name` to be found under")
	serve := flag.Int("serve", 1, "end when so many have come and gone; 0: never")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "pong: it takes flags alone, not %q; see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*name, *serve); err != nil {
		fmt.Fprintln(os.Stderr, "pong:", err)
		os.Exit(1)
	}
}

func run(name string, serve int) error {
	ctx := context.Background()
	listener, err := bind.Export(name, echo)
	if err != nil {
		return err
	}
	defer listener.Close()
	var all sync.WaitGroup
	failed := make(chan error, 1)
	for n := 0; serve == 0 || n < serve; n++ {
		c, err := listener.Accept(ctx)
		if err != nil {
			return err
		}
		all.Go(func() {
			if err := errors.Join(answer(ctx, c), c.Close()); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// answer sends back what comes until the other end is gone.
func answer(ctx context.Context, c channel.Conn) error {
	var m channel.Message
	for {
		err := c.Receive(ctx, &m)
		if err == nil {
			err = c.Send(ctx, &m)
		}
		switch {
		case errors.Is(err, channel.ErrPeer):
			return nil
		case err != nil:
			return err
		}
	}
}
