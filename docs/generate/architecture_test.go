package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestImports holds the tree's imports to the table of folders in
// ARCHITECTURE.md: a folder imports itself and what its row names. The last
// rows, of programs and tests, may import anything that has a row.
func TestImports(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tree, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	allowed := map[string]map[string]bool{} // by folder; nil: anything
	var folders []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(line, "| `") {
			continue
		}
		var imports map[string]bool
		if !strings.Contains(cells[3], "anything") {
			imports = map[string]bool{}
			for _, m := range quoted.FindAllStringSubmatch(cells[3], -1) {
				imports[m[1]] = true
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
			folders = append(folders, m[1])
			allowed[m[1]] = imports
		}
	}
	if len(folders) < 10 {
		t.Fatalf("the table names only %v", folders)
	}
	within := func(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
	for path, imports := range importsOf(t) {
		home := ""
		for _, f := range folders {
			if within(path, f) {
				home = f
			}
		}
		if home == "" {
			t.Errorf("%s is in no folder of the table", path)
		}
		if allowed[home] == nil {
			continue
		}
		for _, i := range imports {
			ok := within(i, home)
			for f := range allowed[home] {
				ok = ok || within(i, f)
			}
			if !ok {
				t.Errorf("%s imports %s: not in the table", path, i)
			}
		}
	}
}

// importsOf returns the packages of the module, by path in the tree, and what
// they import of it; tests left out.
func importsOf(t *testing.T) map[string][]string {
	command := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	command.Dir = tree
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string][]string{}
	for d := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		own := []string{}
		for _, i := range p.Imports {
			if rest, ok := strings.CutPrefix(i, "skerry/"); ok {
				own = append(own, rest)
			}
		}
		packages[strings.TrimPrefix(p.ImportPath, "skerry/")] = own
	}
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	return packages
}
