package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFiles holds that the generated files are what the table says today.
func TestFiles(t *testing.T) {
	const tree = "../../.."
	for name, write := range files {
		want, err := write()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := os.ReadFile(filepath.Join(tree, name))
		if err != nil {
			t.Error(err)
		} else if string(got) != want {
			t.Errorf("%s is stale: run go generate ./abi/capability", name)
		}
	}
}
