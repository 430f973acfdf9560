package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"skerry/host/baseline"
)

// rivals are what Linux offers two processes that talk: rows of bench/urpc, by what is measured
// of channels too. Those that poll are measured on two cores only: whoever polls on the
// other's core keeps it for a whole slice.
var rivals = map[string]struct{ any, polling []string }{
	"round_trip": {[]string{"urpc_futex", "futex", "eventfd", "pipe", "socket", "channel"}, []string{"raw", "spin", "urpc"}},
	"message":    {[]string{"pipe", "socket", "channel"}, []string{"urpc"}},
	"wake":       {[]string{"urpc_futex", "futex", "eventfd", "pipe", "socket", "channel"}, nil},
}

// rivalsOf returns those on so many cores.
func rivalsOf(what string, cores int) []string {
	if cores == 1 {
		return rivals[what].any
	}
	return slices.Concat(rivals[what].polling, rivals[what].any)
}

// rivalRow names the row of one of them.
func rivalRow(rival, what string, cores int) string {
	return fmt.Sprintf("rival_%s_%s_on_%d", rival, what, cores)
}

// rivalSteps returns the steps that time on Linux, in machines of one core and of two, what
// the rows about channels that are wanted are compared with.
func (b *bench) rivalSteps() (steps []step) {
	for _, cores := range []int{1, 2} {
		var rows []string            // of bench/urpc
		names := map[string]string{} // of theirs here
		for what := range rivals {
			for _, rival := range rivalsOf(what, cores) {
				row := rivalRow(rival, what, cores)
				if b.wanted(append(channelRowsOn(cores, what), row)...) {
					rows = append(rows, rival+"_"+what)
					names[rival+"_"+what] = row
				}
			}
		}
		if len(rows) == 0 {
			continue
		}
		slices.Sort(rows) // the same in each run
		steps = append(steps, step{fmt.Sprintf("linux rivals, cores: %d", cores), func(ctx context.Context) error {
			args := append([]string{"-cpu", "0", "-peer", fmt.Sprint(cores - 1), "-runs", "5", "-time", "20ms"}, rows...)
			result, err := b.linux(ctx, baseline.Config{Cores: cores}, b.onCores(cores, "urpc", args...))
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(result.Runs[0].Stdout)) {
				var name, unit string
				var value float64
				if _, err := fmt.Sscan(line, &name, &value, &unit); err != nil {
					return fmt.Errorf("line %q: %w", line, err)
				}
				if row, ok := names[name]; ok {
					b.record(row, true, value, unit)
				}
			}
			return nil
		}})
	}
	return steps
}

// channelRowsOn returns the rows about channels in machines of so many cores that measure
// what also rivals do.
func channelRowsOn(cores int, what string) (rows []string) {
	for _, m := range channelMachines {
		for _, row := range m.rows {
			if m.cores == cores && strings.HasPrefix(row, "channel_"+what+"_") && !strings.Contains(row, "_beside_") {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// writeRivals writes, for a row about channels, its figure in each rival's.
func (b *bench) writeRivals(out io.Writer, name string) {
	for what := range rivals {
		for _, cores := range []int{1, 2} {
			if !slices.Contains(channelRowsOn(cores, what), name) {
				continue
			}
			for _, rival := range rivalsOf(what, cores) {
				if r := b.samples[rivalRow(rival, what, cores)]; r != nil {
					fmt.Fprintf(out, "%s.in_%s %.3g x\n", name, rival, median(b.samples[name].skerry)/median(r.linux))
				}
			}
		}
	}
}
