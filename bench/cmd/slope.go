package main

import (
	"context"
	"fmt"

	"skerry/host/baseline"
)

// besides are how many other cores do the same while a call and its answer by
// messages are measured, in a machine of slopeCores cores.
var besides = []int{0, 1, 3}

const slopeCores = 4

// Seconds of the machine's time between which calls are measured.
const (
	slopeFrom = "4.0"
	slopeTo   = "4.3"
)

// slopeRow names the row of a number of other cores.
func slopeRow(others int) string { return fmt.Sprintf("lmp_round_trip_beside_%d", others) }

// slope counts the instructions of a call and its answer on one core while others
// do the same. A plugin, if there is one, counts besides what cache lines go from
// core to core meanwhile; its reports are printed as notes.
func (b *bench) slope(ctx context.Context) error {
	for _, others := range besides {
		row := slopeRow(others)
		if !b.wanted(row) {
			continue
		}
		c := baseline.Config{Cores: slopeCores, Count: true}
		report := b.watched(&c, row)
		first := b.program("slope", slopeFrom, slopeTo)
		if b.plugin != "" {
			first = b.program("slope", "-mark", slopeFrom, slopeTo)
		}
		programs := []baseline.Program{first}
		for range others {
			programs = append(programs, b.program("slope", slopeFrom, slopeTo))
		}
		for core := range programs {
			programs[core].Cores = []int{core}
		}
		result, err := b.skerry(ctx, c, programs...)
		if err != nil {
			return err
		}
		var value float64
		if _, err := fmt.Sscanf(string(result.Runs[0].Stdout), "lmp_round_trip %g ticks", &value); err != nil {
			return fmt.Errorf("%s: %q: %w", row, result.Runs[0].Stdout, err)
		}
		b.record(row, false, value, "instructions")
		if err := b.addReports(report, row); err != nil {
			return err
		}
	}
	return nil
}
