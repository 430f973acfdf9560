// Package fuzz tests that nothing which programs ask of a kernel stops it or
// harms others: on every core examples/fuzz fires native calls, politely and
// wildly, beside a victim that must not notice; afterwards all memory must be
// where it belongs.
package fuzz

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"skerry/abi"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

var seed = flag.Int("seed", 1, "first seed of the programs that fire calls; each prints its own")

const (
	cores = 4
	// calls are made politely on each core, at least.
	short, long = 200_000, 10_000_000
	// wild runs follow each other on each core, each killed at the latest after
	// so many microseconds: it may have stopped itself.
	shortWild, longWild = 8, 400
	wildKill            = 1_500_000
	quota               = 48 << 20
)

func TestCalls(t *testing.T) {
	calls := boot.Times(short, long)
	m := &boot.Machine{Cores: cores, Memory: 1 << 30, Timeout: 3 * time.Minute}
	if *boot.Long {
		m.Timeout = 30 * time.Minute
	}
	watch := &ends{want: cores}
	m.Stdout = watch
	for core := range cores {
		// Victims check themselves until the polite have ended.
		stdin, end := io.Pipe()
		watch.then = append(watch.then, func() { end.Close() })
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "victim"), Core: core, Stdin: stdin})
	}
	for core := range cores {
		p := boot.Program{Package: boot.Example(t, "fuzz"), Core: core, Quota: quota, Capabilities: []string{manifest.Log, manifest.Dispatch}}
		p.Args = []string{"-seed", strconv.Itoa(*seed + core), "-calls", strconv.Itoa(calls)}
		m.Programs = append(m.Programs, p)
		p.Args = []string{"-seed", strconv.Itoa(*seed + 1000*(core+1)), "-calls", strconv.Itoa(calls), "-wild"}
		p.Runs, p.Kill = boot.Times(shortWild, longWild), wildKill
		m.Programs = append(m.Programs, p)
	}
	o := boot.Run(t, m)
	if strings.Contains(o.Stdout, "BREACH") {
		t.Errorf("got what no program may have: %s", regexp.MustCompile(`fuzz BREACH.*`).FindString(o.Stdout))
	}
	if strings.Contains(o.Console, "panic") {
		t.Errorf("a kernel panicked: %v", o.Err)
	}
	for i, p := range o.Outcomes {
		what := fmt.Sprintf("%s %v on core %d", m.Programs[i].Package, m.Programs[i].Args, m.Programs[i].Core)
		switch wild := i >= cores && (i-cores)%2 == 1; {
		case !p.Ended || p.Failed != "":
			t.Errorf("%s: ended %v, failed %q", what, p.Ended, p.Failed)
		case !wild && (p.Status.Kind != abi.ExitCode || p.Status.Code != 0):
			t.Errorf("%s: ended by %+v", what, p.Status)
		}
	}
	if n := strings.Count(o.Stdout, "victim ok"); n != cores {
		t.Errorf("%d victims are well, want %d", n, cores)
	}
	if n := strings.Count(o.Stdout, "fuzz ok"); n < cores {
		t.Errorf("%d polite runs came to their end, want %d", n, cores)
	}
	boot.Settled(t, o.Summary)
	if o.Summary == nil {
		return
	}
	for _, c := range o.Summary.Cores {
		if c.NativeCalls < uint64(calls) {
			t.Errorf("core %d: only %d native calls", c.Core, c.NativeCalls)
		}
		t.Logf("core %d: %d native calls, %d page faults", c.Core, c.NativeCalls, c.PageFaults)
	}
}

// ends waits until so many polite runs have ended, or one got what it should not
// have.
type ends struct {
	mu   sync.Mutex
	text bytes.Buffer
	want int
	then []func()
}

// Write never fails.
func (e *ends) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text.Write(b)
	if bytes.Count(e.text.Bytes(), []byte("fuzz ok")) >= e.want || bytes.Contains(e.text.Bytes(), []byte("BREACH")) {
		for _, f := range e.then {
			f()
		}
		e.then = nil
	}
	return len(b), nil
}
