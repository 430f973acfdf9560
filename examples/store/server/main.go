// Server serves a store of values under keys to other programs: to those on the same
// machine on Skerry, if it is given messages, and to those that know its address over TCP
// wherever there is a network.
//
//	server [-clients N] [-listen ADDRESS]
//
// With the program in folder client:
//
//	skerry run -c 2 --give messages ./examples/store/server ./examples/store/client
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"

	"skerry/examples/store/shelf"
	"skerry/interface/store"
	"skerry/lib/bind"
	"skerry/lib/channel/tcp"
)

func main() {
	clients := flag.Int("clients", 1, "end when `N` clients have left; 0: never")
	address := flag.String("listen", "", "be found over TCP at an `ADDRESS`")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "server: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*address, *clients); err != nil {
		fmt.Fprintf(os.Stderr, "server: %v\n", err)
		os.Exit(1)
	}
}

// run serves a store at an address, if there is one, until so many clients have left.
func run(address string, clients int) error {
	if address != "" {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		defer listener.Close()
		bind.Add(tcp.New(listener))
		fmt.Printf("listening at %s\n", listener.Addr())
	}
	s := shelf.New()
	if clients == 0 {
		return store.Export(context.Background(), "store", s)
	}
	return serve(context.Background(), s, clients)
}

// serve is store.Export for so many clients.
func serve(ctx context.Context, s store.Store, clients int) error {
	listener, err := bind.Export("store", store.Interface)
	if err != nil {
		return err
	}
	defer listener.Close()
	var served sync.WaitGroup
	defer served.Wait()
	for range clients {
		conn, err := listener.Accept(ctx)
		if err != nil {
			return err
		}
		served.Go(func() {
			if err := store.Serve(ctx, conn, s); err != nil {
				fmt.Fprintf(os.Stderr, "server: a client: %v\n", err)
			}
		})
	}
	return nil
}
