package main

import (
	"context"
	"fmt"
	"strings"

	"skerry/host/baseline"
)

// space returns the steps that compare how programs on one, two and four cores
// have the same memory: by page tables that these share, by tables of their own,
// and on Linux. Rows of the second are named _replicated.
func (b *bench) space() []step {
	if !b.wanted("space") {
		return nil
	}
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
	return []step{
		{"skerry space", run},
		{"linux space", func(ctx context.Context) error {
			var programs []baseline.Program
			for _, n := range dispatchers {
				programs = append(programs, program("space", nil, n, false))
			}
			result, err := b.linux(ctx, machine, programs...)
			if err != nil {
				return err
			}
			for i, n := range dispatchers {
				if err := b.addSpace(result.Runs[i].Stdout, "", n, true); err != nil {
					return err
				}
			}
			return nil
		}},
	}
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
