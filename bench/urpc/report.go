package main

import (
	"fmt"
	"slices"
	"strings"
)

// lines returns the lines of a row: the median of its samples and their spread.
func lines(name string, samples []float64, unit string) string {
	return fmt.Sprintf("%s %.4g %s\n%s.spread %.2g %%\n%s.least %.4g %s\n",
		name, median(samples), unit, name, spread(samples), name, slices.Min(samples), unit)
}

// judged are the ratios by which lib/urpc is judged: of the medians of two rows, each
// divided by the other's of the same run, or the other way round.
var judged = []struct{ name, above, below string }{
	{"round_trip_to_raw", "urpc_round_trip", "raw_round_trip"},
	{"round_trip_to_lines", "urpc_round_trip", "line_round_trip"},
	{"stub_to_raw", "stub_round_trip", "raw_round_trip"},
	{"throughput_to_round_trip", "urpc_round_trip", "urpc_message"},
}

// ratios returns the lines of the ratios. Both terms of each are of the same run,
// which the host disturbs alike.
func ratios(samples map[string][]float64) string {
	var b strings.Builder
	for _, j := range judged {
		above, below := samples[j.above], samples[j.below]
		var each []float64
		for i := range min(len(above), len(below)) {
			each = append(each, above[i]/below[i])
		}
		if len(each) > 0 {
			b.WriteString(lines(j.name, each, "ratio"))
		}
	}
	return b.String()
}

func median(samples []float64) float64 { return quantile(samples, 0.5) }

// spread returns half the interquartile range in percent of the median.
func spread(samples []float64) float64 {
	return 50 * (quantile(samples, 0.75) - quantile(samples, 0.25)) / median(samples)
}

// quantile returns the value below which the part q of the samples lies, between
// samples by a straight line.
func quantile(samples []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	at := q * float64(len(s)-1)
	i := int(at)
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}
