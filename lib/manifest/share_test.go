package manifest

import (
	"strings"
	"testing"
	"time"
)

func TestParseReservation(t *testing.T) {
	const ms = time.Millisecond
	for text, want := range map[string]Reservation{
		"10ms 2ms":         {10 * ms, 2 * ms, 10 * ms},
		"10ms 2ms 5ms":     {10 * ms, 2 * ms, 5 * ms},
		"1s 50us 50us":     {time.Second, 50 * time.Microsecond, 50 * time.Microsecond},
		"0.01s 2000us 2ms": {10 * ms, 2 * ms, 2 * ms},
	} {
		if got, err := ParseReservation(strings.Fields(text)); err != nil || *got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                  "give a period",
		"10ms":              "give a period",
		"10ms 2ms 5ms 1ms":  "give a period",
		"10 2":              "10 is no time",
		"10ms x":            "x is no time",
		"10ms 49us":         "the budget is at least 50µs",
		"10ms -2ms":         "the budget is at least 50µs",
		"10ms 11ms":         "the deadline at least the budget",
		"10ms 5ms 4ms":      "the deadline at least the budget",
		"10ms 5ms 11ms":     "the period at least the deadline",
		"1001ms 5ms":        "at most 1s",
		"99999999999999h 1": "is no time",
	} {
		if got, err := ParseReservation(strings.Fields(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want an error with %q", text, got, err, want)
		}
	}
}
