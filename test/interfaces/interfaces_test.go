// Package interfaces tests on machines that programs talk through generated stubs, over
// every transport of a machine.
package interfaces

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/lib/bind"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

// on is a program on a core that is given messages, and whose transport is chosen for
// it if any is named.
func on(program string, core int, transport string, args ...string) boot.Program {
	p := boot.Program{Package: program, Core: core, Args: args, Capabilities: []string{manifest.Messages}}
	if transport != "" {
		p.Env = []string{bind.TransportVariable + "=" + transport}
	}
	return p
}

// run runs programs, which must end well, and compares what they say with some lines,
// in any order.
func run(t *testing.T, cores int, programs []boot.Program, want ...string) {
	t.Helper()
	o := boot.Run(t, &boot.Machine{Cores: cores, Programs: programs})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	for i, p := range o.Outcomes {
		if !p.Ended || p.Status.Kind != abi.ExitCode || p.Status.Code != 0 {
			t.Errorf("%v on core %d: %+v", programs[i].Args, programs[i].Core, p)
		}
	}
	if o.Stderr != "" {
		t.Errorf("standard error:\n%s", o.Stderr)
	}
	got := strings.Split(strings.TrimSpace(o.Stdout), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the programs said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// transports are those between two programs of a machine.
var transports = []struct {
	name  string
	cores int // 1: both programs are on one
}{{"lmp", 1}, {"doorbell", 1}, {"doorbell", 2}, {"polled", 2}}

// TestEcho has two clients call a server: all methods, many goroutines, a capability.
func TestEcho(t *testing.T) {
	boot.Need(t)
	for _, by := range transports {
		t.Run(fmt.Sprintf("%s/%d", by.name, by.cores), func(t *testing.T) {
			run(t, by.cores, []boot.Program{
				on("skerry/test/interfaces/parrot", by.cores-1, "", "serve", "2"),
				on("skerry/test/interfaces/parrot", 0, by.name, "call"),
				on("skerry/test/interfaces/parrot", 0, by.name, "call"),
			}, "served 2 clients, 400 notes", "called by "+by.name, "called by "+by.name)
		})
	}
}

// TestDeath has the server end under a client's calls.
func TestDeath(t *testing.T) {
	boot.Need(t)
	for _, by := range transports {
		t.Run(fmt.Sprintf("%s/%d", by.name, by.cores), func(t *testing.T) {
			run(t, by.cores, []boot.Program{
				on("skerry/test/interfaces/parrot", by.cores-1, "", "die", "100"),
				on("skerry/test/interfaces/parrot", 0, by.name, "mourn"),
			}, "the server is gone")
		})
	}
}

// TestCores has a program on each core of a machine call a server on the last, each by the
// transport that is chosen for it, and then lose it.
func TestCores(t *testing.T) {
	boot.Need(t)
	for _, cores := range []int{1, 2, 4, 8} {
		all := func(server, client boot.Program) []boot.Program {
			server.Core = cores - 1
			programs := []boot.Program{server}
			for core := range cores {
				client.Core = core
				programs = append(programs, client)
			}
			return programs
		}
		parrot := func(args ...string) boot.Program { return on("skerry/test/interfaces/parrot", 0, "", args...) }
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			run(t, cores, all(parrot("serve", strconv.Itoa(cores)), parrot("call")),
				append(slices.Repeat([]string{"called by doorbell"}, cores-1), "called by lmp", fmt.Sprintf("served %d clients, %d notes", cores, 200*cores))...)
			run(t, cores, all(parrot("die", "100"), parrot("mourn")), slices.Repeat([]string{"the server is gone"}, cores)...)
		})
	}
}

// TestStore runs examples/store, with streams and errors, in one program and in two.
func TestStore(t *testing.T) {
	boot.Need(t)
	said := []string{
		"get greeting: hello",
		"get farewell: there is none",
		"put a value too long: Store.Put: Item.Value has length 5000, its declared bound is 4096",
		"load a stream: 40 items",
		"load too much: Store.Load: 100 values are kept: the store is full",
		"the first keys: 0000, 0001, 0002, 0003, 0004",
		"delete greeting, twice: Store.Delete: there is nothing under that key",
	}
	t.Run("direct", func(t *testing.T) {
		run(t, 1, []boot.Program{on("skerry/examples/store", 0, "")},
			append(slices.Clone(said), "bound by direct: both ends are in one program")...)
	})
	for _, by := range transports {
		t.Run(fmt.Sprintf("%s/%d", by.name, by.cores), func(t *testing.T) {
			run(t, by.cores, []boot.Program{
				on("skerry/examples/store/server", by.cores-1, ""),
				on("skerry/examples/store/client", 0, by.name),
			}, append(slices.Clone(said), fmt.Sprintf("bound by %s: %[1]s was asked for", by.name))...)
		})
	}
}
