// The generate command writes the code and the reference of capabilities from
// package table: abi/capability/types.go, lib/capability/types.go and
// docs/capabilities.md.
//
//	go generate ./abi/capability
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// files are what it writes, by path below the source tree.
var files = map[string]func() (string, error){
	"abi/capability/types.go": code,
	"docs/capabilities.md":    reference,
	"lib/capability/types.go": wrappers,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate TREE")
		os.Exit(2)
	}
	for name, write := range files {
		text, err := write()
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "generate %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}
