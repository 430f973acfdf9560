// Package echo declares the interface of those who give back what they get: what calls
// cost, and whether all that can travel does, is measured and tested with it.
//
// Benchmarks, tests and examples import it. stub.go is generated.
package echo

import (
	"context"

	"skerry/lib/capability"
)

//go:generate go run skerry/cmd/interface

// Echo gives back what it gets.
//
//skerry:interface version=1
type Echo interface {
	// Empty does nothing, and says when it is done.
	Empty(ctx context.Context) error
	// Word returns its argument, which fits a message.
	Word(ctx context.Context, word uint64) (uint64, error)
	// Words returns its argument, which takes two messages.
	Words(ctx context.Context, words [8]uint64) ([8]uint64, error)
	// Blob returns its argument.
	//
	//skerry:max data=4096 result=4096
	Blob(ctx context.Context, data []byte) ([]byte, error)
	// Frame takes a frame and returns one: another capability to the same, or a
	// frame of the server's.
	Frame(ctx context.Context, frame capability.Frame) (capability.Frame, error)
	// Note takes a word and says nothing.
	//
	//skerry:oneway
	Note(ctx context.Context, word uint64) error
}
