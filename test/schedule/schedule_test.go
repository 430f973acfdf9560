// Package schedule tests on machines how a core is shared. Where time matters the
// machine executes one instruction a virtual ns, so that nothing depends on the host.
package schedule

import (
	"bytes"
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

// counted runs programs on the last core of a machine that counts instructions, and
// returns what each printed.
func counted(t *testing.T, cores int, programs []boot.Program) []string {
	t.Helper()
	boot.Need(t)
	for i := range programs {
		programs[i].Core, programs[i].Capabilities = cores-1, []string{manifest.Inspect, manifest.Dispatch}
	}
	file, _ := boot.Image(t, &boot.Machine{Cores: cores, Programs: programs})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	result, err := baseline.Image(ctx, baseline.Config{Cores: cores, Count: true}, file, len(programs))
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
	for _, cores := range []int{1, 2, 4} {
		for i, line := range counted(t, cores, programs) {
			var us int64
			if _, err := fmt.Sscan(line, &us); err != nil {
				t.Fatalf("program %d printed %q", i, line)
			}
			got := time.Duration(us) * time.Microsecond
			t.Logf("of %d cores, program %d had %v, its share is %v", cores, i, got, want[i])
			if (got - want[i]).Abs() > tolerance {
				t.Errorf("of %d cores, program %d had %v of one, its share is %v", cores, i, got, want[i])
			}
		}
	}
}

// TestReservation has a program meet its deadlines beside others that compute all
// the time. With little weight instead of a reservation it does not.
func TestReservation(t *testing.T) {
	const from, periods, deadline = 3000, 30, 5 * ms
	busy := boot.Program{Package: "testdata/share.go", Args: []string{fmt.Sprint(from - 10), fmt.Sprint(from + 10*periods)}}
	periodic := boot.Program{Package: "testdata/periodic.go", Args: []string{fmt.Sprint(from), fmt.Sprint(periods)}}
	run := func(cores int, p boot.Program) (latest time.Duration, missed int) {
		var us int64
		line := counted(t, cores, []boot.Program{p, busy, busy})[0]
		if _, err := fmt.Sscan(line, &us, &missed); err != nil {
			t.Fatalf("it printed %q", line)
		}
		return time.Duration(us) * time.Microsecond, missed
	}
	reserved, light := periodic, periodic
	reserved.Reserve = &manifest.Reservation{Period: 10 * ms, Budget: 3 * ms, Deadline: deadline}
	for _, cores := range []int{1, 2, 4} {
		if latest, missed := run(cores, reserved); latest > deadline || missed != 0 {
			t.Errorf("of %d cores: it was done %v after the start of a period, and missed %d deadlines", cores, latest, missed)
		} else {
			t.Logf("of %d cores: it was done %v after the start of a period at the latest", cores, latest)
		}
	}
	light.Weight = 1
	if latest, _ := run(1, light); latest <= deadline {
		t.Errorf("without a reservation it was done after %v, so this shows nothing", latest)
	}
}

// TestDirectedYield has a program give its turns to one of two dispatchers that compute
// beside it: that has two shares of the core, the other has one.
func TestDirectedYield(t *testing.T) {
	const while = 300 * ms
	line := counted(t, 1, []boot.Program{{Package: "testdata/yield.go", Args: []string{fmt.Sprint(while.Milliseconds())}}})[0]
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

// TestRefused starts programs that ask for more time than is left of a core, their
// only one or one of two.
func TestRefused(t *testing.T) {
	half := &manifest.Reservation{Period: 10 * ms, Budget: 5 * ms, Deadline: 10 * ms}
	hello := boot.Program{Package: boot.Example(t, "hello"), Reserve: half}
	input, more := io.Pipe()
	waiting := boot.Program{Package: boot.Example(t, "cat"), Reserve: half, Stdin: input}
	spanned := hello
	spanned.Core, spanned.Cores = 2, []int{0}
	elsewhere := hello
	elsewhere.Core = 1
	// The first keeps its half until the last, which starts after the others, has run.
	o := boot.Run(t, &boot.Machine{Cores: 3, Programs: []boot.Program{waiting, hello, spanned, elsewhere}, Stdout: &after{more, 1}})
	if exitcode.Of(o.Err) != exitcode.BadFile {
		t.Errorf("the machine ended with %v", o.Err)
	}
	const refused = "more processor time than is left of the core: 40.0 % can be reserved for it"
	for i, want := range []string{"", refused, "core 0: " + refused, ""} {
		got := o.Outcomes[i].Failed
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("program %d: %q, want %q", i, got, want)
		}
	}
}

// TestEverywhere: what a program's manifest says of its share stands on each of its
// cores while it runs, and on no other.
func TestEverywhere(t *testing.T) {
	input, more := io.Pipe()
	programs := []boot.Program{{
		Package: boot.Example(t, "cat"), Core: 2, Cores: []int{0}, Stdin: input,
		Weight: 300, Reserve: &manifest.Reservation{Period: 10 * ms, Budget: 2 * ms, Deadline: 5 * ms},
	}}
	for _, look := range []struct {
		core int
		name string
	}{{2, "cat"}, {0, "cat"}, {2, "monitor"}, {1, "monitor"}} {
		programs = append(programs, boot.Program{
			Package: "testdata/scheduled.go", Core: look.core, Args: []string{look.name}, Capabilities: []string{manifest.Inspect},
		})
	}
	o := boot.Run(t, &boot.Machine{Cores: 3, Programs: programs, Stdout: &after{more, len(programs) - 1}})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	for line, want := range map[string]int{"300 10ms 2ms 5ms\n": 2, "100 0s 0s 0s\n": 2} {
		if n := strings.Count(o.Stdout, line); n != want {
			t.Errorf("%q is printed %d times, not %d: %q", line, n, want, o.Stdout)
		}
	}
}

// after closes the pipe as soon as programs have printed so many lines.
type after struct {
	*io.PipeWriter
	lines int
}

func (a *after) Write(b []byte) (int, error) {
	if a.lines -= bytes.Count(b, []byte("\n")); a.lines > 0 {
		return len(b), nil
	}
	return len(b), a.Close()
}

// TestStuck runs programs that disable upcalls, and then spin or fault: they are
// ended, it is said why and where, and their core goes on.
func TestStuck(t *testing.T) {
	stuck := boot.Program{Package: boot.Example(t, "stuck")}
	fault := stuck
	fault.Args = []string{"fault"}
	victim := boot.Program{Package: boot.Example(t, "victim"), Args: []string{"5"}}
	for _, cores := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			home := cores - 1
			programs := []boot.Program{stuck, victim, fault, victim}
			if cores > 1 { // a program that is on all cores, too
				everywhere := stuck
				for core := range home {
					everywhere.Cores = append(everywhere.Cores, core)
				}
				programs = append(programs, everywhere)
			}
			for i := range programs {
				programs[i].Core = home
			}
			o := boot.Run(t, &boot.Machine{Cores: cores, Programs: programs})
			want := fmt.Sprintf("stuck on core %d: the libos under it was stuck", home)
			if exitcode.Of(o.Err) != exitcode.Fault || !strings.Contains(o.Err.Error(), want) {
				t.Errorf("the machine ended with %v", o.Err)
			}
			for i, kind := range []uint32{abi.ExitStuck, abi.ExitCode, abi.ExitFault, abi.ExitCode, abi.ExitStuck}[:len(programs)] {
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
			boot.Settled(t, o.Summary)
		})
	}
}
