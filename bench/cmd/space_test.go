package main

import (
	"slices"
	"testing"

	"skerry/host/baseline"
)

// TestEntry: what a program is to run on, and how, reaches the manifest.
func TestEntry(t *testing.T) {
	e := entry(&baseline.Program{Path: "/programs/space", Cores: []int{2, 0}, Replicated: true, Args: []string{"x"}}, 3)
	if e.Core != 2 || !slices.Equal(e.Cores, []int{0}) || !e.Replicated || e.Path != "bin/space" || !slices.Equal(e.Args, []string{"/bin/space", "x"}) {
		t.Errorf("%+v", e)
	}
	if e := entry(&baseline.Program{Path: "/programs/space"}, 3); e.Core != 3 || e.Cores != nil || e.Replicated {
		t.Errorf("%+v", e)
	}
}
