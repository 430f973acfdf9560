// Client uses a store that another program serves: that in folder server. Each line that
// it prints says what it did and what came of it.
//
//	client [-connect ADDRESS]
//
// On Skerry it must be given messages. Elsewhere the store is found over TCP.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"skerry/examples/store/use"
	"skerry/interface/store"
	"skerry/lib/bind"
	"skerry/lib/channel/tcp"
)

// patience is how long all of it may take, and how long the store is waited for.
const patience = time.Minute

func main() {
	address := flag.String("connect", "", "look for the store over TCP at an `ADDRESS` too")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "client: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if *address != "" {
		bind.Add(tcp.New(nil, *address))
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "client: %v\n", err)
		os.Exit(1)
	}
}

// run finds the store and uses it.
func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := store.Dial(ctx, "store")
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Printf("bound by %s: %s\n", s.Binding().Transport, s.Binding().Why)
	return use.All(ctx, s)
}
