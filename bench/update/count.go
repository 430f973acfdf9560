package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"skerry/test/transfers"
)

// With -count a child process does the updates, a thread for each core, and the threads
// take turns of one instruction each. A model of the cores' caches counts the lines that
// they take from each other; whoever takes one, or takes away another's copy of it, waits
// meanwhile. So as many cores can be had as are wanted, and the counts are the same in
// every run. Neither the kernel nor the time that anything takes has a part in it.

// How long a transfer takes, and a PAUSE: as long as so many instructions.
const (
	latency = 100
	pausing = 40
)

// childVariable is set in the environment of the child: to the way, and to how many lines and
// cores.
const childVariable = "SKERRY_UPDATE"

// How many updates each core is to have done before counting begins, and how many are
// counted, for each core that updates.
const (
	warmUpdates    = 3 * depth
	countedUpdates = 32
	countLimit     = 5 * time.Minute
)

// progress says how many updates a core has done.
type progress struct {
	updates atomic.Uint64
	_       [2*transfers.LineSize - 8]byte
}

// child does updates by some way for ever.
func child(text string) error {
	var way string
	var size, n int
	if _, err := fmt.Sscan(text, &way, &size, &n); err != nil {
		return fmt.Errorf("%s=%q: %w", childVariable, text, err)
	}
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(n + 1)
	u := updaters[way](size, n)
	all := make([]progress, n)
	for core := range n {
		go func() {
			runtime.LockOSThread()
			fmt.Printf("%d %d %#x\n", core, syscall.Gettid(), uintptr(unsafe.Pointer(&all[core].updates)))
			transfers.Pin()
			// Raw, so that nobody else takes over meanwhile.
			var told [1]byte
			syscall.RawSyscall(syscall.SYS_READ, 0, uintptr(unsafe.Pointer(&told)), 1)
			if core == 0 && u.serve != nil {
				u.serve(new(atomic.Bool))
			}
			for {
				u.update(core)
				all[core].updates.Add(1)
			}
		}()
	}
	select {}
}

// count returns how many lines go from one core to another in an update.
func count(way string, size, n int) (perUpdate float64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), countLimit)
	defer cancel()
	command := exec.CommandContext(ctx, "/proc/self/exe")
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", childVariable, way, size, n), "GODEBUG=asyncpreemptoff=1")
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := command.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return 0, err
	}
	// Pdeathsig is about the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// On one processor the one who traces and who is traced take turns soonest.
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return 0, fmt.Errorf("sched_getaffinity: %w", err)
	}
	defer unix.SchedSetaffinity(0, &before)
	one.Set(first(&before))
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return 0, fmt.Errorf("sched_setaffinity: %w", err)
	}
	if err := command.Start(); err != nil {
		return 0, err
	}
	defer func() {
		command.Process.Kill()
		command.Wait()
	}()
	threads, marks := make([]int, n), make([]uint64, n)
	said := bufio.NewReader(out)
	for range n {
		var core, thread int
		var mark uint64
		if _, err := fmt.Fscanf(said, "%d %d %v\n", &core, &thread, &mark); err != nil {
			return 0, fmt.Errorf("the child says nothing: %w", err)
		}
		threads[core], marks[core] = thread, mark
	}
	release := func() error { _, err := in.Write(make([]byte, n)); return err }

	clients := n
	if way == "message" {
		clients--
	}
	var caches transfers.Caches
	var unknown uint64
	done, total, warm := make([]int, n), 0, 0
	waited := make([]bool, n)
	err = transfers.Interleave(threads, release, func(core int, s *transfers.Step) (int, bool) {
		if s.Unknown {
			unknown = s.Address
			return 0, false
		}
		if !waited[core] {
			if s.Pause {
				waited[core] = true
				return pausing, true
			}
			for _, a := range s.Accesses {
				if caches.Needs(core, a.Address, a.Size, a.Write) {
					waited[core] = true
					return latency, true
				}
			}
		}
		waited[core] = false
		for _, a := range s.Accesses {
			if a.Address != marks[core] || !a.Write {
				caches.Access(core, a.Address, a.Size, a.Write)
				continue
			}
			if done[core]++; done[core] == warmUpdates {
				if warm++; warm == clients {
					caches.Reset()
					total = 0
				}
			}
			total++
		}
		return 0, warm < clients || total < countedUpdates*clients
	})
	switch {
	case err != nil:
		return 0, err
	case unknown != 0:
		return 0, fmt.Errorf("the instruction at %#x is not understood", unknown)
	}
	return float64(caches.All().Transfers) / float64(total), nil
}

// countAll prints the counts of all ways, sizes and numbers of cores.
func countAll(ways string, sizes, numbers []int) error {
	for way := range strings.SplitSeq(ways, ",") {
		for _, size := range sizes {
			for _, n := range numbers {
				if way == "message" && n == 1 {
					continue // nobody to ask
				}
				transfers, err := count(way, size, n)
				if err != nil {
					return fmt.Errorf("%s, %d lines on %d cores: %w", way, size, n, err)
				}
				fmt.Printf("update_%s_%d_on_%d %.3g transfers\n", way, size, n, transfers)
			}
		}
	}
	return nil
}

// first is the first processor of a set.
func first(set *unix.CPUSet) int {
	cpu := 0
	for !set.IsSet(cpu) {
		cpu++
	}
	return cpu
}
