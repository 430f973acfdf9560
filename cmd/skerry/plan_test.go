package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/spf13/cobra"

	"skerry/host/program"
	"skerry/lib/manifest"
)

// TestPlan: what a manifest does not say flags say, and else the program itself.
func TestPlan(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte(`{"Programs": [
		{"Path": "./a"},
		{"Path": "./b", "Name": "other", "Core": 3, "Cores": [1], "Args": ["b", "-x"], "Env": ["A=2"], "Cwd": "/there",
		 "Capabilities": ["log"], "Weight": 7, "Stdin": true}
	], "Link": true}`), 0o644); err != nil {
		t.Fatal(err)
	}
	f := runFlags{manifest: file, env: []string{"A=1"}, workDir: "/here", give: []string{manifest.Messages}, weight: 300}
	c := &cobra.Command{}
	plan, err := f.plan(c, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.cores != 4 || reader(plan) != 1 || plan[0].Path != "./a" {
		t.Errorf("%d cores, program %d reads: %+v", f.cores, reader(plan), plan)
	}
	for i := range plan {
		if err := f.complete(c, &plan[i], &program.Program{Name: "own"}, "bin/own", nil); err != nil {
			t.Fatal(err)
		}
	}
	own := []string{"PATH=/bin", "HOME=/"}
	want := []manifest.Program{
		{Name: "own", Path: "bin/own", Args: []string{"/bin/own"}, Env: append(own, "A=1"), Cwd: "/here", Capabilities: []string{"messages"}, Weight: 300},
		{
			Name: "other", Path: "bin/own", Args: []string{"b", "-x"}, Env: append(own, "A=2"), Cwd: "/there", Core: 3, Cores: []int{1},
			Capabilities: []string{"log"}, Weight: 7, Stdin: true,
		},
	}
	if !reflect.DeepEqual(plan, want) {
		t.Errorf("got  %+v\nwant %+v", plan, want)
	}
}
