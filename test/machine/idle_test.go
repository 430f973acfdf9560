package machine

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"skerry/host/machine"
	"skerry/host/session"
	"skerry/lib/link"
	"skerry/test/boot"
)

// TestIdle measures what four cores that have nothing to do take of the host,
// each with a program that waits for input: a core that polls would take all
// of one. The bound is generous; the benchmarks say how little it is.
func TestIdle(t *testing.T) {
	boot.Need(t)
	const cores, measured, most = 4, 3 * time.Second, 0.3
	m := &boot.Machine{Cores: cores}
	for core := range cores {
		stdin, never := io.Pipe()
		defer never.Close()
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "cat"), Core: core, Stdin: stdin})
	}
	file, running := boot.Image(t, m)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := session.Run(ctx, &session.Config{
			Machine:  machine.Config{Image: file, Cores: cores, Memory: 512 * mib, Accel: machine.TCG},
			Programs: running, Stdout: io.Discard, Stderr: io.Discard,
			Ready: func(link.Greeting) { close(ready) },
		})
		ended <- err
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal("the machine did not start: ", err)
	}
	pid := find(t, file)
	// The programs' starts are not idleness: measure until they are over.
	deadline := time.Now().Add(30 * time.Second)
	for {
		before, began := cpu(t, pid), time.Now()
		select {
		case err := <-ended:
			t.Fatal("the machine ended: ", err)
		case <-time.After(measured):
		}
		share := (cpu(t, pid) - before).Seconds() / time.Since(began).Seconds()
		if share < most {
			t.Logf("%d idle cores take %.1f %% of one of the host's", cores, 100*share)
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%d idle cores take %.1f %% of one of the host's", cores, 100*share)
			break
		}
	}
	cancel()
	<-ended
}

// find returns the process that runs an image.
func find(t *testing.T, image string) int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Skip("the host has no /proc")
	}
	for _, name := range lines {
		line, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(line, []byte("\x00"+image+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	t.Fatal("the machine's process is not there")
	return 0
}

// cpu returns the processor time that a process has used.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	// The name, in parentheses, may hold anything; utime and stime are the
	// 14th and 15th field, in hundredths of a second.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	total := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return time.Duration(total) * 10 * time.Millisecond
}
