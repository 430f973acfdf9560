package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tree(t *testing.T, mod string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOrder(t *testing.T) {
	byFlag, byEnv, byDir := tree(t, "module skerry\n"), tree(t, "module skerry // x\n"), tree(t, "// c\nmodule \"skerry\"\n")
	inside := filepath.Join(byDir, "a", "b")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(inside)
	t.Setenv(Variable, byEnv)
	for _, c := range []struct{ flag, env, want string }{
		{byFlag, byEnv, byFlag}, {"", byEnv, byEnv}, {"", "", byDir},
	} {
		t.Setenv(Variable, c.env)
		if got, err := Find(c.flag); err != nil || got != c.want {
			t.Errorf("Find(%q) with %q = %q, %v; want %q", c.flag, c.env, got, err, c.want)
		}
	}
}

func TestExplicitMustBeATree(t *testing.T) {
	other := tree(t, "module other\n")
	for _, c := range []struct{ dir, want string }{
		{other, "other, not skerry"}, {filepath.Join(other, "absent"), "no such file"}, {tree(t, "go 1.26\n"), "names no module"},
	} {
		if dir, err := Find(c.dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Find(%q) = %q, %v; want an error with %q", c.dir, dir, err, c.want)
		}
	}
}

// TestBuilt relies on tests being built without -trimpath.
func TestBuilt(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(Variable, "")
	dir, err := Find("")
	if err != nil {
		t.Skipf("built with -trimpath: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "host", "source", "source.go")); err != nil {
		t.Fatal(err)
	}
}
