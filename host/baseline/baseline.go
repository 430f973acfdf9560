// Package baseline runs unmodified static programs on Linux in a virtual
// machine, with the same QEMU and the same flags as Skerry, so that both can be
// compared.
//
// Benchmarks and tests import it. It must never be needed to build or run
// Skerry, and never change the host beyond Skerry's cache folder.
package baseline

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"skerry/abi"
	"skerry/host/gobuild"
	"skerry/host/source"
	"skerry/lib/link"
	"skerry/lib/manifest"
)

// Config says what machine to start and what to run on it.
type Config struct {
	Cores  int // virtual CPUs; 0: 1
	Memory int // MiB; 0: 1024
	// Count makes the machine execute exactly one instruction per virtual
	// nanosecond, in one thread and without any randomness, so that two runs
	// are the same. It needs Cores to be 1.
	Count bool
	// Programs are run one after the other, each with the machine to itself.
	Programs []Program
	// Files are put into the root of the file system, by their paths there.
	Files map[string][]byte
	// Progress takes what is said while the kernel is fetched; nil: nowhere.
	Progress io.Writer
}

// Program is a static linux/amd64 ELF and how to run it.
type Program struct {
	Path  string   // on the host
	Args  []string // without argv[0]
	Env   []string // KEY=VALUE
	Stdin []byte
}

// Result is what a machine did.
type Result struct {
	Kernel string        // release of the Linux kernel
	Boot   time.Duration // from QEMU's start to the first word of init
	Runs   []Outcome     // one for each program
}

// Outcome is what a program did. Times are those of the host since QEMU's start.
type Outcome struct {
	Started   time.Duration
	FirstLine time.Duration // its first whole line of output; 0: none
	Ended     time.Duration
	ExitCode  int // -1 if a signal ended it
	Signal    int // that ended it; 0: none
	Stdout    []byte
	Stderr    []byte
}

// Arguments returns the arguments that QEMU is given for Skerry and for Linux
// alike: machine, CPUs, memory, no devices.
func Arguments(cores, memory int, count bool) []string {
	accel := []string{"-accel", "tcg,thread=multi"}
	if count {
		accel = []string{"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2024-01-01,clock=vm"}
	}
	return append(accel, "-M", "q35", "-cpu", "max,-erms", "-smp", strconv.Itoa(cores), "-m", strconv.Itoa(memory),
		"-name", "baseline,debug-threads=on", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")
}

// Run boots Linux, runs the programs, and returns when the machine is off. It
// blocks until then; the end of ctx ends the machine. Programs that could not
// be started are an error.
func Run(ctx context.Context, c Config) (*Result, error) {
	root, err := source.Find("")
	if err != nil {
		return nil, err
	}
	init, err := gobuild.Build(ctx, gobuild.Target{Dir: root, Package: "./host/baseline/init", Ldflags: "-s -w", System: true})
	if err != nil {
		return nil, err
	}
	plan := manifest.Manifest{Link: true, PowerOff: true}
	files := map[string][]byte{"init": init}
	for i, p := range c.Programs {
		if files["bin/"+filepath.Base(p.Path)], err = os.ReadFile(p.Path); err != nil {
			return nil, err
		}
		if len(p.Stdin) > 0 {
			files["stdin/"+strconv.Itoa(i)] = p.Stdin
		}
		name := filepath.Base(p.Path)
		plan.Programs = append(plan.Programs, manifest.Program{
			Name: name[:min(len(name), 31)], Path: "bin/" + name, Args: append([]string{"/bin/" + name}, p.Args...), Env: p.Env, Cwd: "/",
		})
	}
	if files[abi.ArchiveManifest], err = plan.Encode(); err != nil {
		return nil, err
	}
	for path, data := range c.Files {
		files[path] = data
	}
	m, err := start(ctx, c, files, "link")
	if err != nil {
		return nil, err
	}
	defer m.stop()
	return m.converse(len(c.Programs))
}

// FirstLine boots Linux with a program in the place of init and returns the
// time from QEMU's start to the end of the first line that it writes: the
// shortest way to a line of a program that there is.
func FirstLine(ctx context.Context, c Config, program string) (time.Duration, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return 0, err
	}
	m, err := start(ctx, c, map[string][]byte{"init": text}, "console")
	if err != nil {
		return 0, err
	}
	defer m.stop()
	line, err := bufio.NewReader(m.output).ReadString('\n')
	took := time.Since(m.began)
	if err != nil {
		return 0, m.explain(fmt.Errorf("no line came, only %q: %w", line, err))
	}
	return took, nil
}

// kernelArguments are what Linux is told: quick and quiet, and what makes it
// fast under emulation (no mitigations, the clock from the TSC).
const kernelArguments = "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable"

// machine is a running QEMU.
type machine struct {
	process *exec.Cmd
	began   time.Time
	output  *os.File     // what the watched serial port says
	other   bytes.Buffer // what the other one and QEMU say
	work    string
	cancel  context.CancelFunc
	ended   chan struct{} // closed when QEMU has ended
}

// start starts QEMU with the files as Linux's root. The serial port watched is
// the "console" or the "link"; the other one's text serves error messages.
func start(ctx context.Context, c Config, files map[string][]byte, watched string) (m *machine, err error) {
	c.Cores = max(c.Cores, 1)
	if c.Memory == 0 {
		c.Memory = 1024
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if c.Count && c.Cores != 1 {
		return nil, fmt.Errorf("Linux does not boot with %d CPUs under instruction counting", c.Cores)
	}
	kernel, err := Kernel(ctx, c.Progress)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "skerry-baseline")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(work)
		}
	}()
	root := filepath.Join(work, "root.cpio")
	if err := writeRoot(root, files); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()

	ctx, cancel := context.WithCancel(ctx)
	m = &machine{work: work, output: read, cancel: cancel, ended: make(chan struct{})}
	arguments := Arguments(c.Cores, c.Memory, c.Count)
	text := kernelArguments
	if c.Count {
		text += " nokaslr"
	}
	console, link := "stdio,signal=off", "file,path=/dev/fdset/1,append=on"
	if watched == "console" {
		console, link = link, console
	}
	arguments = append(arguments, "-add-fd", "fd=3,set=1",
		"-chardev", console+",id=console", "-serial", "chardev:console",
		"-chardev", link+",id=link", "-serial", "chardev:link",
		"-kernel", kernel, "-initrd", root, "-append", text)
	m.process = exec.CommandContext(ctx, "qemu-system-x86_64", arguments...)
	m.process.Stdout, m.process.Stderr = &m.other, &m.other
	m.process.ExtraFiles = []*os.File{write}
	m.began = time.Now()
	if err := m.process.Start(); err != nil {
		cancel()
		read.Close()
		return nil, fmt.Errorf("start QEMU (install the package qemu-system-x86): %w", err)
	}
	go func() {
		m.process.Wait() // how it ended says nothing more
		cancel()
		close(m.ended)
	}()
	if err := PinVCPUs(ctx, m.process.Process.Pid, c.Cores); err != nil {
		m.stop()
		return nil, m.explain(err)
	}
	return m, nil
}

// stop ends the machine, if it still runs, and removes its files.
func (m *machine) stop() {
	m.cancel()
	<-m.ended
	m.output.Close()
	os.RemoveAll(m.work)
}

// explain adds to an error what the machine said besides. It ends the machine.
func (m *machine) explain(err error) error {
	m.stop()
	if text := strings.TrimSpace(m.other.String()); text != "" {
		return fmt.Errorf("Linux machine: %w; it said:\n%s", err, text)
	}
	return fmt.Errorf("Linux machine: %w", err)
}

// converse reads frames until the machine says that it is done.
func (m *machine) converse(programs int) (*Result, error) {
	result := &Result{Runs: make([]Outcome, programs)}
	frames := link.NewReader(bufio.NewReader(m.output))
	for {
		frame, err := frames.Next()
		now := time.Since(m.began)
		if err != nil {
			return nil, m.explain(err)
		}
		var run *Outcome
		if int(frame.Program) < programs {
			run = &result.Runs[frame.Program]
		} else if frame.Program != link.None {
			return nil, m.explain(fmt.Errorf("frame of program %d of %d", frame.Program, programs))
		}
		switch frame.Kind {
		case link.Hello:
			hello, err := link.ParseGreeting(frame.Payload)
			if err != nil {
				return nil, m.explain(err)
			}
			result.Kernel, result.Boot = hello.Version, now
		case link.Started:
			run.Started = now
		case link.Failed:
			return nil, m.explain(fmt.Errorf("start program %d: %s", frame.Program, frame.Payload))
		case link.Stdout:
			if run.FirstLine == 0 && bytes.IndexByte(frame.Payload, '\n') >= 0 {
				run.FirstLine = now
			}
			run.Stdout = append(run.Stdout, frame.Payload...)
		case link.Stderr:
			run.Stderr = append(run.Stderr, frame.Payload...)
		case link.Exit:
			status, err := link.ParseStatus(frame.Payload)
			if err != nil {
				return nil, m.explain(err)
			}
			run.Ended, run.ExitCode = now, int(status.Code)
			if status.Kind == abi.ExitSignal {
				run.ExitCode, run.Signal = -1, int(status.Code)
			}
		case link.Bye:
			return result, nil
		default:
			return nil, m.explain(errors.New("unexpected frame: " + frame.Kind.String()))
		}
	}
}

// writeRoot writes the initial file system.
func writeRoot(path string, files map[string][]byte) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	archive := newInitramfs(buffered)
	archive.directory("dev")
	archive.device("dev/console", 5, 1)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		archive.file(name, 0o755, files[name])
	}
	return errors.Join(archive.close(), buffered.Flush(), file.Close())
}
