// Package machine starts virtual machines and watches over them. QEMU is the
// only kind so far.
//
// The host command, tests and benchmarks import it. It must never outlive its
// caller: a machine dies with the process that started it. It knows nothing of
// what runs inside.
package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"skerry/abi"
	"skerry/host/exitcode"
)

// Limits of the machines that can be started.
const (
	// MaxCores is what the kernel can use.
	MaxCores = abi.MaxCores
	// MaxMemory is in bytes.
	MaxMemory = 1 << 40
)

// Config says what machine to start.
type Config struct {
	Image  string // file for QEMU's -kernel
	Cores  int
	Memory uint64 // bytes; rounded up to MiB
	Accel  Accel  // KVM or TCG; Auto must have been resolved by Choose
	// Options is the kernel's command line.
	Options string
	// Debug makes QEMU wait for a debugger on this TCP address of the host
	// ("localhost:1234"); empty: none.
	Debug string
	// Extra are more arguments for QEMU.
	Extra []string
}

// Machine is a machine that was started.
type Machine struct {
	// Console is the first serial port, Link the second. Both must be read,
	// or the machine comes to wait. Reads end with io.EOF when it ends.
	Console io.ReadWriteCloser
	Link    io.ReadWriteCloser

	cmd    *exec.Cmd
	stderr tail
	done   chan struct{}
	err    error
	stop   sync.Once
	// stopped says that QEMU's end is Stop's doing.
	stopped atomic.Bool
}

// Command returns the path of QEMU: SKERRY_QEMU's, or the one in PATH.
func Command() (string, error) {
	name := os.Getenv("SKERRY_QEMU")
	if name == "" {
		name = "qemu-system-x86_64"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", exitcode.New(exitcode.Machine, "QEMU", "install it: apt install qemu-system-x86",
			"%s is not installed", name)
	}
	return path, nil
}

// Arguments returns QEMU's arguments for c, but for those of the serial ports.
func (c *Config) Arguments() []string {
	args := []string{
		"-M", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-smp", strconv.Itoa(c.Cores), "-m", fmt.Sprintf("%dM", (c.Memory+1<<20-1)>>20),
		"-kernel", c.Image,
	}
	if c.Accel == KVM {
		args = append(args, "-accel", "kvm", "-cpu", "host")
	} else {
		// TCG runs rep movsb byte by byte: without the feature bit, Go's
		// memmove uses vector moves.
		args = append(args, "-accel", "tcg,thread=multi", "-cpu", "max,-erms")
	}
	if c.Options != "" {
		args = append(args, "-append", c.Options)
	}
	if c.Debug != "" {
		args = append(args, "-gdb", "tcp:"+c.Debug, "-S")
	}
	return append(args, c.Extra...)
}

func (c *Config) check() error {
	switch {
	case c.Cores < 1 || c.Cores > MaxCores:
		return exitcode.New(exitcode.Usage, "--cores "+strconv.Itoa(c.Cores), fmt.Sprintf("1 to %d cores can be started", MaxCores),
			"no machine has so many cores")
	case c.Memory > MaxMemory:
		return exitcode.New(exitcode.Usage, fmt.Sprintf("--memory %dM", c.Memory>>20), fmt.Sprintf("at most %dM", MaxMemory>>20),
			"no machine has so much memory")
	case c.Accel != KVM && c.Accel != TCG:
		return fmt.Errorf("machine: acceleration %q was not resolved", c.Accel)
	}
	return nil
}

// Start starts a machine. It returns when QEMU runs, long before the kernel
// does. The end of ctx kills the machine.
func Start(ctx context.Context, c *Config) (*Machine, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	qemu, err := Command()
	if err != nil {
		return nil, err
	}
	m := &Machine{done: make(chan struct{})}
	args := c.Arguments()
	var inherited []*os.File
	defer func() {
		for _, f := range inherited {
			f.Close()
		}
	}()
	serial := func(err error) error {
		m.closePorts()
		return &exitcode.Error{Code: exitcode.Machine, What: "serial port", Err: err}
	}
	console, far, err := socketPair()
	if err != nil {
		return nil, serial(err)
	}
	m.Console = console
	inherited = append(inherited, far)
	link, in, out, err := newPipes()
	if err != nil {
		return nil, serial(err)
	}
	m.Link = link
	inherited = append(inherited, in, out)
	// The first inherited file is number 3.
	args = append(args,
		"-chardev", "socket,id=com1,fd=3", "-serial", "chardev:com1",
		"-chardev", "stdio,id=com2,signal=off", "-serial", "chardev:com2")
	m.cmd = exec.CommandContext(ctx, qemu, args...)
	m.cmd.ExtraFiles = []*os.File{far}
	m.cmd.Stdin, m.cmd.Stdout, m.cmd.Stderr = in, out, &m.stderr
	m.cmd.WaitDelay = time.Second
	dieWithParent(m.cmd)
	started := make(chan error)
	go m.watch(ctx, started)
	if err := <-started; err != nil {
		m.closePorts()
		return nil, &exitcode.Error{Code: exitcode.Machine, What: qemu, Err: err, Fix: "check it with skerry doctor"}
	}
	return m, nil
}

// watch starts QEMU and waits for its end.
func (m *Machine) watch(ctx context.Context, started chan<- error) {
	release := lockThread() // the parent-death signal follows the thread
	defer release()
	if err := m.cmd.Start(); err != nil {
		started <- err
		return
	}
	close(started)
	err := m.cmd.Wait()
	switch {
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	case m.stopped.Load():
		err = nil
	case err != nil:
		err = &exitcode.Error{Code: exitcode.Machine, What: "QEMU", Err: errors.New(m.failure(err)), Fix: "check it with skerry doctor"}
	}
	m.err = err
	close(m.done)
}

// failure says in one line why QEMU ended.
func (m *Machine) failure(err error) string {
	s := strings.TrimSpace(m.stderr.String())
	if s == "" {
		return err.Error()
	}
	lines := strings.Split(s, "\n")
	return fmt.Sprintf("%v: %s", err, strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "qemu-system-x86_64: "))
}

// Done is closed when the machine has ended.
func (m *Machine) Done() <-chan struct{} { return m.done }

// PID returns the process number of QEMU.
func (m *Machine) PID() int { return m.cmd.Process.Pid }

// Wait waits for the machine's end. It returns nil if the machine powered
// itself off or was ended by Stop, the cause of the end of Start's context, or
// an error of QEMU.
func (m *Machine) Wait() error {
	<-m.done
	return m.err
}

// Stop ends the machine at once and waits for that. What it had written to its
// serial ports can still be read. It may be called more than once.
func (m *Machine) Stop() {
	m.stop.Do(func() {
		select {
		case <-m.done:
		default:
			m.stopped.Store(true)
			m.cmd.Process.Kill() // fails only if it is ending anyway
			<-m.done
		}
	})
}

// Kill stops the machine and closes the serial ports. It may be called more
// than once.
func (m *Machine) Kill() {
	m.Stop()
	m.closePorts()
}

func (m *Machine) closePorts() {
	for _, c := range []io.Closer{m.Console, m.Link} {
		if c != nil {
			c.Close()
		}
	}
}

// tail keeps the last few KiB written to it.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Write(p)
	if over := t.b.Len() - 8<<10; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
