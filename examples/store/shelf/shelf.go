// Package shelf is a store in memory: what the servers of examples/store serve.
//
// They import it. It must know nothing of who uses it, and from where.
package shelf

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"skerry/interface/store"
)

// Room is how many values a shelf holds.
const Room = 100

// Shelf is a store.Store. Its methods may be called by any goroutine.
type Shelf struct {
	mu     sync.Mutex
	values map[store.Key][]byte
}

// New returns a shelf with nothing in it.
func New() *Shelf { return &Shelf{values: map[store.Key][]byte{}} }

// Get implements store.Store.
func (s *Shelf) Get(_ context.Context, key store.Key) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[key]
	if !ok {
		return nil, store.ErrNotFound
	}
	return value, nil
}

// Put implements store.Store.
func (s *Shelf) Put(_ context.Context, item store.Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.values[item.Key]; !ok && len(s.values) == Room {
		return fmt.Errorf("%d values are kept: %w", Room, store.ErrFull)
	}
	s.values[item.Key] = item.Value
	return nil
}

// Delete implements store.Store.
func (s *Shelf) Delete(_ context.Context, key store.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.values[key]; !ok {
		return store.ErrNotFound
	}
	delete(s.values, key)
	return nil
}

// Keys implements store.Store.
func (s *Shelf) Keys(_ context.Context, prefix store.Key) (iter.Seq2[store.Key, error], error) {
	s.mu.Lock()
	keys := slices.Sorted(maps.Keys(s.values))
	s.mu.Unlock()
	return func(yield func(store.Key, error) bool) {
		for _, key := range keys {
			if strings.HasPrefix(string(key), string(prefix)) && !yield(key, nil) {
				return
			}
		}
	}, nil
}

// Load implements store.Store.
func (s *Shelf) Load(ctx context.Context, items iter.Seq2[store.Item, error]) (n int, err error) {
	for item, err := range items {
		if err != nil {
			return n, err
		}
		if err := s.Put(ctx, item); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
