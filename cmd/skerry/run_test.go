package main

import (
	"fmt"
	"testing"

	"github.com/spf13/cobra"
)

// TestPlacement: one program runs on all cores named, several on one each, and
// the machine gets as many cores as that takes.
func TestPlacement(t *testing.T) {
	for _, test := range []struct {
		on              string
		programs, cores int
		want            string
		machine         int
	}{
		{"", 1, 0, "[[0]]", 1},
		{"", 3, 0, "[[0] [1] [2]]", 3},
		{"", 3, 2, "[[0] [1] [0]]", 2},
		{"3", 1, 0, "[[3]]", 4},
		{"0-3", 1, 0, "[[0 1 2 3]]", 4},
		{"2,0", 1, 8, "[[2 0]]", 8},
		{"2,0", 2, 0, "[[2] [0]]", 3},
		{"1,1", 2, 0, "[[1] [1]]", 2},
		{"1-3,0", 4, 0, "[[1] [2] [3] [0]]", 4},
	} {
		var f runFlags
		f.cores = test.cores
		if test.on != "" {
			if err := f.on.Set(test.on); err != nil {
				t.Fatal(err)
			}
		}
		got, err := placement(&cobra.Command{}, &f, test.programs)
		if err != nil || fmt.Sprint(got) != test.want || f.cores != test.machine {
			t.Errorf("--on %q, %d programs: %v on %d cores, %v; want %s on %d", test.on, test.programs, got, f.cores, err, test.want, test.machine)
		}
	}
}
