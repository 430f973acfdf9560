// Store shows how programs talk through an interface that is declared once
// (skerry/interface/store): one part serves a store of values under keys, another uses it, and
// neither knows what carries their messages. Here both are in one program; folders server
// and client have a program of each.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"skerry/examples/store/shelf"
	"skerry/examples/store/use"
	"skerry/interface/store"
)

// patience is how long all of it may take.
const patience = time.Minute

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "store: %v\n", err)
		os.Exit(1)
	}
}

// run serves a store and uses it.
func run() error {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- store.Export(ctx, "store", shelf.New()) }()
	err := call(ctx)
	stop()
	if e := <-served; !errors.Is(e, context.Canceled) {
		err = errors.Join(err, e)
	}
	return err
}

// call finds the store and uses it.
func call(ctx context.Context) error {
	s, err := store.Dial(ctx, "store")
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Printf("bound by %s: %s\n", s.Binding().Transport, s.Binding().Why)
	return use.All(ctx, s)
}
