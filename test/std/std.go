// Package std runs the standard library's own test binaries, unmodified, on
// Skerry and on the host, and compares what they say.
//
// Its command (make std) and its test use it. It must never treat one package
// unlike another.
package std

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"skerry/host/exitcode"
	"skerry/host/gobuild"
)

// Library is a Go installation's standard library.
type Library struct {
	Root  string // GOROOT
	Go    string // release
	cache string // folder for test binaries and logs, of this release
}

// Open finds the standard library of the go command in PATH.
func Open(ctx context.Context) (*Library, error) {
	cache, err := gobuild.CacheDir()
	if err != nil {
		return nil, err
	}
	text, err := exec.CommandContext(ctx, "go", "env", "-json", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var env struct{ GOROOT, GOVERSION string }
	if err := json.Unmarshal(text, &env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	l := &Library{Root: env.GOROOT, Go: env.GOVERSION, cache: filepath.Join(cache, "std", env.GOVERSION)}
	for _, dir := range []string{"bin", "log"} {
		if err := os.MkdirAll(filepath.Join(l.cache, dir), 0o755); err != nil {
			return nil, fmt.Errorf("cache folder: %w", err)
		}
	}
	return l, nil
}

// Packages returns the packages of the library that have tests, in order.
func (l *Library) Packages(ctx context.Context) ([]string, error) {
	c := exec.CommandContext(ctx, "go", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "std")
	c.Dir, c.Env = filepath.Join(l.Root, "src"), gobuild.Environment(true)
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list std: %w", err)
	}
	return strings.Fields(string(text)), nil
}

// Build returns the path of a package's test binary, which it builds if the
// cache has none.
func (l *Library) Build(ctx context.Context, pkg string) (string, error) {
	path := filepath.Join(l.cache, "bin", strings.ReplaceAll(pkg, "/", "_")+".test")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
	c := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-o", fresh, pkg)
	c.Dir, c.Env = filepath.Join(l.Root, "src"), gobuild.Environment(true)
	if text, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go test -c %s: %w\n%s", pkg, err, text)
	}
	return path, os.Rename(fresh, path)
}

// dir is the folder that a package's tests run in.
func (l *Library) dir(pkg string) string {
	return filepath.Join(l.Root, "src", filepath.FromSlash(pkg))
}

// arguments are given to every test binary. The format test2json marks each
// line of the test framework, so that what a test prints cannot be mistaken
// for one.
func arguments(limit time.Duration) []string {
	return []string{"-test.short", "-test.v=test2json", "-test.timeout=" + limit.String()}
}

// environment is the same on both systems.
func (l *Library) environment() []string {
	return []string{"GOROOT=" + l.Root, "HOME=/tmp", "TMPDIR=/tmp", "PATH=/bin", "USER=nobody", "TZ=UTC"}
}

// Result is what came of one run of a test binary.
type Result struct {
	Tests            map[string]string // PASS, FAIL or SKIP by top-level test, examples included
	Pass, Fail, Skip int               // how many of these
	End              string            // how the run ended: "ok", "exit 1", "timeout", …
	Took             time.Duration
}

// Passed says that the whole run did: its exit code was 0.
func (r Result) Passed() bool { return r.End == "ok" }

// String returns the counts, and how the run ended unless it passed.
func (r Result) String() string {
	s := fmt.Sprintf("%d %d %d", r.Pass, r.Fail, r.Skip)
	if !r.Passed() {
		s += " (" + r.End + ")"
	}
	return s
}

var verdictLine = regexp.MustCompile(`(?m)^\x16--- (PASS|FAIL|SKIP): ([^/\s]+) \(`)

// count reads what came of each test from a binary's output.
func (r *Result) count(output []byte) {
	r.Tests = map[string]string{}
	for _, match := range verdictLine.FindAllSubmatch(output, -1) {
		r.Tests[string(match[2])] = string(match[1])
		switch string(match[1]) {
		case "PASS":
			r.Pass++
		case "FAIL":
			r.Fail++
		case "SKIP":
			r.Skip++
		}
	}
}

// keep stores a run's output for people to look at.
func (l *Library) keep(pkg, system string, output []byte) error {
	return os.WriteFile(l.LogFile(pkg, system), output, 0o644)
}

// LogFile is where the output of a package's last run on a system ("host" or
// "skerry") is kept.
func (l *Library) LogFile(pkg, system string) string {
	return filepath.Join(l.cache, "log", strings.ReplaceAll(pkg, "/", "_")+"."+system+".txt")
}

// Host runs a package's test binary on this machine, on so many of its CPUs if it
// has as many. What goes wrong in the run is part of the result, not an error.
func (l *Library) Host(ctx context.Context, pkg, binary string, cpus int, limit time.Duration) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, limit+5*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, binary, arguments(limit)...)
	c.Dir, c.Env = l.dir(pkg), l.environment()
	c.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	began := time.Now()
	err := startOn(c, cpus)
	if err == nil {
		err = c.Wait()
	}
	r := Result{End: "ok", Took: time.Since(began)}
	r.count(output.Bytes())
	var exit *exec.ExitError
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		r.End = "timeout"
	case ctx.Err() != nil:
		return r, ctx.Err()
	case errors.As(err, &exit):
		r.End = exit.String() // "exit status 1", "signal: killed"
	case err != nil:
		return r, err
	}
	return r, l.keep(pkg, "host", output.Bytes())
}

// startOn starts a command on the first CPUs of those that this process may use,
// as a child has those of the thread that starts it.
func startOn(c *exec.Cmd, cpus int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, some unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return fmt.Errorf("CPUs of this process: %w", err)
	}
	for cpu := 0; some.Count() < min(cpus, all.Count()); cpu++ {
		if all.IsSet(cpu) {
			some.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &some); err != nil {
		return fmt.Errorf("take %d CPUs: %w", cpus, err)
	}
	return errors.Join(c.Start(), unix.SchedSetaffinity(0, &all))
}

// endOf names how a run on Skerry ended, from the error of its session and its
// exit code.
func endOf(err error, code int) string {
	var failure *exitcode.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &failure):
		switch {
		case failure.Code == exitcode.Panic:
			return "kernel panic"
		case failure.Code == exitcode.Memory:
			return "out of memory"
		case failure.Code == exitcode.Fault:
			return "libos fault"
		case failure.Code == exitcode.Timeout:
			return "timeout"
		case failure.Code >= exitcode.Signal:
			return fmt.Sprintf("signal %d", failure.Code-exitcode.Signal)
		}
		return "machine stopped"
	case err != nil:
		return "machine stopped"
	case code != 0:
		return fmt.Sprintf("exit %d", code)
	}
	return "ok"
}
