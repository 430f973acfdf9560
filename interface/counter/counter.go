// Package counter declares the interface of a server that keeps some state for others:
// what updating it by messages costs, against locking it in shared memory.
//
// Benchmarks, tests and examples import it. stub.go is generated.
package counter

import (
	"context"
	"errors"
)

//go:generate go run skerry/cmd/interface

// ErrLines says that there is no such line, or are not so many.
var ErrLines = errors.New("there are not so many lines")

// Counter keeps lines, each of which counts.
//
//skerry:interface version=1
type Counter interface {
	// Add adds to the first so many lines, all of them before any other call sees
	// one of them.
	Add(ctx context.Context, lines uint32, n uint64) error
	// Read returns what a line has counted.
	Read(ctx context.Context, line uint32) (uint64, error)
}
