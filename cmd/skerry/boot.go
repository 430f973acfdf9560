package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"skerry/host/exitcode"
	"skerry/host/program"
	"skerry/host/session"
	"skerry/host/source"
	"skerry/lib/manifest"
)

// defaultCores is how many cores boot starts.
const defaultCores = 4

func (a *app) bootCommand() *cobra.Command {
	var f machineFlags
	var tour bool
	c := &cobra.Command{
		Use:   "boot [PROGRAM...]",
		Short: "Boot to a prompt",
		Long: `Boot starts a machine and connects this terminal to its prompt. The programs
named, and those of the source tree's examples, can be run there. Type help for
the commands; poweroff or ^A x ends the machine.

With --tour, a program on each core first shows what works, and a summary of
the cores follows. Without a terminal, boot --tour ends there, and boot takes
the prompt's commands from its input.`,
		Example: "  skerry boot --tour\n  echo cores | skerry boot -c 2",
		RunE:    func(c *cobra.Command, names []string) error { return a.boot(c, &f, tour, names) },
	}
	f.add(c, "4")
	c.Flags().BoolVar(&tour, "tour", false, "show what works on each core first")
	return c
}

func (a *app) boot(c *cobra.Command, f *machineFlags, tour bool, names []string) error {
	if err := f.check(c); err != nil {
		return err
	}
	if f.cores == 0 {
		f.cores = defaultCores
	}
	ctx := c.Context()
	examples, err := a.examples()
	if err != nil {
		return err
	}
	system, programs, err := a.load(ctx, append(names, examples...), f.gdb != "")
	if err != nil {
		return err
	}
	paths, files := place(programs)
	terminal := term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	m := &manifest.Manifest{Tour: tour, Summary: tour, Prompt: terminal || !tour, Link: true}
	m.PowerOff = !m.Prompt
	if terminal {
		m.Hint = "Type help for the commands; poweroff, or ^A x on this terminal, ends the machine."
	}
	s := &session.Config{Stdout: os.Stdout, Stderr: os.Stderr, Console: clearing{&a.progress, os.Stdout}, Libos: system.Libos, Kernel: system.Kernel, Log: a.log}
	if tour {
		i := indexOf(programs, "tour")
		if i < 0 {
			return exitcode.New(exitcode.Image, "the tour", "check out Skerry's whole source tree", "examples/tour is missing")
		}
		env, err := environment(c, nil)
		if err != nil {
			return err
		}
		for core := range f.cores {
			m.Programs = append(m.Programs, entry(programs[i], paths[i], nil, env, "/", core))
			s.Programs = append(s.Programs, session.Program{Name: programs[i].Name, Core: core})
		}
	}
	config, remove, err := a.resolve(ctx, f, system, m, files)
	if err != nil {
		return err
	}
	defer remove()
	s.Machine = *config
	a.progress.step("starting %d %s", f.cores, plural(f.cores, "core"))

	limited, cancel := f.limit(ctx)
	defer cancel()
	switch {
	case terminal:
		state, err := term.MakeRaw(int(os.Stdin.Fd()))
		if err != nil {
			return exitcode.New(exitcode.Machine, "terminal", "", "%w", err)
		}
		defer term.Restore(int(os.Stdin.Fd()), state)
		// Skerry's prompt ends lines in \r\n, its kernels' log in \n alone.
		s.Console = &crlf{w: s.Console}
		withEscape, stop := context.WithCancelCause(limited)
		defer stop(nil)
		s.ConsoleIn = &escape{r: os.Stdin, end: func() { stop(errEscape) }}
		limited = withEscape
	case m.Prompt:
		// After a script's end a program that still reads gets what it has of a
		// line, then the end of its input; then the prompt ends the machine.
		s.ConsoleIn = io.MultiReader(os.Stdin, strings.NewReader("\x04\x04\npoweroff\n"))
	}
	r, err := session.Run(limited, s)
	if errors.Is(err, errEscape) {
		fmt.Fprint(os.Stdout, "\r\n") // the prompt stands in this line
		return nil
	}
	if err != nil {
		return err
	}
	if code := r.ExitCode(); code != exitcode.OK {
		return programEnded(code)
	}
	return nil
}

// examples returns the folders of the source tree's example programs.
func (a *app) examples() ([]string, error) {
	dir, err := source.Find(a.source)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "examples", "*", "main.go"))
	if err != nil {
		return nil, err
	}
	for i := range files {
		files[i] = filepath.Dir(files[i])
	}
	return files, nil
}

func indexOf(programs []*program.Program, name string) int {
	for i, p := range programs {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// errEscape says that the person at the terminal ended the machine.
var errEscape = errors.New("ended by ^A x")

// escape passes a raw terminal's keys on, but for ^A x, which calls end, and
// ^A ^A, which stands for ^A.
type escape struct {
	r       io.Reader
	end     func()
	pending bool // ^A was typed
}

const controlA = 1

// Read implements io.Reader.
func (e *escape) Read(p []byte) (int, error) {
	for {
		n, err := e.r.Read(p)
		kept := 0
		for _, b := range p[:n] {
			switch {
			case e.pending && (b == 'x' || b == 'X'):
				e.end()
				return kept, io.EOF
			case e.pending && b == controlA, !e.pending && b != controlA:
				p[kept] = b
				kept++
				e.pending = false
			case !e.pending:
				e.pending = true
			default: // ^A and a key that means nothing
				e.pending = false
			}
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

// crlf puts a carriage return before each line end that has none, as a raw
// terminal wants it.
type crlf struct {
	w    io.Writer
	last byte
	buf  []byte
}

// Write implements io.Writer.
func (c *crlf) Write(p []byte) (int, error) {
	c.buf = c.buf[:0]
	for _, b := range p {
		if b == '\n' && c.last != '\r' {
			c.buf = append(c.buf, '\r')
		}
		c.buf = append(c.buf, b)
		c.last = b
	}
	if _, err := c.w.Write(c.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}
