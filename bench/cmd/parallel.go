package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"skerry/host/baseline"
)

// parallelCores are the cores of the machine in which parallel programs are timed,
// whatever number of them these are given.
const parallelCores = 4

// dispatchers are the numbers of cores that they are given.
var dispatchers = []int{1, 2, 4}

// parallelPrograms are stock programs that say on standard error how long what
// they do in parallel took, and their arguments.
var parallelPrograms = []struct {
	name string
	args []string
}{
	{"sort", []string{"2000000"}},
	{"graph", []string{"20000", "6"}},
}

// parallel returns the steps that time parallel programs on one, two and four
// cores, each with the machine to itself.
func (b *bench) parallel() []step {
	var programs []baseline.Program
	for _, stock := range parallelPrograms {
		if !b.wanted(stock.name) {
			continue
		}
		for _, n := range dispatchers {
			p := b.program(stock.name, stock.args...)
			for core := range n {
				p.Cores = append(p.Cores, core)
			}
			programs = append(programs, p)
		}
	}
	if len(programs) == 0 {
		return nil
	}
	machine := baseline.Config{Cores: parallelCores}
	return []step{
		{"skerry parallel", func(ctx context.Context) error {
			for _, p := range programs {
				result, err := b.skerry(ctx, machine, p)
				if err != nil {
					return err
				}
				if err := b.addParallel(p, result.Runs[0].Stderr, false); err != nil {
					return err
				}
			}
			return nil
		}},
		{"linux parallel", func(ctx context.Context) error {
			result, err := b.linux(ctx, machine, programs...)
			if err != nil {
				return err
			}
			for i, p := range programs {
				if err := b.addParallel(p, result.Runs[i].Stderr, true); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// addParallel records how long a parallel program took and, on several cores, how
// many times as fast that is as it just was on one.
func (b *bench) addParallel(p baseline.Program, stderr []byte, linux bool) error {
	name, n := filepath.Base(p.Path), len(p.Cores)
	took, err := tookIn(name, stderr)
	if err != nil {
		return err
	}
	b.record(fmt.Sprintf("%s_on_%d", name, n), linux, took, "ns")
	if n > 1 {
		r := b.samples[name+"_on_1"]
		alone := r.skerry
		if linux {
			alone = r.linux
		}
		b.record(fmt.Sprintf("%s_speedup_on_%d", name, n), linux, alone[len(alone)-1]/took, "x")
	}
	return nil
}

// parallelCounts counts what the programs take on one core in the time that they
// say, as it has one nanosecond for each instruction.
func (b *bench) parallelCounts(ctx context.Context, linux bool) error {
	run := b.skerry
	if linux {
		run = b.linux
	}
	for _, stock := range parallelPrograms {
		if !b.wanted(stock.name) {
			continue
		}
		result, err := run(ctx, baseline.Config{Cores: 1, Count: true}, b.program(stock.name, stock.args...))
		if err != nil {
			return err
		}
		took, err := tookIn(stock.name, result.Runs[0].Stderr)
		if err != nil {
			return err
		}
		b.record(stock.name, linux, took, "instructions")
	}
	return nil
}

// tookIn returns how many ns a program says that what it does in parallel took.
func tookIn(name string, stderr []byte) (float64, error) {
	for line := range strings.Lines(string(stderr)) {
		var what, unit string
		var value float64
		if _, err := fmt.Sscan(line, &what, &value, &unit); err == nil && what == name && unit == "ns" {
			return value, nil
		}
	}
	return 0, fmt.Errorf("%s does not say how long it took: %q", name, stderr)
}
