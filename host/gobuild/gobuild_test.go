package gobuild

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"skerry/host/exitcode"
)

func module(t *testing.T, main string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "main.go": main} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const hello = "package main\n\nfunc main() { println(\"one\") }\n"

func TestBuildFollowsSource(t *testing.T) {
	t.Setenv("SKERRY_CACHE", t.TempDir())
	dir := module(t, hello)
	target := Target{Dir: dir, Package: ".", Ldflags: "-s -w", System: true}
	first, err := Build(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	// The target is linux/amd64 whatever the host.
	if !bytes.HasPrefix(first, []byte("\x7fELF\x02\x01")) || first[18] != 62 {
		t.Fatalf("not a linux/amd64 ELF: %x", first[:20])
	}
	again, err := Build(t.Context(), target)
	if err != nil || !bytes.Equal(first, again) {
		t.Fatalf("an unchanged tree gives another program (%v)", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(strings.Replace(hello, "one", "two", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if changed, err := Build(t.Context(), target); err != nil || !bytes.Contains(changed, []byte("two")) {
		t.Fatalf("a change was not seen (%v)", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Fatalf("the source tree was written to: %v, %v", entries, err)
	}
}

func TestBuildTogether(t *testing.T) {
	t.Setenv("SKERRY_CACHE", t.TempDir())
	target := Target{Dir: module(t, hello), Package: "."}
	var wg sync.WaitGroup
	var built [4][]byte
	for i := range built {
		wg.Go(func() {
			b, err := Build(t.Context(), target)
			if err != nil {
				t.Error(err)
			}
			built[i] = b
		})
	}
	wg.Wait()
	for _, b := range built {
		if len(b) == 0 || !bytes.Equal(b, built[0]) {
			t.Fatal("builds at the same time differ")
		}
	}
}

func TestFailures(t *testing.T) {
	t.Setenv("SKERRY_CACHE", t.TempDir())
	_, err := Build(t.Context(), Target{Dir: module(t, "package main\n\nfunc main() { nothing() }\n"), Package: "."})
	var ce *CompileError
	if !errors.As(err, &ce) || !strings.Contains(ce.Output, "undefined: nothing") {
		t.Errorf("got %v", err)
	}
	if _, err := Build(t.Context(), Target{Dir: t.TempDir(), Package: "-toolexec=x"}); exitcode.Of(err) != exitcode.Usage {
		t.Errorf("a flag as a package: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("cause")
	cancel(cause)
	if _, err := Build(ctx, Target{Dir: module(t, hello), Package: "."}); err != cause {
		t.Errorf("cancelled: %v", err)
	}
	t.Setenv("PATH", "")
	if _, err := Build(t.Context(), Target{Dir: module(t, hello), Package: "."}); exitcode.Of(err) != exitcode.Image || !strings.Contains(err.Error(), "go.dev/dl") {
		t.Errorf("without go: %v", err)
	}
	t.Setenv("SKERRY_CACHE", "/dev/null/x")
	if _, err := Build(t.Context(), Target{Dir: module(t, hello), Package: "."}); exitcode.Of(err) != exitcode.Image || !strings.Contains(err.Error(), "SKERRY_CACHE") {
		t.Errorf("without a cache: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("GOFLAGS", "-race")
	t.Setenv("GOARCH", "arm64")
	t.Setenv("GOAMD64", "v4")
	get := func(env []string, key string) string {
		value, _ := lookup(env, key)
		return value
	}
	user, system := Environment(false), Environment(true)
	if get(user, "GOARCH") != "amd64" || get(user, "GOFLAGS") != "-race" || get(user, "CGO_ENABLED") != "0" || get(user, "GOAMD64") != "v4" {
		t.Errorf("for users' programs: %q", user)
	}
	if get(system, "GOFLAGS") != "" || get(system, "GOWORK") != "off" || get(system, "GOAMD64") != "v1" {
		t.Errorf("for Skerry: %q", system)
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{"old": keep + time.Hour, "new": keep - time.Hour} {
		at := filepath.Join(dir, name)
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(at, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	prune(dir, now)
	if entries, _ := os.ReadDir(dir); len(entries) != 1 || entries[0].Name() != "new" {
		t.Fatalf("left: %v", entries)
	}
}
