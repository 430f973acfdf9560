package main

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"skerry/test/boot"
)

// held are the rows whose instruction counts are held. The others depend on
// what the Go runtime's own threads do meanwhile.
var held = []string{
	"getppid", "clock_gettime", "time_now", "futex_wake", "futex_pingpong", "pipe_pingpong_threads",
	"mmap_touch_munmap_1", "mmap_touch_munmap_256", "page_fault", "page_fault_huge",
	"capability_nop", "capability_map_unmap", "capability_retype_delete", "capability_copy_delete",
	"capability_nop_of_1e3", "capability_map_unmap_of_1e3", "capability_retype_delete_of_1e3", "capability_copy_delete_of_1e3",
	"capability_revoke_1e2", "capability_revoke_1e4", "kernel_allocations",
	"upcall_run", "upcall_trap", "upcall_page_fault", "preemption",
	"thread_switch", "thread_switch_call", "thread_mutex", "thread_semaphore",
	"native_nop", "lmp_round_trip", "lmp_round_trip_10", "lmp_one_way",
	"channel_round_trip_polled", "channel_call_polled", "channel_message_polled",
	"channel_round_trip_doorbell", "channel_call_doorbell", "channel_message_doorbell", "channel_wake_doorbell",
	"channel_round_trip_lmp", "channel_call_lmp", "channel_round_trip_doorbell_one_core", "channel_call_doorbell_one_core",
	"channel_round_trip_hop", "channel_call_hop",
	"channel_bind_lmp", "channel_bind_doorbell", "channel_bind_doorbell_one_core",
}

// longest is how many instructions a kernel may keep interrupts off.
const longest = 20_000

// allowed returns how far a count may exceed the one kept, in parts of it. Fewer
// instructions always pass. What changes the database of capabilities depends on
// the shape of its tree, and that on all that was done before.
func allowed(row string) float64 {
	switch {
	case row == "capability_nop", row == "capability_nop_of_1e3":
	case strings.HasPrefix(row, "capability_"):
		return 1
	case strings.HasSuffix(row, "_polled"):
		return 0.1 // how often who waits looks depends on when it began
	case strings.HasPrefix(row, "channel_"):
		return 0.25 // whether a goroutine of the runtime is in between does, too
	case row == "preemption":
		return 0.25 // what the program itself does before and after is among it, a tenth or more
	case strings.HasPrefix(row, "mmap_"), strings.HasPrefix(row, "page_fault"):
		return 0.1
	}
	return 0.01
}

// TestCounts boots a machine that counts instructions and compares what each
// operation takes with testdata/counts.txt. To accept new counts:
//
//	go run ./bench/cmd -count -update bench/cmd/testdata/counts.txt
func TestCounts(t *testing.T) {
	boot.Need(t)
	kept, err := ReadCounts(filepath.Join("testdata", "counts.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if kept.Go == "" {
		t.Fatal("testdata/counts.txt does not say what version of Go it is for")
	}
	if kept.Go != runtime.Version() {
		// Another compiler makes other code: its counts are not to be judged.
		t.Skipf("the counts were taken with %s, this is %s", kept.Go, runtime.Version())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	b, err := newBench(ctx, append(slices.Clone(held), "longest_event"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if err := b.counts(ctx, false); err != nil {
		t.Fatal(err)
	}
	if r := b.samples["longest_event"]; r == nil {
		t.Error("longest_event: not measured")
	} else if r.skerry[0] > longest {
		t.Errorf("the longest event took %.0f instructions, more than %d", r.skerry[0], longest)
	}
	for _, name := range held {
		want, ok := kept.Rows[name]
		r := b.samples[name]
		if !ok || r == nil {
			t.Errorf("%s: not measured or not kept", name)
			continue
		}
		t.Logf("%s: %.0f instructions, %.0f kept", name, r.skerry[0], want)
		if r.skerry[0] > want*(1+allowed(name)) {
			t.Errorf("%s takes %.0f instructions, more than the %.0f kept", name, r.skerry[0], want)
		}
	}
}
