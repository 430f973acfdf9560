package baseline

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has had of the host's CPUs: how long its threads ran, and how long
// they waited for a CPU although they could have run, each summed over the threads.
type usage struct{ ran, waited time.Duration }

// usageOf returns the usage of a process's living threads; none if there is no such process, or
// the host's kernel does not account for it.
func usageOf(pid int) (u usage) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return usage{}
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		// Nanoseconds that it ran, that it waited, and how often it ran.
		if fields := strings.Fields(string(text)); len(fields) == 3 {
			ran, _ := strconv.ParseInt(fields[0], 10, 64) // the kernel writes digits
			waited, _ := strconv.ParseInt(fields[1], 10, 64)
			u.ran, u.waited = u.ran+time.Duration(ran), u.waited+time.Duration(waited)
		}
	}
	return u
}

// processTime returns the CPU time that a process has used, 0 if there is no
// such process.
func processTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name stands in parentheses and may hold anything; user and system
	// time in hundredths of a second are the 12th and 13th field behind it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // the kernel writes digits
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
