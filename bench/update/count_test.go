package main

import (
	"os"
	"testing"
)

// TestMain is a child that does updates if it is started as one.
func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		if err := child(text); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestCount holds what the first figure says: an update under a lock costs a line of
// the state each, one of the lock, and one for each core that waits, or some five if these
// queue; one by messages costs no more for more lines or cores, one line there and one back.
func TestCount(t *testing.T) {
	if testing.Short() {
		t.Skip("traces a process")
	}
	for _, of := range []struct {
		way         string
		size, cores int
		least, most float64
	}{
		{"spin", 1, 1, 0, 0},
		{"spin", 1, 2, 2.8, 3},
		{"spin", 8, 2, 9.7, 10},
		{"queue", 1, 2, 4.5, 6},
		{"queue", 8, 2, 11.5, 13},
		{"message", 1, 2, 1.8, 2},
		{"message", 8, 2, 1.8, 2},
		{"message", 1, 3, 1.9, 2.1},
	} {
		got, err := count(of.way, of.size, of.cores)
		if err != nil {
			t.Fatal(err)
		}
		if got < of.least || got > of.most {
			t.Errorf("%s, %d lines on %d cores: %.3g transfers, want %g to %g", of.way, of.size, of.cores, got, of.least, of.most)
		}
	}
}
