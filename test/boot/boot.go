// Package boot starts machines for tests: it compiles the system once, builds
// an image for each test, runs it, and returns all that came out.
//
// Tests that boot import it. It must never skip what it cannot do: a machine
// that does not start fails the test, but for -short, and where QEMU is missing.
package boot

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"skerry/host/archive"
	"skerry/host/image"
	"skerry/host/machine"
	"skerry/host/program"
	"skerry/host/session"
	"skerry/host/source"
	"skerry/lib/manifest"
)

// Long has tests that repeat something run at their full lengths: make soak.
var Long = flag.Bool("long", false, "repeat as often as make soak does")

// Times returns how often a test repeats something.
func Times(short, long int) int {
	if *Long {
		return long
	}
	return short
}

// Program is a program to run.
type Program struct {
	Package string // Go package, .go file or ELF, as the host command takes it
	Args    []string
	Env     []string
	Core    int
	// Cores and Replicated are the manifest's.
	Cores      []int
	Replicated bool
	Quota      uint64
	Stdin      io.Reader
	// Capabilities, Runs and Kill are the manifest's.
	Capabilities []string
	Runs, Kill   int
	Weight       int
	Reserve      *manifest.Reservation
}

// Machine is a machine to boot.
type Machine struct {
	Cores    int
	Memory   uint64 // bytes; 0: 128 MiB a core
	Options  string // the kernels' command line
	Extra    []string
	Programs []Program
	Files    []archive.File
	Timeout  time.Duration // 0: two minutes
	// Tour is the manifest's.
	Tour bool
	// Script is typed at the prompt as soon as the machine listens; it must
	// end with poweroff. Empty: there is no prompt.
	Script string
	// Bin are programs to be found in /bin, named as Program.Package is.
	Bin []string
	// Ended is called when a program has ended, the last of its runs; may be nil. It must
	// not block.
	Ended func(program int)
	// Stdout gets what the programs write to standard output as it comes, beside
	// the Outcome; may be nil.
	Stdout io.Writer
	// Watch gets the console's output likewise.
	Watch io.Writer
	// Quiet leaves the console to the session, which then puts what explains
	// a failure into the error.
	Quiet bool
}

// Outcome is what came of it.
type Outcome struct {
	*session.Result
	Stdout, Stderr, Console string
	Err                     error // why it did not end in order
}

var compile = sync.OnceValues(func() (*image.System, error) {
	dir, err := source.Find("")
	if err != nil {
		return nil, err
	}
	return image.CompileSystem(context.Background(), dir, false)
})

var programs struct {
	sync.Mutex
	loaded map[string]*program.Program
}

func load(t testing.TB, named string) *program.Program {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if p := programs.loaded[named]; p != nil {
		return p
	}
	s, err := program.Find(named)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if programs.loaded == nil {
		programs.loaded = map[string]*program.Program{}
	}
	programs.loaded[named] = p
	return p
}

// Need skips a test that boots where it cannot or should not.
func Need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a machine")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("QEMU is missing: run scripts/setup")
	}
}

// System returns the compiled system.
func System(t testing.TB) *image.System {
	t.Helper()
	s, err := compile()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Image builds the image of m and returns its file and what runs in it.
func Image(t testing.TB, m *Machine) (file string, running []session.Program) {
	t.Helper()
	plan := manifest.Manifest{Link: true, PowerOff: m.Script == "", Prompt: m.Script != "", Summary: m.Script == "", Tour: m.Tour}
	files := m.Files
	there := map[string]bool{}
	for _, name := range m.Bin {
		loaded := load(t, name)
		at := "bin/" + loaded.Name
		there[at] = true
		files = append(files, archive.Bytes(at, 0o755, loaded.ELF))
	}
	for _, p := range m.Programs {
		loaded := load(t, p.Package)
		at := "bin/" + loaded.Name
		if !there[at] {
			there[at] = true
			files = append(files, archive.Bytes(at, 0o755, loaded.ELF))
		}
		plan.Programs = append(plan.Programs, manifest.Program{
			Name: loaded.Name, Path: at, Args: append([]string{loaded.Name}, p.Args...), Env: p.Env,
			Cwd: "/", Core: p.Core, Cores: p.Cores, Replicated: p.Replicated, Quota: p.Quota, Stdin: p.Stdin != nil,
			Capabilities: p.Capabilities, Runs: p.Runs, Kill: p.Kill, Weight: p.Weight, Reserve: p.Reserve,
		})
		running = append(running, session.Program{Name: loaded.Name, Core: p.Core, Stdin: p.Stdin})
	}
	file = filepath.Join(t.TempDir(), "image.elf")
	if _, err := image.WriteFile(file, System(t), &plan, files); err != nil {
		t.Fatal(err)
	}
	return file, running
}

// Run boots m and returns when the machine has ended.
func Run(t testing.TB, m *Machine) *Outcome {
	t.Helper()
	Need(t)
	file, running := Image(t, m)
	limit := m.Timeout
	if limit == 0 {
		limit = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var stdout, stderr, console bytes.Buffer
	c := &session.Config{
		Machine: machine.Config{
			Image: file, Cores: m.Cores, Memory: m.memory(), Accel: machine.TCG,
			Options: m.Options, Extra: m.Extra,
		},
		Programs: running, Ended: m.Ended, Stdout: &stdout, Stderr: &stderr, Libos: System(t).Libos, Kernel: System(t).Kernel,
	}
	if m.Stdout != nil {
		c.Stdout = io.MultiWriter(&stdout, m.Stdout)
	}
	if !m.Quiet {
		c.Console = &console
		if m.Watch != nil {
			c.Console = io.MultiWriter(&console, m.Watch)
		}
	}
	if m.Script != "" {
		c.ConsoleIn = strings.NewReader(m.Script)
	}
	r, err := session.Run(ctx, c)
	o := &Outcome{Result: r, Stdout: stdout.String(), Stderr: stderr.String(), Console: console.String(), Err: err}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("stdout:\n%s\nstderr:\n%s\nconsole:\n%s\nerror: %v", clip(o.Stdout), clip(o.Stderr), clip(o.Console), err)
		}
	})
	return o
}

func (m *Machine) memory() uint64 {
	if m.Memory != 0 {
		return m.Memory
	}
	return uint64(m.Cores)*128<<20 + 64<<20
}

func clip(s string) string {
	const most = 6000
	if len(s) > most {
		return fmt.Sprintf("%s\n… (%d bytes left out) …\n%s", s[:most/2], len(s)-most, s[len(s)-most/2:])
	}
	return s
}

// Example names one of the repository's example programs.
func Example(t testing.TB, name string) string {
	t.Helper()
	dir, err := source.Find("")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "examples", name)
}

// Lines returns the non-empty lines of a text.
func Lines(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
}

// Temp returns the name of a new file with the given contents.
func Temp(t testing.TB, name, contents string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(contents), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
