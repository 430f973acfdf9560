// Package capability holds what the CPU driver and domains agree on about
// capabilities: types, rights, invocations, references, errors and
// descriptions. types.go is generated from package table, which is the source
// to read and change; docs/capabilities.md is the same for people.
//
// Everything may import it. It allocates nothing, holds no state that changes,
// and every function in it is freestanding.
package capability

//go:generate go run ./generate ../..
