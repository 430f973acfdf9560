package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"skerry/cmd/interface/declare"
	"skerry/cmd/interface/emit"
)

var update = flag.Bool("update", false, "write what comes out to testdata")

// TestGolden makes the stubs of each declaration in testdata and compares them, or the
// errors, with what the archive says.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	var patterns []string
	archives := map[string]*txtar.Archive{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		archives[name] = a
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".go") && f.Name != emit.File {
				overlay[filepath.Join(here, "testdata", name, f.Name)] = f.Data
			}
		}
		patterns = append(patterns, "./testdata/"+name)
	}
	targets, err := load(overlay, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	if len(targets) != len(files) {
		t.Fatalf("%d packages of %d files", len(targets), len(files))
	}
	for _, target := range targets {
		name := filepath.Base(target.folder)
		t.Run(name, func(t *testing.T) { golden(t, name, archives[name], target) })
	}
}

// golden compares what comes of one package with the last file of its archive: stub.go
// or errors.
func golden(t *testing.T, name string, a *txtar.Archive, target target) {
	i, wrong := declare.Read(target.source)
	got := txtar.File{Name: "errors"}
	var list bytes.Buffer
	for _, e := range wrong {
		e.Position.Filename = filepath.Base(e.Position.Filename)
		fmt.Fprintln(&list, e)
	}
	got.Data = list.Bytes()
	if wrong == nil {
		stubs, err := emit.Source(i)
		if err != nil {
			t.Fatal(err)
		}
		got = txtar.File{Name: emit.File, Data: stubs}
	}
	n := len(a.Files)
	if n > 0 && (a.Files[n-1].Name == emit.File || a.Files[n-1].Name == "errors") {
		if bytes.Equal(a.Files[n-1].Data, got.Data) {
			return
		}
		n--
	}
	if !*update {
		t.Errorf("it is not what testdata/%s.txtar says, but:\n%s", name, got.Data)
		return
	}
	a.Files = append(a.Files[:n], got)
	if err := os.WriteFile("testdata/"+name+".txtar", txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCompiles puts the stubs of the golden declarations into their packages and has
// the go command check them.
func TestCompiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	var patterns []string
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if a.Files[len(a.Files)-1].Name != emit.File {
			continue
		}
		folder := strings.TrimSuffix(file, ".txtar") + "-compiles"
		patterns = append(patterns, "./"+folder)
		for _, f := range a.Files {
			name := f.Name
			if name == emit.File {
				name = "generated.go" // load leaves out stub.go
			}
			overlay[filepath.Join(here, folder, name)] = f.Data
		}
	}
	if len(patterns) < 2 {
		t.Fatalf("stubs of %v alone", patterns)
	}
	if _, err := load(overlay, patterns...); err != nil {
		t.Error(err)
	}
}

// TestUpToDate makes the stubs of the tree's own interfaces again.
func TestUpToDate(t *testing.T) {
	var out, wrong bytes.Buffer
	if code := run([]string{"--check", "skerry/interface/..."}, &out, &wrong); code != exitOK {
		t.Errorf("exit code %d\n%s%s", code, &out, &wrong)
	}
}

// TestModule makes stubs in a module that is not this one, as docs/interfaces.md says, from
// what is in the go command's caches.
func TestModule(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the compiler")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "p.go"), []byte("package p\n\nimport \"context\"\n\n//go:generate go tool interface\n\n//skerry:interface version=1\ntype P interface {\n\tDo(ctx context.Context) error\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"mod init example", "mod edit -replace skerry=" + root, "get -tool skerry/cmd/interface", "generate", "vet -mod=mod .",
	} {
		command := exec.CommandContext(t.Context(), "go", strings.Fields(args)...)
		command.Dir = folder
		command.Env = append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOFLAGS=-mod=mod")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, emit.File)); err != nil {
		t.Error(err)
	}
}

func TestCommand(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example\n\ngo 1.26.0\n")
	write("p.go", "package p\n\nimport \"context\"\n\n//skerry:interface version=1\ntype P interface {\n\tDo(ctx context.Context) error\n}\n")
	t.Chdir(folder)
	steps := []struct {
		args     string
		code     int
		out, err string // parts of what is printed
	}{
		{"--help", exitOK, "usage: interface", ""},
		{"--nonsense", exitUsage, "", "interface: flag provided but not defined: -nonsense; see --help"},
		{"--check", exitStale, "stub.go is not what example declares; run go generate", ""},
		{"", exitOK, "", ""},
		{"--check", exitOK, "", ""},
		{"./nowhere", exitNotFound, "", "nowhere"},
		{"# p.go: package p; type P int", exitBad, "", "p.go:1:1: package p declares no interface; write //skerry:interface version=1 above one"},
		{"# p.go: package p; type P undefined", exitBad, "", "p.go:1:19: undefined: undefined"},
		{"# p.go: package p; var x = Dial; var y = nothing", exitBad, "", "p.go:1:20: undefined: Dial\np.go:1:34: undefined: nothing\nstubs are made without those that there are: move what uses them to another package\n"},
		{"# stub.go: package p", exitBad, "", "stub.go: it is not generated, and would be written over; rename it"},
	}
	for _, s := range steps {
		args := strings.Fields(s.args)
		if file, ok := strings.CutPrefix(s.args, "# "); ok {
			name, text, _ := strings.Cut(file, ": ")
			write(name, text+"\n")
			args = nil
		}
		var out, wrong bytes.Buffer
		code := run(args, &out, &wrong)
		if code != s.code || !strings.Contains(out.String(), s.out) || !strings.Contains(wrong.String(), s.err) {
			t.Errorf("%q: exit code %d\n%s%s", s.args, code, &out, &wrong)
		}
	}
}
