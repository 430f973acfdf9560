package machine

import (
	"regexp"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/test/boot"
)

// TestSteadyStateAllocatesNothing runs programs that cause well over 10^5
// events on each of two cores, and expects that no kernel has allocated or
// collected anything since it was ready.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	program := boot.Temp(t, "events.go", `package main

import "syscall"

// Each round maps a page, touches it (a page fault), and unmaps it.
func main() {
	for range 30_000 {
		b, err := syscall.Mmap(-1, 0, 1<<16, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			panic(err)
		}
		b[1<<15] = 1
		if err := syscall.Munmap(b); err != nil {
			panic(err)
		}
	}
}
`)
	o := boot.Run(t, &boot.Machine{Cores: 2, Programs: []boot.Program{{Package: program}, {Package: program, Core: 1},
		{Package: program}, {Package: program, Core: 1}}})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	for _, c := range o.Summary.Cores {
		if c.Events < 100_000 {
			t.Errorf("core %d handled only %d events", c.Core, c.Events)
		}
		if c.Mallocs != c.BootMallocs || c.Collections != c.BootCollections {
			t.Errorf("core %d: %d allocations and %d collections since it was ready, in %d events",
				c.Core, c.Mallocs-c.BootMallocs, c.Collections-c.BootCollections, c.Events)
		}
	}
}

// TestPanic ends one core's kernel and expects its stack, with function names,
// what it was doing, and that the other cores say so and go on.
func TestPanic(t *testing.T) {
	m := &boot.Machine{Cores: 4, Options: "panic=2:500"}
	for core := range 4 {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "victim"), Args: []string{"40"}, Core: core})
	}
	o := boot.Run(t, m)
	for _, want := range []string{
		`skerry: core 2: panic asked for on the command line`,
		`skerry: core 2: panic: runtime error: invalid memory address or nil pointer dereference`,
		`skerry: core 2: skerry/kernel/driver\.\(\*Driver\)\.maybePanic`,
		`skerry: core 2: main\.main\(`,
		`skerry: panic: core 2: `,
		`skerry: core 2: dispatcher \d+ (monitor|victim)`,
		`skerry: core 2: event \d+: at \d+ us, domain \d+, native call \d+`,
		`skerry: core 0: core 2's kernel has ended; this core goes on`,
		`skerry: core 1: core 2's kernel has ended; this core goes on`,
		`skerry: core 3: core 2's kernel has ended; this core goes on`,
	} {
		if !regexp.MustCompile(want).MatchString(o.Console) {
			t.Errorf("the console lacks %q", want)
		}
	}
	if n := strings.Count(o.Stdout, "victim ok"); n != 3 {
		t.Errorf("%d victims on other cores went on, want 3", n)
	}
	for i, p := range o.Outcomes {
		if i == 2 == (p.Ended && p.Status.Kind == abi.ExitCode) {
			t.Errorf("program on core %d: ended %v, status %+v", i, p.Ended, p.Status)
		}
	}
	if o.Err == nil {
		t.Error("the session says nothing of the panic")
	}
	for _, line := range boot.Lines(o.Console) {
		if strings.Contains(line, "skerry: ") && !strings.HasPrefix(line, "skerry: ") {
			t.Errorf("console line mixed or cut: %q", line)
		}
	}
}
