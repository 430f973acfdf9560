package baseline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

var vcpuName = regexp.MustCompile(`^CPU ([0-9]+)/(?:TCG|KVM)\n$`)

// PinVCPUs binds the thread of virtual CPU k of a QEMU process to the host's
// CPU k modulo the number of them. QEMU must have been started with -name
// NAME,debug-threads=on. It waits until all n threads exist, but not beyond
// the context's end. Left alone, the host puts busy threads onto one CPU often
// enough to spoil every measurement. A machine whose virtual CPUs share one
// thread is left alone.
func PinVCPUs(ctx context.Context, pid, n int) error {
	pinned := make(map[int]bool)
	for len(pinned) < n {
		names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", pid))
		if err != nil {
			return err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if string(text) == "ALL CPUs/TCG\n" {
				return nil
			}
			match := vcpuName.FindSubmatch(text)
			if match == nil {
				continue
			}
			k, err := strconv.Atoi(string(match[1]))
			if err != nil || pinned[k] {
				continue
			}
			thread, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err != nil {
				continue
			}
			var set unix.CPUSet
			set.Set(k % runtime.NumCPU())
			if err := unix.SchedSetaffinity(thread, &set); err != nil {
				return fmt.Errorf("pin virtual CPU %d: %w", k, err)
			}
			pinned[k] = true
		}
		if len(pinned) < n {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%d of %d virtual CPUs have a thread: %w", len(pinned), n, context.Cause(ctx))
			case <-time.After(2 * time.Millisecond):
			}
		}
	}
	return nil
}
