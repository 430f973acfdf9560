package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"skerry/host/baseline"
)

// onCores returns a program that is given the first n cores.
func (b *bench) onCores(n int, name string, args ...string) baseline.Program {
	p := b.program(name, args...)
	for core := range n {
		p.Cores = append(p.Cores, core)
	}
	return p
}

// spaceKinds measures how programs on n cores of a machine have the same memory: by
// page tables that these share, and by tables of their own, in rows named
// _replicated. The two take turns, so that what else the host does meets both.
func (b *bench) spaceKinds(ctx context.Context, machine baseline.Config, n int) error {
	for _, suffix := range []string{"", "_replicated"} {
		run := func(p baseline.Program) (*baseline.Result, error) {
			p.Replicated = suffix != ""
			return b.skerry(ctx, machine, p)
		}
		result, err := run(b.onCores(n, "space"))
		if err != nil {
			return err
		}
		if err := b.addSpace(result.Runs[0].Stdout, suffix, n, false); err != nil {
			return err
		}
		for _, stock := range parallelPrograms {
			result, err := run(b.onCores(n, stock.name, stock.args...))
			if err != nil {
				return err
			}
			took, err := tookIn(stock.name, result.Runs[0].Stderr)
			if err != nil {
				return err
			}
			b.record(fmt.Sprintf("space_%s%s_on_%d", stock.name, suffix, n), false, took, "ns")
		}
	}
	return nil
}

// space returns the steps that compare the kinds of address space with each other,
// and with Linux. Both take long, and are measured only if they are named: space,
// space_linux.
func (b *bench) space() []step {
	machine := baseline.Config{Cores: parallelCores}
	run := func(ctx context.Context) error {
		for _, n := range dispatchers {
			if err := b.spaceKinds(ctx, machine, n); err != nil {
				return err
			}
		}
		return nil
	}
	// Each in a machine of its own: four virtual CPUs that wait for each other take
	// long on fewer real ones.
	linux := func(ctx context.Context) error {
		for _, n := range dispatchers {
			result, err := b.linux(ctx, machine, b.onCores(n, "space"))
			if err != nil {
				return err
			}
			if err := b.addSpace(result.Runs[0].Stdout, "", n, true); err != nil {
				return err
			}
		}
		return nil
	}
	var steps []step
	if slices.Contains(b.only, "space") {
		steps = append(steps, step{"skerry space", run})
	}
	if slices.Contains(b.only, "space_linux") {
		steps = append(steps, step{"linux space", linux})
	}
	return steps
}

// addSpace records the lines NAME VALUE UNIT of the program, which ran on n cores.
func (b *bench) addSpace(output []byte, suffix string, n int, linux bool) error {
	for line := range strings.Lines(string(output)) {
		var name, unit string
		var value float64
		if _, err := fmt.Sscan(line, &name, &value, &unit); err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		b.record(fmt.Sprintf("%s%s_on_%d", name, suffix, n), linux, value, unit)
	}
	return nil
}
