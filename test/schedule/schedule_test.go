// Package schedule tests on machines how a core is shared. Where time matters the
// machine executes one instruction a virtual ns, so that nothing depends on the host.
package schedule

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/baseline"
	"skerry/host/exitcode"
	"skerry/lib/manifest"
	"skerry/test/boot"
)

const ms = time.Millisecond

// counted runs programs of core 0 in a machine that counts instructions, and returns
// what each printed.
func counted(t *testing.T, programs []boot.Program) []string {
	t.Helper()
	boot.Need(t)
	for i := range programs {
		programs[i].Capabilities = []string{manifest.Inspect, manifest.Dispatch}
	}
	file, _ := boot.Image(t, &boot.Machine{Cores: 1, Programs: programs})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	result, err := baseline.Image(ctx, baseline.Config{Cores: 1, Count: true}, file, len(programs))
	if err != nil {
		t.Fatal(err)
	}
	var printed []string
	for i, run := range result.Runs {
		if run.ExitCode != 0 {
			t.Fatalf("program %d: %+v, %s", i, run.Status, run.Stderr)
		}
		printed = append(printed, string(run.Stdout))
	}
	return printed
}

// TestShares has four programs compute at once. One with a reservation has that and
// no more; of the rest of the core the others have shares by their weights, the least
// too.
func TestShares(t *testing.T) {
	const from, to = 3000, 3400 // ms
	reserve := &manifest.Reservation{Period: 10 * ms, Budget: 4 * ms, Deadline: 10 * ms}
	var programs []boot.Program
	add := func(p boot.Program) {
		p.Package, p.Args = "testdata/share.go", []string{fmt.Sprint(from), fmt.Sprint(to)}
		programs = append(programs, p)
	}
	add(boot.Program{Reserve: reserve})
	weights := []int{50, 100, 250}
	for _, w := range weights {
		add(boot.Program{Weight: w})
	}
	const reserved = (to - from) * ms * 4 / 10
	want := []time.Duration{reserved}
	for _, w := range weights {
		want = append(want, ((to-from)*ms-reserved)*time.Duration(w)/(50+100+250))
	}
	// A share is exact but for a slice of each, and 20 ms is a slice of all.
	const tolerance = 12 * ms
	for i, line := range counted(t, programs) {
		var us int64
		if _, err := fmt.Sscan(line, &us); err != nil {
			t.Fatalf("program %d printed %q", i, line)
		}
		got := time.Duration(us) * time.Microsecond
		t.Logf("program %d had %v, its share is %v", i, got, want[i])
		if (got - want[i]).Abs() > tolerance {
			t.Errorf("program %d had %v of the core, its share is %v", i, got, want[i])
		}
	}
}

// TestReservation has a program meet its deadlines beside others that compute all
// the time. With little weight instead of a reservation it does not.
func TestReservation(t *testing.T) {
	const from, periods, deadline = 3000, 30, 5 * ms
	busy := boot.Program{Package: "testdata/share.go", Args: []string{fmt.Sprint(from - 10), fmt.Sprint(from + 10*periods)}}
	periodic := boot.Program{Package: "testdata/periodic.go", Args: []string{fmt.Sprint(from), fmt.Sprint(periods)}}
	run := func(p boot.Program) (latest time.Duration, missed int) {
		var us int64
		line := counted(t, []boot.Program{p, busy, busy})[0]
		if _, err := fmt.Sscan(line, &us, &missed); err != nil {
			t.Fatalf("it printed %q", line)
		}
		return time.Duration(us) * time.Microsecond, missed
	}
	reserved, light := periodic, periodic
	reserved.Reserve = &manifest.Reservation{Period: 10 * ms, Budget: 3 * ms, Deadline: deadline}
	if latest, missed := run(reserved); latest > deadline || missed != 0 {
		t.Errorf("it was done %v after the start of a period, and missed %d deadlines", latest, missed)
	} else {
		t.Logf("it was done %v after the start of a period at the latest", latest)
	}
	light.Weight = 1
	if latest, _ := run(light); latest <= deadline {
		t.Errorf("without a reservation it was done after %v, so this shows nothing", latest)
	}
}

// TestDirectedYield has a program give its turns to one of two dispatchers that compute
// beside it: that has two shares of the core, the other has one.
func TestDirectedYield(t *testing.T) {
	const while = 300 * ms
	line := counted(t, []boot.Program{{Package: "testdata/yield.go", Args: []string{fmt.Sprint(while.Milliseconds())}}})[0]
	var two, one int64
	if _, err := fmt.Sscan(line, &two, &one); err != nil {
		t.Fatalf("it printed %q", line)
	}
	t.Logf("one had %d us, the other %d us", two, one)
	const tolerance = 25_000
	if share := while.Microseconds() / 3; max(two-2*share, 2*share-two) > tolerance || max(one-share, share-one) > tolerance {
		t.Errorf("one had %d us, the other %d us; they should have had %d and %d", two, one, 2*share, share)
	}
}

// TestRefused starts a program that asks for more time than is left of a core.
func TestRefused(t *testing.T) {
	half := &manifest.Reservation{Period: 10 * ms, Budget: 5 * ms, Deadline: 10 * ms}
	hello := boot.Program{Package: boot.Example(t, "hello"), Reserve: half}
	input, more := io.Pipe()
	waiting := boot.Program{Package: boot.Example(t, "cat"), Reserve: half, Stdin: input}
	bad := hello
	bad.Reserve = &manifest.Reservation{Period: 10 * ms, Budget: 11 * ms, Deadline: 10 * ms}
	elsewhere := hello
	elsewhere.Core = 1
	// The first keeps its half until the last, which starts after the others, has run.
	o := boot.Run(t, &boot.Machine{Cores: 2, Programs: []boot.Program{waiting, hello, bad, elsewhere}, Stdout: after{more}})
	if exitcode.Of(o.Err) != exitcode.BadFile {
		t.Errorf("the machine ended with %v", o.Err)
	}
	for i, want := range []string{"", "more processor time than is left of the core: 40.0 % can be reserved for it", "argument out of range", ""} {
		got := o.Outcomes[i].Failed
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("program %d: %q, want %q", i, got, want)
		}
	}
}

// after closes the pipe as soon as a program has printed something.
type after struct{ *io.PipeWriter }

func (a after) Write(b []byte) (int, error) { return len(b), a.Close() }

// TestStuck runs programs that disable upcalls, and then spin or fault: they are
// ended, it is said why and where, and their core goes on.
func TestStuck(t *testing.T) {
	stuck := boot.Program{Package: boot.Example(t, "stuck")}
	fault := stuck
	fault.Args = []string{"fault"}
	victim := boot.Program{Package: boot.Example(t, "victim"), Args: []string{"5"}}
	o := boot.Run(t, &boot.Machine{Cores: 1, Programs: []boot.Program{stuck, victim, fault, victim}})
	if exitcode.Of(o.Err) != exitcode.Fault || !strings.Contains(o.Err.Error(), "stuck on core 0: the libos under it was stuck") {
		t.Errorf("the machine ended with %v", o.Err)
	}
	for i, kind := range []uint32{abi.ExitStuck, abi.ExitCode, abi.ExitFault, abi.ExitCode} {
		s := &o.Outcomes[i].Status
		if s.Kind != kind || s.Code != 0 || s.FaultRIP == 0 && kind != abi.ExitCode {
			t.Errorf("program %d: %+v", i, s)
		}
		if kind == abi.ExitStuck && s.CPU < abi.DisabledMost {
			t.Errorf("it was ended after %v", time.Duration(s.CPU))
		}
	}
	if n := strings.Count(o.Stdout, "victim ok\n"); n != 2 {
		t.Errorf("%d of 2 victims are well", n)
	}
}
