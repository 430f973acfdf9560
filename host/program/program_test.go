package program

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skerry/host/exitcode"
	"skerry/host/program/programtest"
)

// write makes files in a new folder and goes there.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var tree = map[string]string{
	"go.mod":           "module example.com/m\n\ngo 1.26\n",
	"cmd/one/one.go":   "package main\n\nfunc main() { println(1) }\n",
	"two.go":           "package main\n\nfunc main() { println(2) }\n",
	"lib/lib.go":       "package lib\n\nfunc F() {}\n",
	"broken/broken.go": "package main\n\nfunc main() { undefined() }\n",
	"empty/readme":     "",
	"good.elf":         string(programtest.Good().Bytes()),
	"bad.elf":          "nonsense",
	"wants/wants.go":   "package main\n\nimport _ \"example.com/absent\"\n\nfunc main() {}\n",
	"a-very-long-name-for-a-program-indeed/main.go": "package main\n\nfunc main() {}\n",
}

func TestLoad(t *testing.T) {
	t.Setenv("SKERRY_CACHE", t.TempDir())
	write(t, tree)
	for _, c := range []struct {
		named string
		kind  Kind
		name  string
	}{
		{"./cmd/one", Package, "one"},
		{"cmd/one", Package, "one"},
		{"example.com/m/cmd/one", Package, "one"},
		{"two.go", GoFile, "two"},
		{"good.elf", ELF, "good.elf"},
		{"a-very-long-name-for-a-program-indeed", Package, "a-very-long-name-for-a-program-"},
	} {
		s, err := Find(c.named)
		if err != nil {
			t.Errorf("%s: %v", c.named, err)
			continue
		}
		p, err := s.Load(t.Context())
		if err != nil {
			t.Errorf("%s: %v", c.named, err)
			continue
		}
		if p.Kind != c.kind || p.Name != c.name || Vet(p.ELF) != nil {
			t.Errorf("%s is %v %q, want %v %q", c.named, p.Kind, p.Name, c.kind, c.name)
		}
	}
}

func TestLoadFails(t *testing.T) {
	t.Setenv("SKERRY_CACHE", t.TempDir())
	write(t, tree)
	for _, c := range []struct {
		named string
		code  int
		want  string
	}{
		{"./absent", exitcode.NotFound, "no such file"},
		{"absent.go", exitcode.NotFound, "no such file"},
		{"", exitcode.NotFound, ""},
		{"absent", exitcode.NotFound, "no such package: package absent is not in std"},
		{"example.com/m/absent", exitcode.NotFound, "no such package"},
		{"example.com/other", exitcode.NotFound, "no such package"},
		{"./empty", exitcode.NotFound, "no Go files"},
		{"./lib", exitcode.BadFile, "not package main"},
		{"lib/lib.go", exitcode.BadFile, "not package main"},
		{"./broken", exitcode.Compile, "undefined: undefined"},
		{"broken/broken.go", exitcode.Compile, "undefined: undefined"},
		{"bad.elf", exitcode.BadFile, "not an ELF"},
		{"/dev/null", exitcode.BadFile, "not a regular file"},
	} {
		s, err := Find(c.named)
		if err == nil {
			_, err = s.Load(t.Context())
		}
		if err == nil {
			t.Errorf("%s loads", c.named)
			continue
		}
		text := err.Error()
		if e, ok := err.(*exitcode.Error); ok {
			text += "\n" + e.Detail
		}
		if exitcode.Of(err) != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s: code %d and %q, want %d and %q", c.named, exitcode.Of(err), text, c.code, c.want)
		}
	}
}

func TestLoadEndsWithContext(t *testing.T) {
	t.Setenv("SKERRY_CACHE", t.TempDir())
	write(t, tree)
	s, err := Find("./cmd/one")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := exitcode.New(exitcode.Timeout, "x", "", "y")
	cancel(cause)
	if _, err := s.Load(ctx); err != cause {
		t.Fatalf("got %v", err)
	}
}
