// Command interface makes the stubs of interfaces that Go packages declare, as
// docs/interfaces.md describes:
//
//	//go:generate go run skerry/cmd/interface
//
// in such a package has "go generate" write its file stub.go.
//
// Nothing imports it. What can be declared is in package declare, what is written in
// package emit.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"skerry/cmd/interface/declare"
	"skerry/cmd/interface/emit"
)

// Exit codes.
const (
	exitOK       = 0
	exitStale    = 1
	exitUsage    = 64
	exitBad      = 65
	exitNotFound = 66
	exitWrite    = 73
)

const usage = `usage: interface [--check] [PACKAGE ...]

Makes the stubs of the interface that each package declares, of that in the current
folder if none is named, and writes them to the package's file stub.go.
docs/interfaces.md says how to declare one.

  --check   write nothing; say which stubs are missing or stale
  --help    say this

Exit codes:
   0  done
   1  --check found stubs that are missing or stale
  64  usage: the command line makes no sense
  65  a declaration is wrong; each error is FILE:LINE:COLUMN: what, and what to do
  66  there is no such package
  73  stubs cannot be written
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the command. It returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("interface", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	check := flags.Bool("check", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(stdout, usage)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "interface: %v; see --help\n", err)
		return exitUsage
	}
	patterns := flags.Args()
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	targets, err := load(nil, patterns...)
	if _, ok := errors.AsType[fault](err); ok {
		fmt.Fprintln(stderr, err)
		return exitBad
	}
	if err != nil {
		fmt.Fprintf(stderr, "interface: %v\n", err)
		if _, ok := errors.AsType[notFound](err); ok {
			return exitNotFound
		}
		return exitBad
	}
	code := exitOK
	for _, t := range targets {
		code = max(code, t.make(*check, stdout, stderr))
	}
	return code
}

// make makes the stubs of one package.
func (t *target) make(check bool, stdout, stderr io.Writer) int {
	i, wrong := declare.Read(t.source)
	for _, e := range wrong {
		e.Position.Filename = relative(e.Position.Filename)
		fmt.Fprintln(stderr, e)
	}
	if len(wrong) > 0 {
		return exitBad
	}
	stubs, err := emit.Source(i)
	if err != nil {
		fmt.Fprintf(stderr, "interface: %v\n", err)
		return exitBad
	}
	file := filepath.Join(t.folder, emit.File)
	old, err := os.ReadFile(file)
	if err == nil && bytes.Equal(old, stubs) {
		return exitOK
	}
	if check {
		fmt.Fprintf(stdout, "%s is not what %s declares; run go generate\n", relative(file), i.Path)
		return exitStale
	}
	if err := os.WriteFile(file, stubs, 0o644); err != nil {
		fmt.Fprintf(stderr, "interface: %v\n", err)
		return exitWrite
	}
	return exitOK
}

// relative returns a path as seen from the current folder, if that is shorter.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if r, err := filepath.Rel(here, path); err == nil && len(r) < len(path) {
		return r
	}
	return path
}
