// Package baseline runs unmodified static programs on Linux in a virtual
// machine, and images of Skerry under the very same conditions, so that both
// can be compared: the same QEMU, the same flags, virtual CPUs bound to the
// host's, times taken by the same code.
//
// Benchmarks and tests import it. It must never be needed to build or run
// Skerry, and never change the host beyond Skerry's cache folder.
package baseline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"skerry/abi"
	"skerry/host/gobuild"
	"skerry/host/source"
	"skerry/lib/link"
	"skerry/lib/manifest"
)

// Config says what machine to start.
type Config struct {
	Cores  int // virtual CPUs; 0: 1
	Memory int // MiB; 0: 1024
	// Count makes the machine execute exactly one instruction per virtual
	// nanosecond, in one thread and without any randomness, so that two runs
	// are the same. Linux then needs Cores to be 1.
	Count bool
	// Extra are more arguments for QEMU.
	Extra []string
	// Progress takes what is said while a kernel is fetched, and of boots of Linux that failed;
	// nil: nowhere.
	Progress io.Writer
}

// Program is a static linux/amd64 ELF and how Linux is to run it.
type Program struct {
	Path  string   // on the host; its last element names it in the machine, in /bin
	Args  []string // without argv[0]
	Env   []string // KEY=VALUE
	Stdin []byte
	// Cores are the CPUs that it may use; none: CPU 0.
	Cores []int
	// Replicated is what the manifest is to say on Skerry; Linux does not look at it.
	Replicated bool
}

// Result is what a machine did.
type Result struct {
	Greeting link.Greeting
	Boot     time.Duration // from QEMU's start to the greeting
	Runs     []Outcome     // one for each program
	Summary  link.Summary  // Skerry's, if its manifest asks for it
	Log      []string      // Skerry's log
}

// Outcome is what a program did. Times are those of the host since QEMU's
// start.
type Outcome struct {
	Started   time.Duration
	FirstLine time.Duration // its first whole line of output; 0: none
	Ended     time.Duration
	// HostCPU is the CPU time that QEMU used from the program's first line to
	// its end, to 10 ms.
	HostCPU  time.Duration
	ExitCode int        // -1 if no exit code ended it
	Signal   int        // that ended it; 0: none
	Status   abi.Status // as the machine told it
	Stdout   []byte
	Stderr   []byte
	// Lines are when its whole lines of output came, each.
	Lines []Moment
}

// Moment is a time, that of the host since QEMU's start, and how much CPU time QEMU has
// used by then, to 10 ms.
type Moment struct{ At, CPU time.Duration }

// Image boots an image of Skerry whose manifest asks for the link, has so many
// programs, none with input, and powers off at the end. It blocks until then;
// the end of ctx ends the machine.
func Image(ctx context.Context, c Config, image string, programs int) (*Result, error) {
	m, err := start(ctx, &c, second, "-kernel", image)
	if err != nil {
		return nil, err
	}
	defer m.stop()
	result, err := m.converse(programs)
	if err != nil {
		return nil, m.explain(err)
	}
	return result, nil
}

// Linux boots Linux and runs programs one after the other, each with the
// machine to itself. It blocks until they have ended; the end of ctx ends the
// machine. Programs of the same name must be the same. A program that could
// not be started is an error.
func Linux(ctx context.Context, c Config, programs ...Program) (*Result, error) {
	root, err := source.Find("")
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	files["init"], err = gobuild.Build(ctx, gobuild.Target{Dir: root, Package: "./host/baseline/init", Ldflags: "-s -w", System: true})
	if err != nil {
		return nil, err
	}
	plan := manifest.Manifest{Link: true, PowerOff: true}
	for i, p := range programs {
		name := filepath.Base(p.Path)
		if files["bin/"+name], err = os.ReadFile(p.Path); err != nil {
			return nil, err
		}
		if len(p.Stdin) > 0 {
			files["stdin/"+strconv.Itoa(i)] = p.Stdin
		}
		program := manifest.Program{
			Name: name[:min(len(name), 31)], Path: "bin/" + name, Args: append([]string{"/bin/" + name}, p.Args...), Env: p.Env, Cwd: "/",
		}
		if len(p.Cores) > 0 {
			program.Core, program.Cores = p.Cores[0], p.Cores[1:]
		}
		plan.Programs = append(plan.Programs, program)
	}
	if files[abi.ArchiveManifest], err = plan.Encode(); err != nil {
		return nil, err
	}
	var result *Result
	err = boot(ctx, &c, second, files, func(m *machine) (err error) {
		result, err = m.converse(len(programs))
		return err
	})
	return result, err
}

// FirstLine boots Linux with a program in the place of init and returns the
// time from QEMU's start to the end of the first line that it writes: the
// shortest way to a line of a program that there is.
func FirstLine(ctx context.Context, c Config, program string) (time.Duration, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return 0, err
	}
	var took time.Duration
	err = boot(ctx, &c, console, map[string][]byte{"init": text}, func(m *machine) error {
		line, err := bufio.NewReader(m.output).ReadString('\n')
		took = time.Since(m.began)
		close(m.spoke)
		if err != nil {
			return fmt.Errorf("no line came, only %q: %w", line, err)
		}
		return nil
	})
	return took, err
}

// kernelArguments are what Linux is told: quick and quiet, and what makes it
// fast under emulation (no mitigations, the clock from the TSC).
const kernelArguments = "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable"

// maxBoots is how often Linux is booted at most. Linux changes its own code while it boots, and
// QEMU before 8.1 may keep what one virtual CPU translated while another changed it (its commit
// deba78709ae8 mends that). Then, in one boot of very many, Linux hangs without a word or panics.
const maxBoots = 2

// boot starts Linux with files in its root and watches one serial port. If Linux hangs or panics
// before it has said anything there, boot says so on progress and starts it once more.
func boot(ctx context.Context, c *Config, port string, files map[string][]byte, watch func(*machine) error) error {
	if c.Count && c.Cores > 1 {
		return fmt.Errorf("Linux does not boot with %d CPUs while instructions are counted", c.Cores)
	}
	progress := c.Progress
	if progress == nil {
		progress = io.Discard
	}
	kernel, err := Kernel(ctx, progress)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "skerry-baseline")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	root := filepath.Join(work, "root.cpio")
	if err := writeRoot(root, files); err != nil {
		return err
	}
	text := kernelArguments
	if c.Count {
		text += " nokaslr"
	} else if kHz := frequency(); kHz != 0 {
		// By itself Linux measures the time-stamp counter with the 8254 timer. If the host
		// takes the CPU away meanwhile, Linux's clock is up to twelve times too fast.
		text += fmt.Sprint(" tsc_early_khz=", kHz)
	}
	arguments := []string{"-kernel", kernel, "-initrd", root, "-append", text}
	for try := 1; ; try++ {
		err := bootOnce(ctx, c, port, arguments, watch)
		switch {
		case !errors.Is(err, errHung) && !errors.Is(err, errGaveUp):
			return err
		case try == maxBoots:
			return fmt.Errorf("boot %d of Linux, the last: %w", try, err)
		}
		fmt.Fprintf(progress, "boot %d of Linux, now once more: %v\n", try, err)
	}
}

func bootOnce(ctx context.Context, c *Config, port string, arguments []string, watch func(*machine) error) error {
	m, err := start(ctx, c, port, arguments...)
	if err != nil {
		return err
	}
	defer m.stop()
	go m.guard(bootPatience)
	if err := watch(m); err != nil {
		return m.explain(err)
	}
	return nil
}

// writeRoot writes the initial file system, the same for the same files.
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
