package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"

	"skerry/host/baseline"
)

// Counts are instructions of one operation by row, as a machine counted them,
// and the Go release that everything was built with.
type Counts struct {
	Go   string
	Rows map[string]float64
}

// counts records what Skerry or Linux takes in a machine of one core that counts
// instructions.
func (b *bench) counts(ctx context.Context, linux bool) error {
	run, programs := b.skerry, b.measuring(linux, "-count")
	if linux {
		run = b.linux
	}
	for _, p := range programs {
		result, err := run(ctx, baseline.Config{Cores: 1, Count: true}, p)
		if err != nil {
			return err
		}
		if err := b.addLines(inInstructions(result.Runs[0].Stdout), linux); err != nil {
			return err
		}
	}
	if err := b.parallelCounts(ctx, linux); err != nil || linux {
		return err
	}
	if err := b.channelCounts(ctx); err != nil {
		return err
	}
	if err := errors.Join(b.crowdCounts(ctx), b.updateCounts(ctx)); err != nil {
		return err
	}
	return b.slope(ctx)
}

// inInstructions is what a program printed in a machine that has a tick for each instruction.
func inInstructions(output []byte) []byte {
	return bytes.ReplaceAll(output, []byte(" ticks\n"), []byte(" instructions\n"))
}

// count measures both systems and prints all rows. If update is not empty,
// Skerry's are written there.
func (b *bench) count(ctx context.Context, update string) error {
	for _, linux := range []bool{false, true} {
		if err := b.counts(ctx, linux); err != nil {
			return err
		}
	}
	var file strings.Builder
	fmt.Fprintf(&file, "# %s\n", runtime.Version())
	for _, name := range b.order {
		r := b.samples[name]
		for i, values := range [][]float64{r.skerry, r.linux} {
			if len(values) > 0 {
				fmt.Printf("%s.%s %s %s\n", name, []string{"skerry", "linux"}[i], digits(values[0]), r.unit)
			}
		}
		if len(r.skerry) > 0 && len(r.linux) > 0 {
			fmt.Printf("%s.ratio %.3g x\n", name, r.skerry[0]/r.linux[0])
		}
		if len(r.skerry) > 0 {
			fmt.Fprintf(&file, "%s %s\n", name, digits(r.skerry[0]))
		}
	}
	if update == "" {
		return nil
	}
	return os.WriteFile(update, []byte(file.String()), 0o644)
}

// digits writes a count without an exponent.
func digits(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// ReadCounts reads a file that -update has written. Without the file the
// counts are empty.
func ReadCounts(path string) (Counts, error) {
	counts := Counts{Rows: make(map[string]float64)}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return counts, nil
	}
	if err != nil {
		return counts, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if release, ok := strings.CutPrefix(lines.Text(), "# "); ok {
			counts.Go = release
			continue
		}
		var name string
		var value float64
		if _, err := fmt.Sscan(lines.Text(), &name, &value); err != nil {
			return counts, fmt.Errorf("%s: line %q: %w", path, lines.Text(), err)
		}
		counts.Rows[name] = value
	}
	return counts, nil
}
