// Ping binds to pong, says by what transport and why, and how long a message takes there
// and back.
//
//	ping [-name NAME] [-via TRANSPORT] [-n MESSAGES]
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"time"

	"skerry/lib/bind"
	"skerry/lib/channel"
)

// Echo is what ping and pong speak: a message, and the same one back.
var echo = channel.Interface{Name: "echo", Version: 1, Fingerprint: 0x6f686365}

func main() {
	name := flag.String("name", "echo", "the `name` to bind to")
	via := flag.String("via", "any", "the `transport` to bind by")
	n := flag.Int("n", 1000, "how many `messages` to send")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "ping: it takes flags alone, not %q; see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*name, *via, *n); err != nil {
		fmt.Fprintln(os.Stderr, "ping:", err)
		os.Exit(1)
	}
}

func run(name, via string, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	t, err := channel.ParseTransport(via)
	if err != nil {
		return err
	}
	// It waits for pong to be there.
	c, err := bind.Dial(ctx, name, echo, bind.Via(t))
	if err != nil {
		return err
	}
	defer c.Close()
	b := c.Binding()
	fmt.Printf("bound to %s by %s: %s\n", b.Name, b.Transport, b.Why)
	start := time.Now()
	for i := range n {
		m := channel.Message{Kind: 1, Length: 8}
		binary.LittleEndian.PutUint64(m.Payload[:], uint64(i))
		if err := c.Send(ctx, &m); err != nil {
			return err
		}
		if err := c.Receive(ctx, &m); err != nil {
			return err
		}
		if got := binary.LittleEndian.Uint64(m.Payload[:]); got != uint64(i) {
			return fmt.Errorf("sent %d, got %d back", i, got)
		}
	}
	fmt.Printf("%d messages there and back, %d ns each\n", n, time.Since(start).Nanoseconds()/int64(max(n, 1)))
	return nil
}
