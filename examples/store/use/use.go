// Package use is what the clients of examples/store do.
//
// They import it. It must know nothing of where the store is.
package use

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"skerry/interface/store"
)

// All calls all methods of a store. Each line that it prints says what it did and what
// came of it.
func All(ctx context.Context, s store.Store) error {
	if err := s.Put(ctx, store.Item{Key: "greeting", Value: []byte("hello")}); err != nil {
		return err
	}
	value, err := s.Get(ctx, "greeting")
	if err != nil {
		return err
	}
	fmt.Printf("get greeting: %s\n", value)

	if _, err := s.Get(ctx, "farewell"); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("farewell: %v", err)
	}
	fmt.Println("get farewell: there is none")
	fmt.Printf("put a value too long: %v\n", s.Put(ctx, store.Item{Key: "long", Value: make([]byte, 5000)}))

	n, err := s.Load(ctx, numbers(40))
	if err != nil {
		return err
	}
	fmt.Printf("load a stream: %d items\n", n)
	// The server takes no more than it has room for, and the stream ends there.
	_, err = s.Load(ctx, numbers(1000))
	if !errors.Is(err, store.ErrFull) {
		return fmt.Errorf("load too much: %v", err)
	}
	fmt.Printf("load too much: %v\n", err)

	keys, err := s.Keys(ctx, "number 00")
	if err != nil {
		return err
	}
	var found []string
	for key, err := range keys {
		if err != nil {
			return err
		}
		found = append(found, strings.TrimPrefix(string(key), "number "))
		if len(found) == 5 {
			break // the server is told that no more are wanted
		}
	}
	fmt.Printf("the first keys: %s\n", strings.Join(found, ", "))
	if err := s.Delete(ctx, "greeting"); err != nil {
		return err
	}
	fmt.Printf("delete greeting, twice: %v\n", s.Delete(ctx, "greeting"))
	return nil
}

// numbers yields so many items.
func numbers(n int) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		for i := range n {
			if !yield(store.Item{Key: store.Key(fmt.Sprintf("number %04d", i)), Value: make([]byte, i)}, nil) {
				return
			}
		}
	}
}
