// The std command runs the standard library's own test binaries on Skerry and
// on the host and prints, for each package,
//
//	PACKAGE  host: PASS FAIL SKIP  skerry: PASS FAIL SKIP  VERDICT
//
// where the verdict is "pass" if the run on Skerry exited with 0. Without
// arguments it runs all packages and writes the table to docs/std.md.
//
//	go run ./test/std/cmd [-c CORES] [-o FILE] [-timeout D] [PACKAGE ...]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"skerry/abi"
	"skerry/host/source"
	"skerry/test/std"
)

func main() {
	var o options
	flag.StringVar(&o.output, "o", "", "file for the table (docs/std.md if all packages are run)")
	flag.DurationVar(&o.limit, "timeout", 2*time.Minute, "time for one package on one system")
	flag.IntVar(&o.parallel, "parallel", 2, "packages to run at once")
	flag.IntVar(&o.cores, "c", 1, "cores that each package runs on")
	flag.BoolVar(&o.build, "build", false, "build the test binaries and no more")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Args(), &o); err != nil {
		fmt.Fprintln(os.Stderr, "std:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	output          string
	limit           time.Duration
	parallel, cores int
	build           bool
}

// line is a package and what came of it.
type line struct {
	pkg          string
	host, skerry std.Result
}

func run(ctx context.Context, packages []string, o *options) error {
	library, err := std.Open(ctx)
	if err != nil {
		return err
	}
	if len(packages) == 0 {
		if packages, err = library.Packages(ctx); err != nil {
			return err
		}
		if o.output == "" {
			root, err := source.Find("")
			if err != nil {
				return err
			}
			o.output = filepath.Join(root, "docs", "std.md")
		}
	}
	if o.build {
		for _, pkg := range packages {
			if _, err := library.Build(ctx, pkg); err != nil {
				return err
			}
		}
		return nil
	}
	system, err := std.NewSkerry(ctx, library)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lines := make([]line, len(packages))
	var group sync.WaitGroup
	var printing sync.Mutex
	turn := make(chan int)
	for range o.parallel {
		group.Go(func() {
			for i := range turn {
				l, err := both(ctx, library, system, packages[i], o.cores, o.limit)
				if err != nil {
					cancel(fmt.Errorf("%s: %w", packages[i], err))
					continue
				}
				lines[i] = l
				printing.Lock()
				fmt.Printf("%-28s host: %-12s skerry: %-24s %s\n", l.pkg, l.host, l.skerry, verdict(l))
				printing.Unlock()
			}
		})
	}
	for i := range packages {
		select {
		case turn <- i:
		case <-ctx.Done():
		}
	}
	close(turn)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	passed := 0
	for _, l := range lines {
		if l.skerry.Passed() {
			passed++
		}
	}
	fmt.Printf("%d of %d packages pass on Skerry\n", passed, len(lines))
	if o.output == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(o.output), 0o755); err != nil {
		return err
	}
	return os.WriteFile(o.output, []byte(table(library, o.cores, lines, passed)), 0o644)
}

// both runs a package on the host and on Skerry.
func both(ctx context.Context, library *std.Library, system *std.Skerry, pkg string, cores int, limit time.Duration) (line, error) {
	l := line{pkg: pkg}
	binary, err := library.Build(ctx, pkg)
	if err != nil {
		return l, err
	}
	if l.host, err = library.Host(ctx, pkg, binary, runtime.NumCPU(), limit); err != nil {
		return l, err
	}
	l.skerry, err = system.Run(ctx, pkg, binary, cores, limit)
	return l, err
}

func verdict(l line) string {
	switch {
	case l.skerry.Passed():
		return "pass"
	case !l.host.Passed():
		return "fail (on the host too)"
	}
	return "fail"
}

// table returns the document.
func table(library *std.Library, cores int, lines []line, passed int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The standard library's own tests

Unmodified test binaries (`+"`CGO_ENABLED=0 go test -c`, %s"+`), run with `+"`-test.short`"+`
on Skerry %s, in a machine each, with %s, and on the host. Each gets its
package's folder and its neighbours, read-only. Counts are top-level tests that passed, failed and
were skipped. A package passes when its run on Skerry exits with 0; none is
treated unlike another. `+"`make std`"+` writes this file.

**%d of %d packages pass.**

| package | host: pass fail skip | Skerry: pass fail skip | verdict |
|---|---|---|---|
`, library.Go, abi.Version, number(cores, "core"), passed, len(lines))
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.pkg, l.host, l.skerry, verdict(l))
	}
	return b.String()
}

// number says how many there are of something.
func number(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
