package control_test

import (
	"strings"
	"testing"
	"time"

	"skerry/abi/linux"
	"skerry/lib/manifest"
	"skerry/lib/supply"
)

// lines runs a command and returns what it prints, blanks put together.
func (x *machine) lines(line string) (list []string) {
	x.t.Helper()
	x.console.Reset()
	done := x.command(line)
	x.run()
	if !*done {
		x.now = x.now.Add(2 * time.Second)
		x.run()
	}
	if !*done {
		x.t.Errorf("%q is not done", line)
	}
	for _, l := range strings.Split(strings.TrimSpace(x.console.String()), "\n") {
		list = append(list, strings.Join(strings.Fields(l), " "))
	}
	x.console.Reset()
	return list
}

func (x *machine) expectLines(line string, want ...string) {
	x.t.Helper()
	if got := strings.Join(x.lines(line), "\n"); got != strings.Join(want, "\n") {
		x.t.Errorf("%q prints\n%s\nwant\n%s", line, got, strings.Join(want, "\n"))
	}
}

// spanned returns a machine whose domain 2 of core 1 has dispatchers on cores 2
// and 0, beside a program on each core.
func spanned(t *testing.T) *machine {
	x := newMachineOf(t, 3, &manifest.Manifest{Prompt: true}, programs)
	x.run()
	for _, line := range []string{"run wait @1,2,0 &", "run wait @0 &", "run wait @1 &"} {
		x.command(line)
		x.run()
	}
	x.console.Reset()
	return x
}

// TestPS: the dispatchers of a domain stand together, each with what it has.
func TestPS(t *testing.T) {
	x := spanned(t)
	x.lines("renice 3 300 @1")
	x.expectLines("ps",
		"core domain state memory quota cpu weight reserved dispatches upcalls name",
		"0 3 ready 512 KiB 120 MiB 0.0 ms 100 - 7 15 wait",
		"1 2 ready 512 KiB 120 MiB 0.0 ms 100 - 7 15 wait",
		"2 2@1 ready 512 KiB 120 MiB 0.0 ms 100 - 7 15 wait",
		"0 2@1 ready 512 KiB 120 MiB 0.0 ms 100 - 7 15 wait",
		"1 3 ready 512 KiB 120 MiB 0.0 ms 300 - 7 15 wait")
	if got := x.lines("ps -v"); len(got) != 6 ||
		got[0] != "core domain dispatches preempted runs faults nested traps linux native notified sent received missed throttled name" ||
		got[3] != "2 2@1 7 0 1 2 3 4 5 6 8 9 10 11 12 wait" {
		t.Errorf("ps -v prints %q", got)
	}
}

// TestThreads: all dispatchers are asked, however many threads they have, and who
// does not answer is named.
func TestThreads(t *testing.T) {
	x := spanned(t)
	home, second, third := x.kernels[1].Running()[0], x.kernels[2].Running()[0], x.kernels[0].Running()[0]
	name := func(s string) (b [16]byte) {
		copy(b[:], s)
		return b
	}
	home.Threads = []supply.Thread{
		{ID: 1, State: supply.Running, Nice: -5},
		{ID: 2, State: supply.Ready, Policy: linux.SCHED_RR, Priority: 9, Name: name("worker\x07")},
		{ID: 3, State: supply.Blocked, Wait: supply.WaitFutex, Object: 0xc000, Deadline: 1.5e9},
		{ID: 4, State: supply.Blocked, Wait: supply.WaitFile, Call: linux.SysRead, Object: 7},
		{ID: 5, State: supply.Blocked, Wait: supply.WaitTime, Deadline: 2e9},
	}
	for id := range uint32(30) {
		second.Threads = append(second.Threads, supply.Thread{ID: 100 + id, State: supply.Blocked, Wait: supply.WaitPeer})
	}
	third.Deaf = true
	got := x.lines("threads 2 @1")
	want := []string{
		"core thread state policy priority waits for",
		"1 1 running other nice -5 -",
		`1 2 "worker\a" ready rr 9 -`,
		"1 3 blocked other nice 0 futex 0xc000 until 1.500 s",
		"1 4 blocked other nice 0 read 7",
		"1 5 blocked other nice 0 time until 2.000 s",
		"2 100 blocked other nice 0 dispatcher",
	}
	if len(got) != 1+5+30+1 || got[36] != "wait on core 0 does not answer" || strings.Join(got[:7], "\n") != strings.Join(want, "\n") {
		t.Errorf("threads prints\n%s", strings.Join(got, "\n"))
	}
	// A late answer to an older question is none to a newer one, and the end of a
	// program answers.
	third.Deaf = false
	third.Threads = []supply.Thread{{ID: 9, State: supply.Ready}}
	if got := x.lines("threads 2"); len(got) != 1+5+30+1 || got[36] != "0 9 ready other nice 0 -" {
		t.Errorf("threads prints\n%s", strings.Join(got, "\n"))
	}
	third.Deaf = true
	done := x.command("threads 2")
	x.run()
	x.command("kill 2 @1")
	x.run()
	if got := x.console.String(); !*done || !strings.Contains(got, "core 0: it does not run here, or not any more") {
		t.Errorf("after its end threads prints %q", got)
	}
	x.expectLines("threads 2", "threads: domain 2 is no program that runs")
	x.expectLines("threads", "threads: name a domain, as ps lists it; try: threads 2 @1")
	x.expectLines("threads 3 4 @1", "threads: name one domain")
}

// TestSchedule: weights and reservations go to all cores of a program, and what
// cannot be says how much can.
func TestSchedule(t *testing.T) {
	x := spanned(t)
	x.expectLines("renice 2 300", "")
	for core, k := range x.kernels {
		if got := k.Running()[0].Weight; got != 300 {
			t.Errorf("core %d: weight %d", core, got)
		}
	}
	x.kernels[0].Unreserved = 123_400
	x.expectLines("reserve 2 10ms 2ms",
		"core 1: 20.0 % reserved, of at most 90.0 %", "core 2: 20.0 % reserved, of at most 90.0 %",
		"core 0: more processor time than is left of the core: 12.3 % can be reserved for it")
	if got := x.kernels[2].Running()[0].Reservation; got != [3]uint64{10e6, 2e6, 10e6} {
		t.Errorf("reserved %v", got)
	}
	x.expectLines("reserve 3 100ms 500us 1ms @1", "core 1: 50.0 % reserved, of at most 70.0 %")
	x.expectLines("reserve 2@1 none", "")
	if got := x.kernels[2].Running()[0].Reservation; got != [3]uint64{} {
		t.Errorf("reserved %v", got)
	}
	for line, want := range map[string]string{
		"renice 2":                   "renice: say how much it is to weigh; try: renice 2 300",
		"renice 2 0":                 "renice: 0 is no weight from 1 to 10000",
		"renice 2 10001":             "renice: 10001 is no weight from 1 to 10000",
		"renice 2 1 2":               "renice: say how much it is to weigh; try: renice 2 300",
		"renice 3 5":                 "renice: more than one core runs a program as domain 3; say where it started, by @CORE",
		"reserve 2":                  "reserve: give a period, a budget, and a deadline if it is not the period's end; try: reserve 2 10ms 2ms",
		"reserve 2 10ms 2ms 5ms 6ms": "reserve: give a period, a budget, and a deadline if it is not the period's end; try: reserve 2 10ms 2ms",
		"reserve 2 10 2ms":           "reserve: 10 is no time such as 10ms or 500us; try: reserve 2 10ms 2ms",
	} {
		x.expectLines(line, want)
	}
	for _, times := range []string{"10ms 49us", "10ms 11ms", "10ms 5ms 4ms", "10ms 5ms 11ms", "1001ms 5ms", "-1ms -2ms"} {
		x.expectLines("reserve 2 "+times,
			"reserve: the budget is at least 50µs, the deadline at least the budget, the period at least the deadline and at most 1s; try: reserve 2 10ms 2ms")
	}
}
