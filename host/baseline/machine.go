package baseline

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"skerry/abi"
	"skerry/lib/link"
)

// arguments returns the arguments that QEMU is given for Skerry and for Linux
// alike: acceleration, machine, CPUs, memory, no devices.
func (c *Config) arguments() []string {
	accel := []string{"-accel", "tcg,thread=multi"}
	if c.Count {
		accel = []string{"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2024-01-01,clock=vm"}
	}
	arguments := append(accel, "-M", "q35", "-cpu", "max,-erms",
		"-smp", strconv.Itoa(max(c.Cores, 1)), "-m", strconv.Itoa(cmp.Or(c.Memory, 1024)),
		"-name", "baseline,debug-threads=on", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")
	return append(arguments, c.Extra...)
}

// machine is a running QEMU.
type machine struct {
	process *exec.Cmd
	began   time.Time
	output  *os.File        // what the watched serial port says
	other   bytes.Buffer    // what the other one and QEMU say; read it after ended
	running context.Context // ends with the machine; its cause says why
	cancel  context.CancelCauseFunc
	spoke   chan struct{} // closed when the watched port has said something
	ended   chan struct{} // closed when QEMU has ended
	used    usage         // of the host's CPUs until it was killed, if it was; read it after ended
	frames  int           // that came
	last    link.Kind     // of them
	heard   time.Duration // when it came
}

// The serial ports that can be watched.
const (
	console = "console"
	second  = "link"
)

// start starts QEMU with a kernel. The other serial port's text serves error
// messages.
func start(ctx context.Context, c *Config, watched string, kernel ...string) (*machine, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	m := &machine{output: read, spoke: make(chan struct{}), ended: make(chan struct{})}
	m.running, m.cancel = context.WithCancelCause(ctx)

	ports := map[string]string{console: "stdio,signal=off", second: "stdio,signal=off"}
	ports[watched] = "file,path=/dev/fdset/1,append=on"
	arguments := append(c.arguments(), "-add-fd", "fd=3,set=1")
	for _, port := range []string{console, second} {
		arguments = append(arguments, "-chardev", ports[port]+",id="+port, "-serial", "chardev:"+port)
	}
	m.process = exec.CommandContext(m.running, cmp.Or(os.Getenv("SKERRY_QEMU"), "qemu-system-x86_64"), append(arguments, kernel...)...)
	m.process.Stdout, m.process.Stderr = &m.other, &m.other
	m.process.Cancel = func() error {
		m.used = usageOf(m.process.Process.Pid)
		return m.process.Process.Kill()
	}
	m.process.ExtraFiles = []*os.File{write}
	m.began = time.Now()
	if err := m.process.Start(); err != nil {
		m.cancel(err)
		read.Close()
		return nil, fmt.Errorf("start QEMU (install the package qemu-system-x86): %w", err)
	}
	go func() {
		m.process.Wait() // how it ended is in its state
		m.cancel(errEnded)
		close(m.ended)
	}()
	if err := PinVCPUs(m.running, m.process.Process.Pid, max(c.Cores, 1)); err != nil {
		return nil, m.explain(err)
	}
	return m, nil
}

// errEnded is why a machine no longer runs whose QEMU has ended by itself.
var errEnded = errors.New("QEMU has ended")

// stop ends the machine, if it still runs. It may be called more than once.
func (m *machine) stop() {
	m.cancel(nil)
	<-m.ended
	m.output.Close()
}

// explain ends the machine and adds to an error how far it came: whether the caller's time was
// over or it hung, what it last sent, and what it said besides. What QEMU had of the host's
// CPUs tells a machine that hangs from one that starved.
func (m *machine) explain(err error) error {
	over, took := context.Cause(m.running), time.Since(m.began)
	m.stop()
	switch {
	case over != nil && over != errEnded:
		err = fmt.Errorf("%w (%w)", over, err)
	case errors.Is(err, errEnded), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("QEMU ended too early, with %v (%w)", m.process.ProcessState, err)
		if m.frames == 0 && m.process.ProcessState.Success() {
			err = fmt.Errorf("%w: %w", errGaveUp, err)
		}
	}
	err = fmt.Errorf("machine: %w, after %v", err, hundredths(took))
	if m.used != (usage{}) {
		err = fmt.Errorf("%w, in which QEMU ran for %v and waited %v for a CPU", err, hundredths(m.used.ran), hundredths(m.used.waited))
	}
	if m.frames > 0 {
		err = fmt.Errorf("%w; of %d frames the last, %v, came after %v", err, m.frames, m.last, hundredths(m.heard))
	} else {
		err = fmt.Errorf("%w; no frame came", err)
	}
	if text := strings.TrimSpace(m.other.String()); text != "" {
		err = fmt.Errorf("%w; it said:\n%s", err, text)
	}
	return err
}

// hundredths rounds a time for who reads it.
func hundredths(t time.Duration) time.Duration { return t.Round(10 * time.Millisecond) }

// converse reads frames until the machine says that it is done. Errors are
// not yet explained.
func (m *machine) converse(programs int) (*Result, error) {
	result := &Result{Runs: make([]Outcome, programs)}
	frames := link.NewReader(bufio.NewReader(m.output))
	for {
		frame, err := frames.Next()
		now := time.Since(m.began)
		if err != nil {
			return nil, err
		}
		if m.frames == 0 {
			close(m.spoke)
		}
		m.frames, m.last, m.heard = m.frames+1, frame.Kind, now
		var run *Outcome
		if int(frame.Program) < programs {
			run = &result.Runs[frame.Program]
		} else if frame.Program != link.None {
			return nil, fmt.Errorf("frame of program %d of %d", frame.Program, programs)
		}
		switch frame.Kind {
		case link.Hello:
			if result.Greeting, err = link.ParseGreeting(frame.Payload); err != nil {
				return nil, err
			}
			result.Boot = now
		case link.Info:
			if result.Summary, err = link.ParseSummary(frame.Payload); err != nil {
				return nil, err
			}
		case link.Log:
			result.Log = append(result.Log, string(frame.Payload))
		case link.Bye:
			return result, nil
		case link.Started:
			run.Started = now
		case link.Failed:
			return nil, fmt.Errorf("start program %d: %s", frame.Program, frame.Payload)
		case link.Stdout:
			if lines := bytes.Count(frame.Payload, []byte{'\n'}); lines > 0 {
				moment := Moment{now, processTime(m.process.Process.Pid)}
				run.Lines = append(run.Lines, slices.Repeat([]Moment{moment}, lines)...)
				run.FirstLine = run.Lines[0].At
			}
			run.Stdout = append(run.Stdout, frame.Payload...)
		case link.Stderr:
			run.Stderr = append(run.Stderr, frame.Payload...)
		case link.Exit:
			end, err := link.ParseEnd(frame.Payload)
			if err != nil {
				return nil, err
			}
			status := end.Status
			run.Ended, run.Status, run.ExitCode = now, status, int(status.Code)
			if len(run.Lines) > 0 {
				run.HostCPU = processTime(m.process.Process.Pid) - run.Lines[0].CPU
			}
			if status.Kind != abi.ExitCode {
				run.ExitCode, run.Signal = -1, int(status.Code)
			}
		}
	}
}
