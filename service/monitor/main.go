// Command monitor is the domain that looks after a core; one instance runs on
// each. It starts, feeds, drains and reaps the core's programs (package agent)
// as the monitor of core 0 tells it to (package wire, over a URPC channel). The
// one on core 0 is also the machine's control (package control): it reads the
// boot manifest and owns the console, the link to the host and the prompt.
//
// It is an ordinary Go program over the libos that makes native calls besides.
// All its state belongs to one event loop, which must never block but on its
// doorbell; the other goroutines only wait. Nothing imports it.
package main

import (
	"fmt"
	"os"

	"skerry/abi"
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
	m := newMonitor()
	if info.Core == 0 {
		err = m.lead(&info)
	} else {
		m.follow(0)
	}
	if err != nil {
		return err
	}
	failed := make(chan error)
	go func() {
		for {
			if _, err := doorbell.Wait(); err != nil {
				failed <- err
				return
			}
			m.post(func() {})
		}
	}()
	return m.loop(failed)
}

// kernel is what the agent needs of the CPU driver.
type kernel struct{}

func (kernel) Spawn(name string, info []byte, stdio uintptr, quota, rights uint64) (native.Domain, error) {
	return native.Spawn(name, info, stdio, quota, rights)
}
func (kernel) Kill(d native.Domain) error      { return native.Kill(d) }
func (kernel) Reap() (abi.Status, bool, error) { return native.Reap() }
func (kernel) Notify(d native.Domain) error    { return native.Notify(d) }
func (kernel) CoreInfo() (abi.CoreInfo, error) { return native.CoreInfo() }
func (kernel) DomainInfo(from native.Domain) (abi.DomainInfo, bool, error) {
	return native.DomainInfo(from)
}

func (kernel) Frame() (uintptr, error) { return native.Frame(abi.StdioSize / abi.PageSize) }
