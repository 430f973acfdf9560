package main

import (
	"context"
	"fmt"
	"strings"

	"skerry/host/baseline"
)

// space returns the steps that compare how programs on one, two and four cores
// have the same memory: by page tables that these share, by tables of their own
// (rows named _replicated), and on Linux (asked for as space_linux).
func (b *bench) space() []step {
	machine := baseline.Config{Cores: parallelCores}
	program := func(name string, args []string, n int, replicated bool) baseline.Program {
		p := b.program(name, args...)
		for core := range n {
			p.Cores = append(p.Cores, core)
		}
		p.Replicated = replicated
		return p
	}
	// The kinds take turns, so that what else the host does meets both.
	run := func(ctx context.Context) error {
		for _, n := range dispatchers {
			for suffix, replicated := range map[string]bool{"": false, "_replicated": true} {
				result, err := b.skerry(ctx, machine, program("space", nil, n, replicated))
				if err != nil {
					return err
				}
				if err := b.addSpace(result.Runs[0].Stdout, suffix, n, false); err != nil {
					return err
				}
				for _, stock := range parallelPrograms {
					result, err := b.skerry(ctx, machine, program(stock.name, stock.args, n, replicated))
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
		}
		return nil
	}
	// Each in a machine of its own: four virtual CPUs that wait for each other take
	// long on fewer real ones.
	linux := func(ctx context.Context) error {
		for _, n := range dispatchers {
			result, err := b.linux(ctx, machine, program("space", nil, n, false))
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
	if b.wanted("space") {
		steps = append(steps, step{"skerry space", run})
	}
	if b.wanted("space_linux") {
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
