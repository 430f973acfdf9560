package main

import (
	"strconv"
	"strings"

	"skerry/lib/manifest"
)

// weight is a flag for a program's share of the time that nobody has reserved; 0
// stands for the usual one.
type weight int

// Set implements pflag.Value.
func (w *weight) Set(text string) error {
	n, err := manifest.ParseWeight(text)
	*w = weight(n)
	return err
}

// String implements pflag.Value.
func (w *weight) String() string {
	if *w == 0 {
		return ""
	}
	return strconv.Itoa(int(*w))
}

// Type implements pflag.Value.
func (w *weight) Type() string { return "N" }

// reserve is a flag for time that is reserved for a program.
type reserve struct{ *manifest.Reservation }

// Set implements pflag.Value.
func (r *reserve) Set(text string) (err error) {
	r.Reservation, err = manifest.ParseReservation(strings.Split(text, ":"))
	return err
}

// String implements pflag.Value.
func (r *reserve) String() string {
	if r.Reservation == nil {
		return ""
	}
	return r.Period.String() + ":" + r.Budget.String() + ":" + r.Deadline.String()
}

// Type implements pflag.Value.
func (r *reserve) Type() string { return "PERIOD:BUDGET[:DEADLINE]" }
