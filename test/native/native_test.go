// Package native tests native programs: what the examples of package
// skerry/examples/capabilities say on Skerry is what they promise.
package native

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skerry/test/boot"
)

var update = flag.Bool("update", false, "write what the programs say to testdata")

// TestCapabilities runs examples/capabilities and compares, line by line, what
// it says with testdata/capabilities.txt.
func TestCapabilities(t *testing.T) {
	boot.Need(t)
	o := boot.Run(t, &boot.Machine{Cores: 1, Programs: []boot.Program{
		{Package: boot.Example(t, "capabilities")},
	}})
	if o.Err != nil || o.Stderr != "" {
		t.Fatalf("the program failed: %v", o.Err)
	}
	kept := filepath.Join("testdata", "capabilities.txt")
	if *update {
		if err := os.WriteFile(kept, []byte(o.Stdout), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	got, want := strings.Split(o.Stdout, "\n"), strings.Split(string(text), "\n")
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("line %d: %q, want %q", i+1, g, w)
		}
	}
}
