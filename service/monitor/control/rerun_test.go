package control_test

import (
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/lib/link"
	"skerry/lib/manifest"
	"skerry/lib/stdio"
	"skerry/service/monitor/agenttest"
)

// again is a program of the manifest that is run so many times.
func again(core int, path string, runs, kill int) manifest.Program {
	p := on(core, path)
	p.Runs, p.Kill = runs, kill
	return p
}

func TestRunsAgain(t *testing.T) {
	counted := map[string]func(*agenttest.Domain){
		"count": func(d *agenttest.Domain) {
			d.Write(stdio.Stdout, "x")
			d.Exit(abi.ExitCode, 4)
		},
	}
	x := newMachine(t, &manifest.Manifest{
		Programs: []manifest.Program{again(0, "count", 5, 0), again(1, "count", 7, 0)}, Link: true, PowerOff: true,
	}, counted)
	x.run()
	ends, outputs := 0, 0
	for _, line := range x.frames() {
		name, output, _ := strings.Cut(line, " ")
		switch {
		case name == link.Exit.String():
			ends++
		case output == "0@0 xxxxx" || output == "1@1 xxxxxxx":
			outputs++
		}
	}
	if ends != 2 || outputs != 2 || !x.off {
		t.Errorf("%d ends were told, %d outputs came whole; the machine is off: %v", ends, outputs, x.off)
	}
}

func TestKillsRuns(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{
		Programs: []manifest.Program{again(0, "wait", 3, 1000), again(1, "wait", 2, 1000), on(1, "quiet")}, Link: true, PowerOff: true,
	}, programs)
	for range 100 {
		x.run()
		x.now = x.now.Add(time.Millisecond)
	}
	if !x.off {
		t.Error("the machine is still on")
	}
}

// TestKillEndsRuns lets the host kill a program that is to run again and again.
func TestKillEndsRuns(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{again(0, "wait", 1000, 0)}, Link: true, PowerOff: true}, programs)
	x.run()
	x.control.Host(link.Frame{Kind: link.Kill, Program: link.None})
	x.run()
	if !x.off {
		t.Error("the machine is still on")
	}
}
