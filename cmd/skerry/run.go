package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"skerry/abi"
	"skerry/host/exitcode"
	"skerry/host/session"
	"skerry/lib/link"
	"skerry/lib/manifest"
)

type runFlags struct {
	machineFlags
	on          coreList
	vspace      string
	env         []string
	volumes     []string
	workDir     string
	interactive bool
	trace       bool
	report      string
	give        []string
	manifest    string
	weight      weight
	reserve     reserve
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [flags] PROGRAM... [-- ARGUMENT...]",
		Short: "Run programs on Skerry",
		Long: `Run boots a machine, runs programs there, and ends with their exit code.

A PROGRAM is a Go package (a folder or an import path), a .go file, or a static
linux/amd64 ELF file; which of them is inferred and said. Go is compiled with
CGO_ENABLED=0 GOOS=linux GOARCH=amd64. What the program writes to its standard
output and error comes out on skerry's, apart and byte for byte; skerry's input
goes to the (first) program, that of a terminal only with -i. Several programs
run at the same time, each on its core, with the same arguments. One program can
run on several cores at once: it starts on the first that --on names, and its
threads spread over all.

With --manifest a file says which programs run, and where, with which arguments and
capabilities each; docs/commands.md has its form.

Exit codes are the program's own, or those of "skerry help exit-codes".`,
		Example: `  skerry run ./examples/hello
  skerry run -c 4 --on 3 ./examples/hello
  skerry run -c 4 --on 0-3 ./examples/sort
  echo hi | skerry run ./examples/cat
  skerry run -c 2 ./examples/victim ./examples/spin
  skerry run --reserve 10ms:2ms ./examples/spin
  skerry run --manifest programs.json
  skerry run -v ./testdata:/testdata -w /testdata pkg.test -- -test.short`,
		RunE: func(c *cobra.Command, args []string) error { return a.run(c, &f, args) },
	}
	f.add(c, "one for each program, or as many as --on asks for")
	c.Flags().Var(&f.on, "on", "`cores` to run on, such as 2, 0,2 or 0-3: of one program all, of several one each (default: 0, 1, 2, …)")
	c.Flags().StringVar(&f.manifest, "manifest", "", "run the programs that this `file` names, as it says; flags say what it does not")
	c.Flags().StringVar(&f.vspace, "vspace", manifest.Shared, "how a program on several cores has its memory: by page tables that these share, or by tables that each of them has, `shared` or replicated")
	c.Flags().StringArrayVarP(&f.env, "env", "e", nil, "environment variable `K=V`, or K to take the host's; may be repeated")
	c.Flags().StringArrayVarP(&f.volumes, "volume", "v", nil, "copy a folder of the host into the machine, read-only, as `DIR:/DIR`; may be repeated")
	c.Flags().StringVarP(&f.workDir, "workdir", "w", "/", "working `directory` of the programs")
	c.Flags().BoolVarP(&f.interactive, "interactive", "i", false, "pass the terminal's input on")
	c.Flags().BoolVar(&f.trace, "trace-linux", false, "name the Linux calls that the programs made and Skerry lacks")
	c.Flags().StringSliceVar(&f.give, "give", nil, "`capabilities` for the programs besides what every one has: log, inspect, dispatch, devices, messages")
	c.Flags().Var(&f.weight, "weight", "share of the time that nobody has reserved, of each program on each of its cores: 1 to 10000, 100 if it is not set")
	c.Flags().Var(&f.reserve, "reserve", "reserve BUDGET in every PERIOD, by DEADLINE after its start, such as 10ms:2ms or 10ms:2ms:5ms, for each program on each of its cores")
	c.Flags().StringVar(&f.report, "report", "", "write how the programs ended and what the cores did to this `file`, as JSON")
	return c
}

func (a *app) run(c *cobra.Command, f *runFlags, args []string) error {
	names, rest := args, []string(nil)
	if at := c.ArgsLenAtDash(); at >= 0 {
		names, rest = args[:at], args[at:]
	}
	if err := f.check(c); err != nil {
		return err
	}
	plan, err := f.plan(c, names, rest)
	if err != nil {
		return err
	}
	if err := manifest.CheckVSpace(f.vspace); err != nil {
		return usagef(c, "--vspace %s: %v", f.vspace, err)
	}
	if _, err := environment(c, f.env); err != nil {
		return err
	}
	files, err := volumes(c, nil, f.volumes)
	if err != nil {
		return err
	}
	if files, err = workDir(c, files, f.workDir); err != nil {
		return err
	}
	ctx := c.Context()
	system, programs, err := a.load(ctx, pathsOf(plan), f.gdb != "")
	if err != nil {
		return err
	}
	for _, p := range programs {
		a.progress.note("%s", p.Describe())
	}
	paths, own := place(programs)
	files = append(files, own...)
	on := coresOf(plan)
	m := &manifest.Manifest{Programs: plan, Link: true, PowerOff: true, Summary: f.report != ""}
	s := &session.Config{Stdout: os.Stdout, Stderr: os.Stderr, Libos: system.Libos, Kernel: system.Kernel, Log: a.log}
	if a.verbose {
		s.Console = clearing{&a.progress, os.Stderr}
	}
	first := reader(plan)
	for i, p := range programs {
		e := &plan[i]
		if err := f.complete(c, e, p, paths[i], rest); err != nil {
			return err
		}
		sp := session.Program{Name: e.Name, Core: e.Core}
		e.Stdin = i == first && (f.interactive || !term.IsTerminal(int(os.Stdin.Fd())))
		if e.Stdin {
			sp.Stdin = os.Stdin
		}
		s.Programs = append(s.Programs, sp)
	}
	config, remove, err := a.resolve(ctx, &f.machineFlags, system, m, files)
	if err != nil {
		return err
	}
	defer remove()
	s.Machine = *config
	a.progress.step("starting %d %s", f.cores, plural(f.cores, "core"))
	s.Ready = func(link.Greeting) { a.progress.clear() }
	limited, cancel := f.limit(ctx)
	defer cancel()
	r, err := session.Run(limited, s)
	a.progress.clear()
	if f.report != "" {
		if err := writeReport(f.report, s, r, on); err != nil {
			return err
		}
	}
	if a.verbose {
		for i, o := range r.Outcomes {
			a.progress.note("%s on core %d: ran %.3f s, held at most %.1f MiB", s.Programs[i].Name, s.Programs[i].Core,
				float64(o.Status.CPU)/1e9, float64(o.Peak)/(1<<20))
		}
	}
	if err != nil {
		return err
	}
	if code := r.ExitCode(); code != exitcode.OK {
		return programEnded(code)
	}
	return nil
}

// coreList is a flag that lists cores.
type coreList []int

// String implements pflag.Value.
func (l *coreList) String() string { return "" }

// Type implements pflag.Value.
func (l *coreList) Type() string { return "cores" }

// Set implements pflag.Value. A flag that is repeated adds to the list.
func (l *coreList) Set(s string) error {
	cores, err := manifest.ParseCores(s)
	*l = append(*l, cores...)
	return err
}

// placement decides on which cores each of n programs runs, the one it starts on
// first, and how many cores there are.
func placement(c *cobra.Command, f *runFlags, n int) (on [][]int, err error) {
	switch {
	case len(f.on) == 0:
		cores := f.cores
		if cores == 0 {
			cores = n
		}
		for i := range n {
			on = append(on, []int{i % cores})
		}
	case n == 1:
		if err := manifest.CheckCores(f.on); err != nil {
			return nil, usagef(c, "--on: %v", err)
		}
		on = append(on, f.on)
	case len(f.on) == n:
		for _, core := range f.on {
			on = append(on, []int{core})
		}
	default:
		return nil, usagef(c, "--on names %d %s for %d programs", len(f.on), plural(len(f.on), "core"), n)
	}
	return on, enough(c, f, on)
}

// log shows a line of the guest's log.
func (a *app) log(core int, line string) {
	a.progress.note("core %d: %s", core, line)
}

// report is what --report writes.
type report struct {
	ReadySeconds float64 // from the machine's start to its monitors' greeting
	TotalSeconds float64 // to its end
	Greeting     link.Greeting
	Programs     []programReport
	Cores        []link.Core
}

type programReport struct {
	Name      string
	Core      int   // where it started
	Cores     []int // all that it ran on
	Ended     bool
	Failed    string `json:",omitempty"`
	Status    abi.Status
	PeakBytes uint64
}

func writeReport(name string, s *session.Config, r *session.Result, on [][]int) error {
	out := report{ReadySeconds: r.ReadyAfter.Seconds(), TotalSeconds: r.Took.Seconds(), Greeting: r.Greeting}
	for i, o := range r.Outcomes {
		out.Programs = append(out.Programs, programReport{
			Name: s.Programs[i].Name, Core: s.Programs[i].Core, Cores: on[i], Ended: o.Ended, Failed: o.Failed,
			Status: o.Status, PeakBytes: o.Peak,
		})
	}
	if r.Summary != nil {
		out.Cores = r.Summary.Cores
	}
	b, err := json.MarshalIndent(out, "", "\t")
	if err == nil {
		err = os.WriteFile(name, append(b, '\n'), 0o644)
	}
	if err != nil {
		return &exitcode.Error{Code: exitcode.Image, What: "--report " + name, Err: err, Fix: "name a file that can be written"}
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}
