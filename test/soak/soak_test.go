// Package soak tests that nothing is lost over time: programs come, take and give
// memory, and are killed at random moments, again and again; after that every
// byte of the machine's memory must be where it was.
package soak

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/test/boot"
)

const cores = 4

// together is how many programs of a kind run on each core at a time.
const together = 3

// small is a program that does a little of everything that takes memory from the
// system, and ends: it lives for a few milliseconds.
const small = `package main

import (
	"os"
	"syscall"
)

func main() {
	for i := range 20 {
		b, err := syscall.Mmap(-1, 0, 1<<(14+i%8), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			os.Exit(1)
		}
		for at := 0; at < len(b); at += 4096 * (1 + i%3) {
			b[at] = 1
		}
		if i%3 == 0 {
			syscall.Mprotect(b[:4096], syscall.PROT_READ)
		}
		if i%4 != 0 {
			syscall.Munmap(b[len(b)/2:])
		}
	}
}
`

// TestSpawnAndKill starts small programs and kills most of them, wherever they
// are: in their start, in the libos, in the kernel's work on their behalf.
func TestSpawnAndKill(t *testing.T) {
	cycles := boot.Times(200, 100_000)
	program := boot.Temp(t, "small.go", small)
	// Times within which a run is killed: at its start, in its midst, hardly ever.
	within := []int{1_000, 4_000, 30_000}
	m := machine()
	for i := range cores * together {
		m.Programs = append(m.Programs, boot.Program{
			Package: program, Core: i % cores, Quota: 32 << 20,
			Runs: (cycles + cores*together - 1) / (cores * together), Kill: within[i/cores%len(within)],
		})
	}
	run(t, m)
}

// churn is a program that takes and gives back much memory, in pages of all
// sizes, until it has no more or is killed.
const churn = `package main

import (
	"math/rand/v2"
	"os"
	"syscall"
)

func main() {
	held := make([][]byte, 24)
	for n := range 4000 {
		i := rand.IntN(len(held))
		if held[i] != nil {
			syscall.Munmap(held[i])
		}
		size := 4096 << rand.IntN(12)
		b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			os.Exit(0)
		}
		if n%2 == 0 {
			syscall.Madvise(b, 14) // MADV_HUGEPAGE
		}
		for at := 0; at < len(b); at += 4096 {
			b[at] = byte(n)
		}
		if n%5 == 0 {
			syscall.Madvise(b[:len(b)/2], syscall.MADV_DONTNEED)
		}
		held[i] = b
	}
}
`

// TestChurn runs programs that take all that their quotas allow, which together
// is most of what the machine has.
func TestChurn(t *testing.T) {
	program, runs := boot.Temp(t, "churn.go", churn), boot.Times(4, 250)
	m := machine()
	for i := range cores * together {
		p := boot.Program{Package: program, Core: i % cores, Runs: runs, Kill: 2_000_000, Quota: []uint64{24 << 20, 32 << 20, 48 << 20}[i/cores]}
		if i/cores == 1 {
			p.Package, p.Args = boot.Example(t, "crash"), []string{"memory"}
		}
		m.Programs = append(m.Programs, p)
	}
	run(t, m)
}

func machine() *boot.Machine {
	m := &boot.Machine{Cores: cores, Memory: 640 << 20}
	if *boot.Long {
		m.Timeout = 30 * time.Minute
	}
	return m
}

// run runs a machine and holds that all programs have ended in order, at least
// because they were killed or had no more memory, and that nothing is lost.
func run(t *testing.T, m *boot.Machine) {
	t.Helper()
	o := boot.Run(t, m)
	if strings.Contains(o.Console, "panic") {
		t.Errorf("a kernel panicked: %v", o.Err)
	}
	for i, p := range o.Outcomes {
		what := fmt.Sprintf("program %d on core %d", i, m.Programs[i].Core)
		switch {
		case !p.Ended || p.Failed != "":
			t.Errorf("%s: ended %v, failed %q", what, p.Ended, p.Failed)
		case p.Status.Kind == abi.ExitFault, p.Status.Kind == abi.ExitSignal:
			t.Errorf("%s: ended by %+v", what, p.Status)
		}
	}
	boot.Settled(t, o.Summary)
}
