// Package session runs a machine from its start to its end: it holds the
// conversation with the monitor, passes input and output on, watches the
// console for panics, and says what came of it all.
//
// The host command, tests and benchmarks import it. It must never leave a
// machine behind.
package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"skerry/abi"
	"skerry/host/exitcode"
	"skerry/host/machine"
	"skerry/host/symbol"
	"skerry/lib/link"
)

// Program is what the session knows of a program of the manifest.
type Program struct {
	Name  string
	Core  int
	Stdin io.Reader // nil: none; then the manifest must not promise any
}

// Config says what to run. The image's manifest must ask for a link.
type Config struct {
	Machine  machine.Config
	Programs []Program // in the manifest's order
	// Stdout and Stderr take what the programs write.
	Stdout, Stderr io.Writer
	// Console takes what comes from the machine's console; nil: only kept to
	// explain failures. ConsoleIn is typed into it; nil: nothing.
	Console   io.Writer
	ConsoleIn io.Reader
	// Log is called with each line of the guest's log; may be nil.
	Log func(core int, line string)
	// Ready is called once, when the machine's monitors run; may be nil.
	Ready func(link.Greeting)
	// Ended is called when a program has ended, the last of its runs, or could not be started;
	// may be nil. It must not block.
	Ended func(program int)
	// Libos and Kernel are their ELF files, to name addresses in them.
	Libos, Kernel []byte
}

// How long the machine may take for what needs no time of its own.
const (
	// bootLimit is for the time from QEMU's start to Hello, with perCore for
	// each core; emulation on a busy host is slow.
	bootLimit = 60 * time.Second
	perCore   = 2 * time.Second
	// offLimit is for the time from Bye to the machine's end.
	offLimit = 5 * time.Second
)

// grace is the time for the guest to end its programs and say so when the
// session is cut short, and for a panic's stack to come out. Tests shorten it.
var grace = 2 * time.Second

// Result is what came of a session.
type Result struct {
	Greeting link.Greeting
	Outcomes []Outcome     // by program
	Summary  *link.Summary // if the manifest asks for it
	Bye      bool          // the machine powered itself off in order
	// ReadyAfter is the time from the machine's start to Hello, Took the time
	// to its end.
	ReadyAfter, Took time.Duration
}

// ExitCode returns the exit code of programs that all ended in order: the
// first that is not zero.
func (r *Result) ExitCode() int {
	for i := range r.Outcomes {
		if s := &r.Outcomes[i].Status; s.Kind == abi.ExitCode && byte(s.Code) != 0 {
			return int(byte(s.Code))
		}
	}
	return exitcode.OK
}

// Run starts a machine and stays with it until it ends. It returns an error,
// which carries an exit code, if the machine or a program failed; a program
// that ended by an exit code has not failed. The end of ctx ends the machine;
// its cause is then the error. The Result is valid with an error too, as far
// as things went.
func Run(ctx context.Context, c *Config) (*Result, error) {
	start := time.Now()
	if err := context.Cause(ctx); err != nil {
		return &Result{Outcomes: make([]Outcome, len(c.Programs))}, err
	}
	m, err := machine.Start(context.WithoutCancel(ctx), &c.Machine)
	if err != nil {
		return &Result{Outcomes: make([]Outcome, len(c.Programs))}, err
	}
	defer m.Kill()
	con := newConsole(c.Console)
	go con.read(m.Console)
	t := newTalk(c, m.Link, start)
	go t.run()
	if c.ConsoleIn != nil {
		go func() {
			// Before the kernel has set the port up, what is typed is lost.
			select {
			case <-t.hello:
				io.Copy(m.Console, c.ConsoleIn) // ends with the machine
			case <-t.done:
			}
		}()
	}

	s := &running{Config: c, machine: m, console: con, talk: t, start: start}
	cause := s.wait(ctx)
	if cause == nil {
		s.off()
	}
	m.Stop()
	// What was on its way is still to be read; QEMU's end ends both streams.
	s.drain(t.done)
	s.drain(con.done)
	r := t.snapshot()
	r.Took = time.Since(start)
	return &r, s.verdict(&r, cause)
}

// running is a session under way.
type running struct {
	*Config
	machine *machine.Machine
	console *console
	talk    *talk
	start   time.Time
}

// errSilent, errPanic: why a session was cut short.
var (
	errSilent = errors.New("no sign of life")
	errPanic  = errors.New("kernel panic")
)

// wait waits for the conversation's end, or for a reason to end it. It returns
// nil if the conversation ended by itself.
func (s *running) wait(ctx context.Context) error {
	limit := bootLimit + time.Duration(s.Machine.Cores)*perCore
	boot := time.NewTimer(limit)
	defer boot.Stop()
	if s.Machine.Debug != "" {
		boot.Stop() // the debugger decides when it goes on
	}
	var dying <-chan time.Time
	hello := s.talk.hello
	greet := func() {
		hello = nil
		boot.Stop()
		if s.Ready != nil {
			s.Ready(s.talk.snapshot().Greeting)
		}
	}
	ended := func(program int) {
		if s.Ended != nil {
			s.Ended(program)
		}
	}
	// A short conversation may be over before its beginning is noticed here, or ends.
	defer func() {
		select {
		case <-hello:
			greet()
		default:
		}
		for len(s.talk.ended) > 0 {
			ended(<-s.talk.ended)
		}
	}()
	lost := map[int]bool{}
	for {
		select {
		case <-s.talk.done:
			return nil
		case <-s.machine.Done():
			s.drain(s.talk.done)
			return nil
		case <-hello:
			greet()
		case <-boot.C:
			return errSilent
		case program := <-s.talk.ended:
			ended(program)
		case core := <-s.console.panicked:
			lost[core] = true
		case <-dying:
			return errPanic
		case <-ctx.Done():
			if s.idle() {
				return context.Cause(ctx)
			}
			s.talk.killAll()
			select {
			case <-s.talk.done:
			case <-s.machine.Done():
			case <-time.After(grace):
			}
			return context.Cause(ctx)
		}
		if dying == nil && s.waitsFor(lost) {
			dying = time.After(grace)
		}
	}
}

// idle says that no program of the manifest runs.
func (s *running) idle() bool {
	for _, o := range s.talk.snapshot().Outcomes {
		if !o.Ended {
			return false
		}
	}
	return true
}

// waitsFor says whether the session waits for something that the lost cores
// will not do: the monitor's word, or the end of programs.
func (s *running) waitsFor(lost map[int]bool) bool {
	if len(lost) == 0 {
		return false
	}
	if lost[0] {
		return true
	}
	for i, o := range s.talk.snapshot().Outcomes {
		if !o.Ended && !lost[s.Programs[i].Core] {
			return false // something that can still happen
		}
	}
	return len(s.Programs) > 0
}

// off gives the machine the time to power off after the conversation's end,
// unless the guest broke it off by what it said.
func (s *running) off() {
	if err := s.talk.err; err != nil && err != io.EOF && !isClosed(err) {
		return
	}
	select {
	case <-s.machine.Done():
	case <-time.After(offLimit):
	}
}

// drain waits for the end of a reader whose stream is ending.
func (s *running) drain(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(grace):
	}
}

// verdict turns what happened into an error.
func (s *running) verdict(r *Result, cause error) error {
	if p := s.console.firstPanic(); p != nil {
		if strings.HasPrefix(p.cause, tooSmall) {
			return exitcode.New(exitcode.Machine, fmt.Sprintf("a machine of %d cores and %d MiB", s.Machine.Cores, s.Machine.Memory>>20),
				"give it more with --memory", "%s", p.cause)
		}
		e := &exitcode.Error{
			Code: exitcode.Panic, What: fmt.Sprintf("kernel panic on core %d", p.core), Err: errors.New(p.cause),
			Fix: "a defect of Skerry; report its stack",
		}
		if s.Console == nil {
			e.Detail = strings.Join(p.named(symbol.New(s.Kernel)), "\n")
		}
		return e
	}
	last := func() string {
		if s.Console != nil {
			return "" // all has been shown
		}
		return strings.Join(s.console.last(20), "\n")
	}
	switch {
	case cause == errSilent:
		return &exitcode.Error{
			Code: exitcode.Machine, What: "machine", Err: fmt.Errorf("no sign of life within %v", time.Since(s.start).Round(time.Second)),
			Fix: "look at its console with --verbose", Detail: last(),
		}
	case cause != nil && cause != errPanic:
		return cause
	}
	if err := s.machine.Wait(); err != nil {
		return err
	}
	if !r.Bye {
		var out *outputError
		if errors.As(s.talk.err, &out) {
			return exitcode.New(exitcode.Machine, out.stream, "", "what a program wrote cannot be passed on: %w", out.err)
		}
		e := &exitcode.Error{Code: exitcode.Machine, What: "machine", Detail: last(),
			Fix: "look at its console with --verbose", Err: errors.New("it stopped without a word")}
		var bad *link.FormatError
		switch {
		case errors.As(s.talk.err, &bad), s.talk.err != io.EOF && s.talk.err != nil && !isClosed(s.talk.err):
			e.Err = fmt.Errorf("the monitor speaks nonsense: %w", s.talk.err)
		}
		return e
	}
	if n := r.Greeting.Cores; n < s.Machine.Cores {
		return exitcode.New(exitcode.Machine, fmt.Sprintf("--cores %d", s.Machine.Cores), fmt.Sprintf("ask for at most %d", n), "only %d cores could be started", n)
	}
	for i := range r.Outcomes {
		if err := s.outcomeError(i, &r.Outcomes[i]); err != nil {
			return err
		}
	}
	return nil
}

// isClosed says that err is the end of a stream whose other side went away.
func isClosed(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "connection reset")
}

// outcomeError returns how a program failed, or nil if it ended by itself.
func (s *running) outcomeError(i int, o *Outcome) error {
	p := s.Programs[i]
	what := fmt.Sprintf("program %s on core %d", p.Name, p.Core)
	if o.Ended {
		what = fmt.Sprintf("program %s on core %d", p.Name, o.Core)
	}
	switch {
	case o.Failed != "":
		code := exitcode.BadFile
		switch {
		case strings.Contains(o.Failed, "memory"):
			code = exitcode.Memory
		case strings.Contains(o.Failed, "does not answer"), strings.Contains(o.Failed, "is lost"):
			code = exitcode.Machine
		}
		return exitcode.New(code, what, "", "could not be started: %s", o.Failed)
	case !o.Ended:
		return exitcode.New(exitcode.Machine, what, "report this", "the machine powered off before it ended")
	}
	return EndError(what, &o.End, s.Libos)
}

// EndError turns a program's end into an error, or nil if it ended by an
// exit code. libos is the libos's ELF file, to name addresses.
func EndError(what string, st *link.End, libos []byte) error {
	switch st.Kind {
	case abi.ExitNone:
		return exitcode.New(exitcode.Machine, what, "", "lost with its core")
	case abi.ExitCode:
		return nil
	case abi.ExitSignal:
		return exitcode.New(exitcode.Signal+int(st.Code&0x7f), what, "", "ended by %s", signalName(st.Code))
	case abi.ExitKilled:
		return exitcode.New(exitcode.Signal+9, what, "", "killed")
	case abi.ExitMemory:
		return exitcode.New(exitcode.Memory, what, "give the machine more with --memory",
			"%v, after %d MiB", abi.Error(st.Code), st.Peak>>20)
	case abi.ExitFault:
		cause := fmt.Sprintf("exception %d (code %#x, address %#x)", st.FaultVector, st.FaultCode, st.FaultAddress)
		return libosError(what, "the libos under it failed", cause, st, libos)
	case abi.ExitStuck:
		cause := fmt.Sprintf("disabled for %v", time.Duration(abi.DisabledMost))
		return libosError(what, "the libos under it was stuck", cause, st, libos)
	}
	return exitcode.New(exitcode.Machine, what, "report this", "ended in an unknown way (%d)", st.Kind)
}

// libosError says what was wrong with the libos under a program, and where it was.
func libosError(what, failed, cause string, st *link.End, libos []byte) error {
	table := symbol.New(libos)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  at %s\n", cause, table.Name(st.FaultRIP))
	for _, pc := range st.Trace {
		if pc != 0 {
			fmt.Fprintf(&b, "  from %s\n", table.Name(pc-1))
		}
	}
	return &exitcode.Error{Code: exitcode.Fault, What: what, Err: errors.New(failed),
		Fix: "a defect of Skerry; report the trace below", Detail: strings.TrimRight(b.String(), "\n")}
}

var signalNames = [...]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
	10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 16: "SIGSTKFLT", 17: "SIGCHLD",
	18: "SIGCONT", 19: "SIGSTOP", 20: "SIGTSTP", 21: "SIGTTIN", 22: "SIGTTOU", 23: "SIGURG", 24: "SIGXCPU", 25: "SIGXFSZ",
	26: "SIGVTALRM", 27: "SIGPROF", 28: "SIGWINCH", 29: "SIGIO", 30: "SIGPWR", 31: "SIGSYS",
}

// signalName names a Linux signal, whatever the host.
func signalName(n uint64) string {
	if n > 0 && n < uint64(len(signalNames)) {
		return signalNames[n]
	}
	return fmt.Sprintf("signal %d", n)
}
