// Command monitor is the domain that looks after a core; one instance runs on
// each. It has the core's RAM (package memory), and builds, feeds, drains and ends
// the core's programs (package agent) as the monitor of core 0 tells it to (package
// wire, over a URPC channel). The one on core 0 is also the machine's control
// (package control): it reads the boot manifest and owns the console, the link to
// the host and the prompt.
//
// It is an ordinary Go program over the libos that invokes capabilities besides.
// All its state belongs to one event loop, which must never block but on its
// doorbell; the other goroutines only wait. Nothing imports it.
package main

import (
	"fmt"
	"os"

	"skerry/lib/native"
)

func main() {
	err := run()
	native.Log("monitor: " + err.Error())
	fmt.Fprintln(os.Stderr, "monitor:", err)
	os.Exit(1)
}

// run is the monitor. It returns only when it cannot go on.
func run() error {
	info, err := native.CoreInfo()
	if err != nil {
		return err
	}
	doorbell, err := native.OpenDoorbell()
	if err != nil {
		return err
	}
	k, pool, err := newKernel(&info)
	if err != nil {
		return err
	}
	m := newMonitor(info.Core, doorbell)
	if info.Core == 0 {
		err = m.lead(&info, k, pool)
	} else {
		m.follow(0, &info, k, pool)
	}
	if err != nil {
		return err
	}
	return m.loop()
}
