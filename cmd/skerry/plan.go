package main

import (
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"skerry/host/exitcode"
	"skerry/host/program"
	"skerry/lib/manifest"
)

// plan returns the programs to run as a manifest has them, but that each Path is what the user
// calls the program, and what nothing was said of is missing.
func (f *runFlags) plan(c *cobra.Command, names []string, args []string) ([]manifest.Program, error) {
	if f.manifest != "" {
		return f.read(c, append(slices.Clone(names), args...))
	}
	if len(names) == 0 {
		return nil, usagef(c, "no program is named")
	}
	on, err := placement(c, f, len(names))
	if err != nil {
		return nil, err
	}
	var list []manifest.Program
	for i, name := range names {
		p := manifest.Program{Path: name, Core: on[i][0], Cores: on[i][1:]}
		if err := manifest.CheckCapabilities(f.give, p.Core); err != nil {
			return nil, usagef(c, "--give %s: %v", strings.Join(f.give, ","), err)
		}
		list = append(list, p)
	}
	return list, nil
}

// read reads the plan from a manifest. args are what stands on the command line beside it.
func (f *runFlags) read(c *cobra.Command, args []string) ([]manifest.Program, error) {
	what := "--manifest " + f.manifest
	if len(args) > 0 || len(f.on) > 0 {
		return nil, usagef(c, "%s says which programs run, where, and with which arguments: name none besides", what)
	}
	text, err := os.ReadFile(f.manifest)
	if err != nil {
		return nil, &exitcode.Error{Code: exitcode.NotFound, What: what, Err: err, Fix: "name a file"}
	}
	m, err := manifest.Parse(text)
	switch {
	case err != nil:
		return nil, usagef(c, "%s: %v", what, err)
	case len(m.Programs) == 0:
		return nil, usagef(c, "%s names no program", what)
	case m.Tour || m.Prompt:
		return nil, usagef(c, "%s asks for a tour or a prompt, which skerry boot has", what)
	}
	reads := 0
	for i := range m.Programs {
		p := &m.Programs[i]
		if p.Path == "" {
			return nil, usagef(c, "%s: program %d has no Path, which is its package or file", what, i)
		}
		if p.Stdin {
			reads++
		}
		if err := f.trial(c, *p); err != nil {
			return nil, usagef(c, "%s: program %d: %v", what, i, err)
		}
	}
	if reads > 1 {
		return nil, usagef(c, "%s has %d programs read the input, which is one's alone", what, reads)
	}
	return m.Programs, enough(c, f, coresOf(m.Programs))
}

// trial checks a program of a manifest before it is known what it is.
func (f *runFlags) trial(c *cobra.Command, p manifest.Program) error {
	env, name := p.Env, path.Base(p.Path)
	p.Env = nil
	if err := f.complete(c, &p, &program.Program{Name: name[:min(len(name), 31)]}, "bin/program", nil); err != nil {
		return err
	}
	p.Env = append(p.Env, env...)
	return p.Check()
}

// complete adds to a plan's program what flags and the program itself say.
func (f *runFlags) complete(c *cobra.Command, e *manifest.Program, p *program.Program, at string, args []string) error {
	env, err := environment(c, append(slices.Clone(f.env), e.Env...))
	if err != nil {
		return err
	}
	e.Path, e.Env, e.Trace = at, env, f.trace
	if e.Name == "" {
		e.Name = p.Name
	}
	if e.Args == nil {
		e.Args = append([]string{"/" + at}, args...)
	}
	if e.Cwd == "" {
		e.Cwd = f.workDir
	}
	if e.Capabilities == nil {
		e.Capabilities = f.give
	}
	if e.Weight == 0 {
		e.Weight = int(f.weight)
	}
	if e.Reserve == nil {
		e.Reserve = f.reserve.Reservation
	}
	e.Replicated = e.Replicated || f.vspace == manifest.Replicated
	return nil
}

// reader returns which program reads the input: the first if none of them asks for it.
func reader(plan []manifest.Program) int {
	return max(0, slices.IndexFunc(plan, func(p manifest.Program) bool { return p.Stdin }))
}

// enough sees to it that there are as many cores as programs run on.
func enough(c *cobra.Command, f *runFlags, on [][]int) error {
	highest := slices.Max(slices.Concat(on...))
	if f.cores == 0 {
		f.cores = highest + 1
	}
	if highest >= f.cores {
		return usagef(c, "there is no core %d: cores are numbered 0 to %d with --cores %d", highest, f.cores-1, f.cores)
	}
	return nil
}

// pathsOf returns what the user calls the programs of a plan.
func pathsOf(plan []manifest.Program) (paths []string) {
	for _, p := range plan {
		paths = append(paths, p.Path)
	}
	return paths
}

// coresOf returns the cores that each program runs on, the one it starts on first.
func coresOf(plan []manifest.Program) (on [][]int) {
	for _, p := range plan {
		on = append(on, append([]int{p.Core}, p.Cores...))
	}
	return on
}
