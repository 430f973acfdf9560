package amd64

import (
	"testing"
	"time"
)

func TestUnixDays(t *testing.T) {
	for d := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2100; d = d.AddDate(0, 0, 1) {
		if got := unix(d.Year(), int(d.Month()), d.Day()); got != d.Unix()/86400 {
			t.Fatalf("unix(%v) = %d, want %d", d, got, d.Unix()/86400)
		}
	}
}
