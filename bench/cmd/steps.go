package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"skerry/abi"
	"skerry/host/archive"
	"skerry/host/baseline"
	"skerry/host/image"
	"skerry/lib/manifest"
)

// Parameters of the steps.
const (
	bootCores  = 4  // cores of the machine whose boot is timed
	spawnCount = 24 // programs started one after the other
	idleTime   = 5 * time.Second
	stepLimit  = 3 * time.Minute
)

// step is one boot of one system.
type step struct {
	name string
	run  func(context.Context) error
}

// steps are what a round consists of; the systems take turns.
func (b *bench) steps() []step {
	var steps []step
	for _, p := range b.measuring(false) {
		steps = append(steps, step{"skerry " + filepath.Base(p.Path), func(ctx context.Context) error {
			result, err := b.skerry(ctx, baseline.Config{Cores: 1}, p)
			if err != nil {
				return err
			}
			return b.addLines(result.Runs[0].Stdout, false)
		}})
	}
	if b.alone() {
		steps = append(steps, step{"linux micro, thread and spawn", func(ctx context.Context) error {
			programs := append(b.measuring(true), b.program("spawn", fmt.Sprint(spawnCount), "/bin/hello"))
			result, err := b.linux(ctx, baseline.Config{Cores: 1}, append(programs, b.program("hello"))...)
			if err != nil {
				return err
			}
			for _, run := range result.Runs[:len(programs)] {
				if err := b.addLines(run.Stdout, true); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	if b.wanted("spawn") {
		steps = append(steps, step{"skerry spawn", b.skerrySpawn})
	}
	if b.wanted("first_line", "idle_cpu", "core_memory") {
		steps = append(steps,
			step{"skerry boot", func(ctx context.Context) error {
				result, err := b.skerry(ctx, baseline.Config{Cores: bootCores}, b.program("hello"))
				if err != nil {
					return err
				}
				b.add("first_line", false, float64(result.Runs[0].FirstLine)/1e6, "ms")
				return nil
			}},
			step{"linux boot", func(ctx context.Context) error {
				took, err := baseline.FirstLine(ctx, baseline.Config{Cores: bootCores, Progress: os.Stderr}, b.programs["hello"])
				b.add("first_line", true, float64(took)/1e6, "ms")
				return err
			}},
			step{"skerry idle", b.skerryIdle},
			step{"linux idle", func(ctx context.Context) error {
				result, err := b.linux(ctx, baseline.Config{Cores: bootCores}, b.program("idle", idleTime.String()))
				if err != nil {
					return err
				}
				b.add("idle_cpu_linux", true, idleShare(result.Runs[0]), "%")
				return nil
			}})
	}
	return slices.Concat(steps, b.channels(), b.rivalSteps(), b.parallel(), b.space())
}

// measuring returns the programs that measure operations of Skerry or Linux,
// for the rows that are to be measured. Each wants a machine to itself.
func (b *bench) measuring(linux bool, args ...string) []baseline.Program {
	args = append(args, b.only...) // none: all
	var programs []baseline.Program
	if b.alone() {
		programs = append(programs, b.program("micro", args...))
	}
	native := func(row string) bool {
		return strings.HasPrefix(row, "capability_") || row == "kernel_allocations" || row == "longest_event"
	}
	if !linux && (len(b.only) == 0 || slices.ContainsFunc(b.only, native)) {
		programs = append(programs, b.program("capability", args...))
	}
	messages := func(row string) bool {
		return strings.HasPrefix(row, "lmp_") && !strings.Contains(row, "_beside_") || row == "native_nop"
	}
	if !linux && (len(b.only) == 0 || slices.ContainsFunc(b.only, messages)) {
		programs = append(programs, b.program("lmp", args...))
	}
	upcalls := func(row string) bool { return strings.HasPrefix(row, "upcall_") || row == "preemption" }
	if !linux && (len(b.only) == 0 || slices.ContainsFunc(b.only, upcalls)) {
		programs = append(programs, b.program("upcall", args...))
	}
	threads := func(row string) bool { return strings.HasPrefix(row, "thread_") && row != "thread_create" }
	if len(b.only) == 0 || slices.ContainsFunc(b.only, threads) {
		programs = append(programs, b.program("thread", args...))
	}
	return programs
}

// alone says whether there may be rows to measure about what one program does by itself, and
// not only rows about several that talk.
func (b *bench) alone() bool {
	talk := func(row string) bool {
		return strings.HasPrefix(row, "channel_") || strings.HasPrefix(row, "rival_") || row == "idle_cpu_channels" || strings.HasPrefix(row, "update")
	}
	return len(b.only) == 0 || slices.ContainsFunc(b.only, func(row string) bool { return !talk(row) })
}

// program names one run of a binary.
func (b *bench) program(name string, args ...string) baseline.Program {
	return baseline.Program{Path: b.programs[name], Args: args}
}

// skerry runs programs on Skerry, all at once, on the cores that they name or on
// the last one of the machine, and checks that they end well.
func (b *bench) skerry(ctx context.Context, c baseline.Config, programs ...baseline.Program) (*baseline.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	plan := manifest.Manifest{Link: true, Summary: true, PowerOff: true}
	carried := make(map[string]bool)
	var files []archive.File
	for _, p := range programs {
		name := filepath.Base(p.Path)
		if !carried[name] {
			carried[name] = true
			file, err := archive.HostFile(p.Path, "/bin/"+name)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
		plan.Programs = append(plan.Programs, entry(&p, max(c.Cores, 1)-1))
	}
	path := filepath.Join(b.work, "image")
	if _, err := image.WriteFile(path, b.system, &plan, files); err != nil {
		return nil, err
	}
	return checked(baseline.Image(ctx, c, path, len(programs)))
}

// entry is what a manifest says of a program, which runs on a core if it names none
// itself.
func entry(p *baseline.Program, core int) manifest.Program {
	name := filepath.Base(p.Path)
	e := manifest.Program{
		Name: name, Path: "bin/" + name, Args: append([]string{"/bin/" + name}, p.Args...), Env: p.Env, Cwd: "/", Core: core,
		Replicated: p.Replicated, Capabilities: grants[name],
	}
	if len(p.Cores) > 0 {
		e.Core, e.Cores = p.Cores[0], p.Cores[1:]
	}
	return e
}

// linux runs programs on Linux and checks that they end well.
func (b *bench) linux(ctx context.Context, c baseline.Config, programs ...baseline.Program) (*baseline.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	c.Progress = os.Stderr
	return checked(baseline.Linux(ctx, c, programs...))
}

// checked makes an error of programs that failed.
func checked(result *baseline.Result, err error) (*baseline.Result, error) {
	if err != nil {
		return nil, err
	}
	for i, run := range result.Runs {
		if run.ExitCode != 0 {
			return nil, fmt.Errorf("program %d ended with exit code %d, signal %d: %s", i, run.ExitCode, run.Signal, run.Stderr)
		}
	}
	return result, nil
}

// skerrySpawn starts many programs on one core of a running system, so that
// they share it. The time from the start of the first to the end of the last,
// by their number, is what one costs.
func (b *bench) skerrySpawn(ctx context.Context) error {
	programs := make([]baseline.Program, spawnCount)
	for i := range programs {
		programs[i] = b.program("hello")
	}
	result, err := b.skerry(ctx, baseline.Config{Cores: 1}, programs...)
	if err != nil {
		return err
	}
	last := time.Duration(0)
	for _, run := range result.Runs {
		last = max(last, run.Ended)
	}
	b.add("spawn", false, float64(last-result.Runs[0].Started)/spawnCount, "ns")
	return nil
}

// skerryIdle lets a machine of several cores sleep, and takes from its summary
// what a core's kernel holds.
func (b *bench) skerryIdle(ctx context.Context) error {
	result, err := b.skerry(ctx, baseline.Config{Cores: bootCores}, b.program("idle", idleTime.String()))
	if err != nil {
		return err
	}
	b.add("idle_cpu", false, idleShare(result.Runs[0]), "%")
	if len(result.Summary.Cores) != bootCores {
		return fmt.Errorf("the summary has %d cores, not %d", len(result.Summary.Cores), bootCores)
	}
	// Core 1 ran nothing but its monitor; core 0 holds the boot archive.
	core := result.Summary.Cores[1]
	const mib = 1 << 20
	b.add("core_memory", false, float64(core.KernelPages*abi.PageSize)/mib, "MiB")
	b.add("core_memory_with_monitor", false, float64((core.TotalPages-core.FreePages)*abi.PageSize)/mib, "MiB")
	return nil
}

// idleShare is the share of one host CPU that a sleeping machine used.
func idleShare(run baseline.Outcome) float64 {
	return 100 * run.HostCPU.Seconds() / (run.Ended - run.FirstLine).Seconds()
}
