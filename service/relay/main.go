// Command relay is a program that passes messages on between those that can reach it
// and those that it can reach: they ask for transport hop.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"

	"skerry/lib/bind"
	"skerry/lib/bind/introduce"
	"skerry/lib/channel"
	"skerry/lib/channel/hop"
	"skerry/lib/native/slots"
)

func main() {
	name := flag.String("name", hop.Relay, "the `name` under which to be found")
	ends := flag.Int("ends", 0, "end when so many connections to it have ended, of which each question and each binding takes one; 0: never")
	flag.Parse()
	if err := serve(*name, *ends); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

func serve(name string, ends int) error {
	if os.Getenv(bind.TransportVariable) == channel.TransportHop.String() {
		return fmt.Errorf("%s=%s would have it pass messages on to itself: unset it for the relay", bind.TransportVariable, channel.TransportHop)
	}
	listener, err := bind.Export(name, introduce.Interface)
	if err != nil {
		return err
	}
	defer listener.Close()
	reach := bind.Reach(slots.Drop)
	var all sync.WaitGroup
	for n := 0; ends == 0 || n < ends; n++ {
		c, err := listener.Accept(context.Background())
		if err != nil {
			return err
		}
		all.Go(func() {
			if err := reach.Serve(context.Background(), c); err != nil {
				fmt.Fprintln(os.Stderr, "relay:", err)
			}
		})
	}
	all.Wait()
	return nil
}
