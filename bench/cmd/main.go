// The bench command measures Skerry beside Linux: the same unmodified binaries
// in the same QEMU with the same flags, virtual CPUs bound, rounds of both
// systems in turn. It prints lines
//
//	NAME VALUE UNIT
//
// For a row R: R.skerry and R.linux are medians over the rounds, R.skerry.spread
// and R.linux.spread half their ranges in percent, R.ratio is Skerry's figure
// in Linux's, R.limit what the ratio must not exceed. Rows that Linux has no
// part in have R.skerry and R.limit alone. Rows about channels between two programs have
// R.in_RIVAL instead of a ratio: Skerry's figure in that of what Linux offers two
// processes, the row rival_RIVAL_WHAT_on_CORES. Lines that begin with # are notes.
//
//	go run ./bench/cmd [-rounds N] [-check] [ROW ...]
//	go run ./bench/cmd -count [-update FILE] [-plugin FILE] [ROW ...]
//
// With -check, a row above its limit makes the exit code 1. With -count, the
// machine counts instructions: R.skerry and R.linux are then instructions of
// one operation, exact and the same in every run. With -plugin besides, R_lines.skerry is how many
// cache lines went from core to core in one, of rows about several cores: by a QEMU plugin
// that understands the marks of bench/mark, and takes the option out=FILE for where it appends
// its reports; plugin.go says what is read there.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"skerry/host/gobuild"
	"skerry/host/image"
	"skerry/host/source"
	"skerry/lib/manifest"
)

func main() {
	rounds := flag.Int("rounds", 3, "how often to measure each system")
	check := flag.Bool("check", false, "exit with 1 if a row is above its limit")
	count := flag.Bool("count", false, "count instructions instead of time")
	update := flag.String("update", "", "with -count: write Skerry's counts to this file")
	plugin := flag.String("plugin", "", "with -count: a QEMU plugin, and its options, that counts what cache lines go from core to core")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	err := func() error {
		b, err := newBench(ctx, flag.Args())
		if err != nil {
			return err
		}
		defer b.close()
		if *count {
			b.plugin = *plugin
			return b.count(ctx, *update)
		}
		return b.compare(ctx, *rounds, *check)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench holds what all measurements need.
type bench struct {
	work     string            // folder for binaries and images
	system   *image.System     // Skerry
	programs map[string]string // path of each binary by name
	only     []string          // rows to measure; none: all
	plugin   string            // what counts cache lines: a QEMU plugin and its options
	samples  map[string]*row   // by name
	order    []string          // of the rows as they came up
}

// row is what was measured of one quantity, one figure a round.
type row struct {
	unit          string
	skerry, linux []float64
}

// binaries are what is run: packages by name.
var binaries = map[string]string{
	"hello":      "./examples/hello",
	"micro":      "./bench/micro",
	"capability": "./bench/capability",
	"lmp":        "./bench/lmp",
	"channel":    "./bench/channel",
	"urpc":       "./bench/urpc",
	"upcall":     "./bench/upcall",
	"thread":     "./bench/thread",
	"spawn":      "./bench/spawn",
	"idle":       "./bench/idle",
	"slope":      "./bench/slope",
	"sort":       "./examples/sort",
	"graph":      "./examples/graph",
	"space":      "./bench/space",
	"update":     "./bench/update",
}

// grants are the capabilities that programs are given on Skerry.
var grants = map[string][]string{"capability": {manifest.Inspect}, "channel": {manifest.Messages}, "lmp": {manifest.Dispatch}, "slope": {manifest.Dispatch}, "upcall": {manifest.Dispatch, manifest.Inspect}}

// newBench builds Skerry and the binaries.
func newBench(ctx context.Context, only []string) (b *bench, err error) {
	root, err := source.Find("")
	if err != nil {
		return nil, err
	}
	b = &bench{programs: make(map[string]string), only: only, samples: make(map[string]*row)}
	if b.work, err = os.MkdirTemp("", "skerry-bench"); err != nil {
		return nil, err
	}
	defer func(made *bench) {
		if err != nil {
			made.close()
		}
	}(b)
	for name, pkg := range binaries {
		text, err := gobuild.Build(ctx, gobuild.Target{Dir: root, Package: pkg, System: true})
		if err != nil {
			return nil, err
		}
		b.programs[name] = filepath.Join(b.work, name)
		if err := os.WriteFile(b.programs[name], text, 0o755); err != nil {
			return nil, err
		}
	}
	if b.system, err = image.CompileSystem(ctx, root, false); err != nil {
		return nil, err
	}
	return b, nil
}

// close removes what newBench made.
func (b *bench) close() { os.RemoveAll(b.work) }

// wanted says whether a row is to be measured.
func (b *bench) wanted(rows ...string) bool {
	return len(b.only) == 0 || slices.ContainsFunc(rows, func(r string) bool { return slices.Contains(b.only, r) })
}

// add records a figure of Skerry or Linux, if its row is wanted.
func (b *bench) add(name string, linux bool, value float64, unit string) {
	if b.wanted(strings.TrimSuffix(name, "_per_byte")) {
		b.record(name, linux, value, unit)
	}
}

// record records a figure of a row that is wanted.
func (b *bench) record(name string, linux bool, value float64, unit string) {
	r := b.samples[name]
	if r == nil {
		r = &row{unit: unit}
		b.samples[name] = r
		b.order = append(b.order, name)
	}
	if linux {
		r.linux = append(r.linux, value)
	} else {
		r.skerry = append(r.skerry, value)
	}
}

// addLines records the lines NAME VALUE UNIT of a program's output.
func (b *bench) addLines(output []byte, linux bool) error {
	for line := range strings.Lines(string(output)) {
		var name, unit string
		var value float64
		if _, err := fmt.Sscan(line, &name, &value, &unit); err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		if !strings.HasSuffix(name, ".spread") {
			b.add(name, linux, value, unit)
		}
	}
	return nil
}

// compare measures both systems in turn and prints all rows.
func (b *bench) compare(ctx context.Context, rounds int, check bool) error {
	fmt.Printf("# %s, %d host CPUs, load %s\n", runtime.Version(), runtime.NumCPU(), load())
	for round := range rounds {
		for _, step := range b.steps() {
			began := time.Now()
			if err := step.run(ctx); err != nil {
				return fmt.Errorf("%s, round %d: %w", step.name, round+1, err)
			}
			fmt.Fprintf(os.Stderr, "round %d: %s took %.1f s\n", round+1, step.name, time.Since(began).Seconds())
		}
	}
	fmt.Printf("# load afterwards %s\n", load())
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var over []string
	for _, name := range b.order {
		r := b.samples[name]
		if len(r.skerry) > 0 {
			fmt.Fprintf(out, "%s.skerry %.4g %s\n%s.skerry.spread %.1f %%\n", name, median(r.skerry), r.unit, name, spread(r.skerry))
		}
		if len(r.linux) > 0 {
			fmt.Fprintf(out, "%s.linux %.4g %s\n%s.linux.spread %.1f %%\n", name, median(r.linux), r.unit, name, spread(r.linux))
		}
		figure, unit := 0.0, "x"
		switch {
		case len(r.skerry) > 0 && len(r.linux) > 0:
			figure = median(r.skerry) / median(r.linux)
			fmt.Fprintf(out, "%s.ratio %.3g x\n", name, figure)
		case len(r.skerry) > 0:
			figure, unit = median(r.skerry), r.unit
		}
		b.writeRivals(out, name)
		if limit, ok := limits[name]; ok {
			fmt.Fprintf(out, "%s.limit %.3g %s\n", name, limit, unit)
			if figure > limit {
				over = append(over, name)
			}
		}
	}
	if check && len(over) > 0 {
		return fmt.Errorf("above their limits: %s", strings.Join(over, ", "))
	}
	return nil
}

// limits are the bars: of Skerry's figure in Linux's, and where Linux has no
// part, of Skerry's figure itself.
var limits = map[string]float64{
	"first_line":               1.0 / 3,
	"spawn":                    1,
	"getppid":                  1,
	"clock_gettime":            1,
	"futex_wake":               1,
	"futex_pingpong":           1,
	"pipe_pingpong_threads":    1,
	"pipe_pingpong_goroutines": 1,
	"mmap_touch_munmap_1":      1,
	"mmap_touch_munmap_256":    1,
	"page_fault":               1,
	"page_fault_huge":          1,
	"thread_create":            1,
	"thread_switch":            0.5,
	"thread_switch_call":       1,
	"thread_cond_pingpong":     1,
	"thread_join":              1,
	"kernel_allocations":       0,
	"idle_cpu":                 5,
	"idle_cpu_channels":        5,
	"core_memory":              8,
}

// median returns the middle one of values.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// spread returns half the range of values in percent of their median.
func spread(values []float64) float64 {
	return 50 * (slices.Max(values) - slices.Min(values)) / max(median(values), 1e-9)
}

// load returns the host's load averages.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
