// The generate command writes the reference tables in docs from the source
// that they describe: docs/linux-calls.md from the libos's table of Linux
// calls, docs/native-calls.md from the comments of package abi.
//
//	go generate ./docs/generate
//
// Nothing imports it, and it imports none of what it reads but the names of
// Linux calls. It must never hold a fact that the source can tell.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . ../..

// pages are the files it writes, by path below the source tree.
var pages = map[string]func(tree string) (string, error){
	"docs/linux-calls.md":  linuxCalls,
	"docs/native-calls.md": nativeCalls,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate TREE")
		os.Exit(2)
	}
	for file, page := range pages {
		text, err := page(os.Args[1])
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], file), []byte(text), 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "generate %s: %v\n", file, err)
			os.Exit(1)
		}
	}
}
