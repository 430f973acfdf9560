// Package gobuild compiles Go programs with the stock go command and keeps
// what it linked, so that linking an unchanged program again costs only the go
// command's own look at its sources.
//
// The packages under host and cmd/skerry import it. It must never write into a
// source tree.
package gobuild

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"skerry/host/exitcode"
)

// Target is a program to compile for linux/amd64 without cgo.
type Target struct {
	Dir     string   // working directory of the go command
	Package string   // package, or .go file, as named to the go command from Dir
	Ldflags string   // flags for the linker; may be empty
	Tags    string   // build tags; may be empty
	Flags   []string // more flags of go build
	// System marks a part of Skerry: it is built the same whatever the
	// user's GOFLAGS, GOWORK and the like say.
	System bool
}

// CompileError says that the go command could not build a target.
type CompileError struct {
	Target Target
	Output string // what the go command wrote
	Err    error
}

// Error returns what failed, without the output.
func (e *CompileError) Error() string {
	return fmt.Sprintf("go build %s: %v", e.Target.Package, e.Err)
}

// Unwrap returns the cause.
func (e *CompileError) Unwrap() error { return e.Err }

// CacheDir returns the folder that holds what Skerry keeps between runs,
// created if need be.
func CacheDir() (string, error) {
	base := os.Getenv("SKERRY_CACHE")
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", exitcode.New(exitcode.Image, "cache folder", "set HOME, XDG_CACHE_HOME or SKERRY_CACHE", "%w", err)
		}
		base = filepath.Join(user, "skerry")
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", exitcode.New(exitcode.Image, "cache folder "+base, "make it writable or set SKERRY_CACHE", "%w", err)
	}
	return base, nil
}

// keep is how long an unused program stays in the cache.
const keep = 30 * 24 * time.Hour

// Build compiles t and returns the linked ELF. It blocks until another process
// that builds the same target is done. ctx ends the go command.
func Build(ctx context.Context, t Target) ([]byte, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(t.Package, "-") {
		return nil, exitcode.New(exitcode.Usage, "package "+t.Package, "", "a package's name does not begin with -")
	}
	args := []string{"build", "-buildvcs=false"}
	if t.System {
		args = append(args, "-trimpath")
	}
	if t.Ldflags != "" {
		args = append(args, "-ldflags="+t.Ldflags)
	}
	if t.Tags != "" {
		args = append(args, "-tags="+t.Tags)
	}
	args = append(args, t.Flags...)
	env := Environment(t.System)

	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q", t.Dir, t.Package, args)
	for _, key := range []string{"GOFLAGS", "GOWORK", "GOAMD64", "GOEXPERIMENT", "GOROOT", "GOTOOLCHAIN"} {
		value, _ := lookup(env, key)
		fmt.Fprintf(h, " %q", value)
	}
	builds := filepath.Join(cache, "build")
	dir := filepath.Join(builds, fmt.Sprintf("%x", h.Sum(nil)[:16]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, exitcode.New(exitcode.Image, "cache folder "+dir, "make it writable or set SKERRY_CACHE", "%w", err)
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, exitcode.New(exitcode.Image, "cache folder "+dir, "make it writable or set SKERRY_CACHE", "%w", err)
	}
	defer unlock()

	out := filepath.Join(dir, "program")
	args = append(args, "-o", out, t.Package)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = t.Dir, env
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if errors.Is(err, exec.ErrNotFound) {
			return nil, exitcode.New(exitcode.Image, "go", "install Go 1.26 or newer, https://go.dev/dl", "the go command is not in PATH")
		}
		return nil, &CompileError{t, strings.TrimRight(output.String(), "\n"), err}
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, &CompileError{t, strings.TrimRight(output.String(), "\n"), err}
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // only the age is lost
	prune(builds, now)
	return b, nil
}

// Environment returns the environment in which the go command builds for
// Skerry. For parts of Skerry itself, what would change their code is cleared.
func Environment(system bool) []string {
	set := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64"}
	if system {
		set = append(set, "GOFLAGS=", "GOWORK=off", "GOAMD64=v1", "GOEXPERIMENT=")
	}
	var env []string
	for _, e := range os.Environ() {
		key, _, _ := strings.Cut(e, "=")
		if _, ok := lookup(set, key); !ok {
			env = append(env, e)
		}
	}
	return append(env, set...)
}

// lookup returns the value of key in env.
func lookup(env []string, key string) (string, bool) {
	for _, e := range env {
		if k, v, _ := strings.Cut(e, "="); k == key {
			return v, true
		}
	}
	return "", false
}

// prune removes programs that nobody has built for long. What cannot be
// removed is left for another time.
func prune(builds string, now time.Time) {
	entries, err := os.ReadDir(builds)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > keep {
			_ = os.RemoveAll(filepath.Join(builds, e.Name()))
		}
	}
}
