// Channel measures messages between two programs that are bound to each other: by each
// transport, on one core and between two, to who polls and to who sleeps, alone and
// beside many connections over which nothing comes. It runs on Skerry alone and must be
// given manifest.Messages.
//
//	channel -serve
//	channel -relay
//	channel [-count] [-time D] [NAME ...]
//	channel -idle N DURATION
//	channel -busy
//
// The first answers, on the core on which it is started, and ends when it is told to. The
// second passes messages on between the others, and ends with the first. The third
// measures, the rows that it names, and prints what package measure says. The fourth does
// nothing for a while, twice, without connections and with N, and prints a line when it
// begins and one when it ends. The fifth asks the server again and again until that ends, so
// that the third may measure one of several that do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"skerry/bench/measure"
	"skerry/lib/channel"
)

// settle is after what time all sleep who will.
const settle = 2 * time.Second

// patience is how long connecting, or one answer, may take.
const patience = time.Minute

func main() {
	server := flag.Bool("serve", false, "answer until told to end")
	relay := flag.Bool("relay", false, "pass messages on until the server ends")
	idle := flag.Int("idle", 0, "make so many connections, and do nothing before and after for the time that is the argument")
	busy := flag.Bool("busy", false, "ask until the server ends")
	flag.Parse()
	err := func() error {
		switch {
		case *server:
			return serve()
		case *relay:
			return passOn()
		case *busy:
			return join()
		case *idle > 0:
			return errors.Join(rest(*idle, flag.Arg(0)), end())
		}
		var err error
		if !measure.Run(rows()) {
			err = errors.New("not all rows could be measured")
		}
		return errors.Join(err, end())
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "channel:", err)
		os.Exit(1)
	}
}

// rest does nothing for a while, without connections and with some.
func rest(n int, length string) error {
	d, err := time.ParseDuration(length)
	if err != nil {
		return fmt.Errorf("how long: %w", err)
	}
	for _, n := range []int{0, n} {
		hush, err := connectIdle(n)
		if err != nil {
			return err
		}
		time.Sleep(settle) // who waits polls for a while first
		fmt.Printf("idle from here, with connections: %d\n", n)
		time.Sleep(d)
		fmt.Println("idle until here")
		hush()
	}
	return nil
}

// end tells the server to end.
func end() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := dial(ctx, channel.TransportAny)
	if err != nil {
		return err
	}
	defer c.Close()
	return request(c, kindEnd)
}
