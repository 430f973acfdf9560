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

// TestIdle measures what four cores that have nothing to do take of the host: a
// core that polls would take all of one. The bounds are generous; the benchmarks say how
// little it is.
func TestIdle(t *testing.T) {
	boot.Need(t)
	t.Run("input", func(t *testing.T) {
		idle(t, 0.3, "", func() boot.Program {
			stdin, never := io.Pipe()
			t.Cleanup(func() { never.Close() })
			return boot.Program{Package: boot.Example(t, "cat"), Stdin: stdin}
		})
	})
	// 250 goroutines on each core, which wait for messages.
	t.Run("messages", func(t *testing.T) {
		idle(t, 0.05, "all wait", func() boot.Program {
			return boot.Program{Package: "testdata/waiting.go", Args: []string{"idle", "250"}}
		})
	})
}

// idle measures what a machine with a program on each of four cores takes, as a part of
// one of the host's, once each has said a line, and fails if that is too much.
func idle(t *testing.T, most float64, line string, program func() boot.Program) {
	const cores, measured = 4, 3 * time.Second
	m := &boot.Machine{Cores: cores}
	for core := range cores {
		p := program()
		p.Core = core
		m.Programs = append(m.Programs, p)
	}
	said := lines{line: line, said: make(chan struct{}, cores)}
	file, running := boot.Image(t, m)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := session.Run(ctx, &session.Config{
			Machine:  machine.Config{Image: file, Cores: cores, Memory: 512 * mib, Accel: machine.TCG},
			Programs: running, Stdout: &said, Stderr: io.Discard,
			Ready: func(link.Greeting) { close(ready) },
		})
		ended <- err
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal("the machine did not start: ", err)
	}
	for range cores {
		if line == "" {
			break // they say nothing
		}
		select {
		case <-said.said:
		case err := <-ended:
			t.Fatal("the machine ended: ", err)
		case <-ctx.Done():
			t.Fatalf("a program does not say %q", line)
		}
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

// lines tells each time that a line was written.
type lines struct {
	line string
	text bytes.Buffer
	said chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.text.Write(p)
	for {
		i := bytes.IndexByte(l.text.Bytes(), '\n')
		if i < 0 {
			return len(p), nil
		}
		if string(l.text.Next(i + 1)[:i]) == l.line {
			l.said <- struct{}{}
		}
	}
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
