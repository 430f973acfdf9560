// The std command runs the standard library's own test binaries on Skerry and
// on the host and prints, for each package,
//
//	PACKAGE  host: PASS FAIL SKIP  skerry: PASS FAIL SKIP  VERDICT
//
// where the verdict is "pass" if the run on Skerry exited with 0. Without
// arguments it runs all packages on one core, then those about what goes on at once
// on four, and writes both tables to docs/std.md. With -o and packages it writes the
// table of these.
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
	var spanning []string
	if len(packages) == 0 {
		if packages, err = library.Packages(ctx); err != nil {
			return err
		}
		root, err := source.Find("")
		if err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(root, "test", "std", "spanning.txt"))
		if err != nil {
			return err
		}
		spanning = strings.Fields(string(text))
		if o.output == "" {
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
	lines, err := all(ctx, library, system, packages, o.cores, o.parallel, o.limit)
	if err != nil {
		return err
	}
	text := document(library, o.cores, lines)
	if len(spanning) > 0 {
		if lines, err = all(ctx, library, system, spanning, spanned, o.parallel, o.limit); err != nil {
			return err
		}
		text += spanningSection(lines)
	}
	if o.output == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(o.output), 0o755); err != nil {
		return err
	}
	return os.WriteFile(o.output, []byte(text), 0o644)
}

// spanned is the number of cores that packages about what goes on at once are run on
// besides.
const spanned = 4

// all runs packages on both systems, so many at once, and prints what came of them.
func all(ctx context.Context, library *std.Library, system *std.Skerry, packages []string, cores, parallel int, limit time.Duration) ([]line, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lines := make([]line, len(packages))
	var group sync.WaitGroup
	var printing sync.Mutex
	turn := make(chan int)
	for range parallel {
		group.Go(func() {
			for i := range turn {
				l, err := both(ctx, library, system, packages[i], cores, limit)
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
		return nil, err
	}
	fmt.Printf("%d of %d packages pass on Skerry, on %s\n", passed(lines), len(lines), number(cores, "core"))
	return lines, nil
}

// passed counts the packages that pass.
func passed(lines []line) (n int) {
	for _, l := range lines {
		if l.skerry.Passed() {
			n++
		}
	}
	return n
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

// document returns the document, up to its first table.
func document(library *std.Library, cores int, lines []line) string {
	return fmt.Sprintf(`# The standard library's own tests

Unmodified test binaries (`+"`CGO_ENABLED=0 go test -c`, %s"+`), run with `+"`-test.short`"+`
on Skerry %s, in a machine each, with %s, and on the host. Each gets its
package's folder and its neighbours, read-only. Counts are top-level tests that passed, failed and
were skipped. A package passes when its run on Skerry exits with 0; none is
treated unlike another. `+"`make std`"+` writes this file.

**%d of %d packages pass.**

`, library.Go, abi.Version, number(cores, "core"), passed(lines), len(lines)) + table(lines)
}

// spanningSection returns what the document says of packages on several cores.
func spanningSection(lines []line) string {
	return fmt.Sprintf(`
## On %s

The packages about what goes on at once, those of test/std/spanning.txt, once more: each in a
machine of %s, with a dispatcher on every core. A test of `+"`make test`"+` holds that
each of their tests ends as on the host. It knows those that start a process or listen on a
network, which Skerry cannot: two of sync, one of context.

**%d of %d packages pass.**

`, number(spanned, "core"), number(spanned, "core"), passed(lines), len(lines)) + table(lines)
}

// table returns a row for each package.
func table(lines []line) string {
	var b strings.Builder
	b.WriteString("| package | host: pass fail skip | Skerry: pass fail skip | verdict |\n|---|---|---|---|\n")
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
