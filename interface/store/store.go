// Package store declares the interface of a small store of values under keys.
//
// Whoever serves or uses such a store imports it. stub.go is generated.
package store

import (
	"context"
	"errors"
	"iter"
)

//go:generate go run skerry/cmd/interface

var (
	// ErrNotFound says that there is nothing under the key.
	ErrNotFound = errors.New("there is nothing under that key")
	// ErrFull says that the store has no room for another value.
	ErrFull = errors.New("the store is full")
)

// Key is what a value is found by.
//
//skerry:max 64
type Key string

// Item is a value under its key.
type Item struct {
	Key   Key
	Value []byte //skerry:max 4096
}

// Store keeps values under keys.
//
//skerry:interface version=1
type Store interface {
	// Get returns the value under a key, or ErrNotFound.
	//
	//skerry:max value=4096
	Get(ctx context.Context, key Key) (value []byte, err error)
	// Put keeps an item, in place of what was under its key, or fails with ErrFull.
	Put(ctx context.Context, item Item) error
	// Delete forgets a key, or fails with ErrNotFound.
	Delete(ctx context.Context, key Key) error
	// Keys returns the keys that begin with a prefix, in order.
	Keys(ctx context.Context, prefix Key) (iter.Seq2[Key, error], error)
	// Load keeps items and returns how many. If it fails, it has kept those before the
	// first that it could not keep.
	Load(ctx context.Context, items iter.Seq2[Item, error]) (int, error)
}
