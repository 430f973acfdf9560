package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"skerry/host/baseline"
)

// channelMachines are what messages between two programs are measured in: the client
// runs on the first core, the server, and a relay if there is one, on the last.
var channelMachines = []struct {
	name  string
	cores int
	relay bool
	rows  []string
}{
	{"channel, one core", 1, false, channelRows("lmp", "doorbell_one_core")},
	{"channel, two cores", 2, false, append(channelRows("polled", "doorbell"), besideRows()...)},
	{"channel, relay", 2, true, channelRows("hop")},
}

// idleChannels are how many connections an idle system has, all of one program to one other.
const idleChannels = 1000

// idleRows are about one idle machine, without connections and with them.
var idleRows = []string{"idle_cpu_no_channels", "idle_cpu_channels"}

// channelRows returns the rows of some ways to be bound.
func channelRows(ways ...string) (rows []string) {
	for _, way := range ways {
		for _, what := range []string{"round_trip", "call", "message", "wake", "bind"} {
			if what != "wake" && what != "bind" || way != "polled" && way != "hop" {
				rows = append(rows, "channel_"+what+"_"+way)
			}
		}
	}
	return rows
}

// besideRows returns the rows about one connection beside idle ones.
func besideRows() (rows []string) {
	for _, n := range []int{1, 10, 100, 1000} {
		rows = append(rows, fmt.Sprintf("channel_round_trip_beside_%d", n), fmt.Sprintf("channel_wake_beside_%d", n))
	}
	return rows
}

// channels returns the steps that time messages between programs.
func (b *bench) channels() (steps []step) {
	for _, m := range channelMachines {
		rows := slices.DeleteFunc(slices.Clone(m.rows), func(row string) bool { return !b.wanted(row) })
		if len(rows) == 0 {
			continue
		}
		steps = append(steps, step{"skerry " + m.name, func(ctx context.Context) error {
			output, err := b.channel(ctx, baseline.Config{Cores: m.cores}, m.relay, rows...)
			if err != nil {
				return err
			}
			return b.addLines(output, false)
		}})
	}
	if b.wanted(idleRows...) {
		steps = append(steps, step{"skerry channel, idle", b.idleChannels})
	}
	return steps
}

// channel runs a server and a client that measures rows, and returns what that prints.
func (b *bench) channel(ctx context.Context, c baseline.Config, relay bool, args ...string) ([]byte, error) {
	programs := []baseline.Program{b.program("channel", args...), b.program("channel", "-serve")}
	if relay {
		programs = append(programs, b.program("channel", "-relay"))
	}
	for i := range programs {
		programs[i].Cores = []int{c.Cores - 1}
	}
	programs[0].Cores = []int{0}
	result, err := b.skerry(ctx, c, programs...)
	if err != nil {
		return nil, err
	}
	return result.Runs[0].Stdout, nil
}

// idleChannels measures how much of a host CPU a machine takes while nobody in it says
// anything.
func (b *bench) idleChannels(ctx context.Context) error {
	programs := []baseline.Program{b.program("channel", "-idle", fmt.Sprint(idleChannels), idleTime.String()), b.program("channel", "-serve")}
	programs[0].Cores, programs[1].Cores = []int{0}, []int{bootCores - 1}
	result, err := b.skerry(ctx, baseline.Config{Cores: bootCores}, programs...)
	if err != nil {
		return err
	}
	lines := result.Runs[0].Lines
	if len(lines) != 2*len(idleRows) {
		return fmt.Errorf("the idle program said %q", result.Runs[0].Stdout)
	}
	for i, row := range idleRows {
		from, until := lines[2*i], lines[2*i+1]
		b.add(row, false, 100*(until.CPU-from.CPU).Seconds()/(until.At-from.At).Seconds(), "%")
	}
	return nil
}

// channelCounts counts instructions of messages between programs, of all cores
// together: whoever waits and polls meanwhile counts.
func (b *bench) channelCounts(ctx context.Context) error {
	for _, m := range channelMachines {
		rows := slices.DeleteFunc(slices.Clone(m.rows), func(row string) bool { return !b.wanted(row) })
		if len(rows) == 0 {
			continue
		}
		c := baseline.Config{Cores: m.cores, Count: true}
		if b.plugin != "" {
			if err := b.channelLines(ctx, c, rows); err != nil {
				return err
			}
			continue
		}
		output, err := b.channel(ctx, c, m.relay, append([]string{"-count"}, rows...)...)
		if err != nil {
			return err
		}
		if err := b.addLines(inInstructions(output), false); err != nil {
			return err
		}
	}
	return nil
}

// crowds are how many programs ask one server at the same time, on a core each.
var crowds = []int{1, 3, 7, 15}

// crowdCounts counts, for each of them and the server's core, the instructions of all cores
// from one end of a client's round trip to the other, and with a plugin the lines of one of all
// clients' round trips. It takes long, and is measured only if it is named:
// channel_round_trip_of_N.
func (b *bench) crowdCounts(ctx context.Context) error {
	for _, n := range crowds {
		row := fmt.Sprintf("channel_round_trip_of_%d", n)
		if !slices.Contains(b.only, row) {
			continue
		}
		c := baseline.Config{Cores: n + 1, Memory: coreMemory(n + 1), Count: true}
		report := b.watched(&c, row)
		programs := []baseline.Program{b.program("channel", "-count", "-mark", row), b.program("channel", "-serve")}
		programs[0].Cores, programs[1].Cores = []int{0}, []int{n}
		for core := 1; core < n; core++ {
			p := b.program("channel", "-busy")
			p.Cores = []int{core}
			programs = append(programs, p)
		}
		result, err := b.skerry(ctx, c, programs...)
		if err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
		if err := errors.Join(b.addLines(inInstructions(result.Runs[0].Stdout), false), b.addReports(report, row)); err != nil {
			return err
		}
	}
	return nil
}

// channelLines counts instructions and cache lines, each row in a machine of its own, so that
// it has a report of its own.
func (b *bench) channelLines(ctx context.Context, c baseline.Config, rows []string) error {
	for _, row := range rows {
		machine := c
		report := b.watched(&machine, row)
		output, err := b.channel(ctx, machine, false, "-count", "-mark", row)
		if err != nil {
			return err
		}
		if err := errors.Join(b.addLines(inInstructions(output), false), b.addReports(report, row)); err != nil {
			return err
		}
	}
	return nil
}
