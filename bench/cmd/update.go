package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"skerry/host/baseline"
)

// updateCores are the numbers of cores, each of a machine, on which shared state is updated.
var updateCores = []int{1, 2, 4, 8, 16}

// coreMemory is the memory in MiB of a machine with many cores.
func coreMemory(cores int) int { return max(1024, 128*cores) }

// updateCounts counts instructions of updates of shared state, of all cores together, and
// with a plugin cache lines. It takes long, and is measured only if it is named: update, or
// update_on_N for one number of cores.
func (b *bench) updateCounts(ctx context.Context) error {
	for _, n := range updateCores {
		name := fmt.Sprintf("update_on_%d", n)
		if !slices.Contains(b.only, "update") && !slices.Contains(b.only, name) {
			continue
		}
		c := baseline.Config{Cores: n, Memory: coreMemory(n), Count: true}
		report := b.watched(&c, name)
		result, err := b.skerry(ctx, c, b.onCores(n, "update", "-fixed", "-cores", fmt.Sprint(n)))
		if err != nil {
			return fmt.Errorf("update on %d cores: %w", n, err)
		}
		var rows []string
		for line := range strings.Lines(string(result.Runs[0].Stdout)) {
			var name string
			var value float64 // in ns, of which the machine has one an instruction
			if _, err := fmt.Sscanf(line, "%s %g ns\n", &name, &value); err != nil {
				return fmt.Errorf("line %q: %w", line, err)
			}
			b.record(name, false, value, "instructions")
			rows = append(rows, name)
		}
		if err := b.addReports(report, rows...); err != nil {
			return err
		}
	}
	return nil
}
