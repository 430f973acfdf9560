package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"skerry/host/baseline"
)

// watched has a machine load the plugin, if there is one, and returns where that is to
// write its reports.
func (b *bench) watched(c *baseline.Config, name string) (report string) {
	if b.plugin == "" {
		return ""
	}
	report = filepath.Join(b.work, name)
	c.Extra = append(c.Extra, "-plugin", b.plugin+",out="+report)
	return report
}

// addReports prints as notes the reports of a plugin, if there is one, about rows that a
// machine has measured in that order. It records how many lines went from one core to another
// in each operation as ROW_lines.
func (b *bench) addReports(report string, rows ...string) error {
	if report == "" {
		return nil
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return fmt.Errorf("the plugin's report: %w", err)
	}
	fmt.Printf("# %s\n# %s\n", strings.Join(rows, " "), strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n# "))
	lines, err := linesIn(string(text))
	if err != nil {
		return fmt.Errorf("the plugin's report: %w", err)
	}
	if len(lines) != len(rows) {
		return fmt.Errorf("the plugin reports %d times, not %d", len(lines), len(rows))
	}
	for i, row := range rows {
		b.record(row+"_lines", false, lines[i], "lines")
	}
	return nil
}

// missRow begins the line of a report about misses of coherence: the lines that a core had,
// lost because another wrote them, and fetched again. They are those of each core, those of
// all, and of all for each operation. A plugin that knows of only some cores why they miss
// reports too few.
const missRow = "coh"

// linesIn finds in reports how many lines went from core to core in an operation.
func linesIn(reports string) (all []float64, err error) {
	for line := range strings.Lines(reports) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != missRow {
			continue
		}
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		all = append(all, value)
	}
	return all, nil
}
