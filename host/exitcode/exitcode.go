// Package exitcode holds the table of the host command's exit codes and the
// error that carries one to main.
//
// The host command and the packages under host import it. It must never end
// the process itself.
package exitcode

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Exit codes of the host command. A program's own code passes through
// unchanged, so codes below 64 are always a program's; the ones here were
// chosen to be rare among programs, and every one of them comes with a message
// on stderr that begins with "skerry: ".
const (
	OK       = 0
	Usage    = 64  // the command line makes no sense
	BadFile  = 65  // the program file cannot run
	NotFound = 66  // no such program, package or folder
	Compile  = 67  // a program does not compile
	Machine  = 69  // the machine could not be started, or stopped answering
	Panic    = 70  // a kernel panicked
	Memory   = 71  // memory ran out
	Image    = 72  // Skerry itself does not build, or the image cannot be written
	Fault    = 73  // the libos under a program broke: a defect of Skerry
	Timeout  = 124 // --timeout ran out
	Signal   = 128 // plus the number of the signal that ended the program
	Internal = 125 // a defect of the host command
)

// Entry is a row of the table.
type Entry struct {
	Code    string
	Meaning string
}

// Table lists all exit codes, for people.
func Table() []Entry {
	return []Entry{
		{"0-255", "the program's own; of several programs, the first that is not 0 in the order named"},
		{n(Usage), "usage: the command line makes no sense; nothing was started"},
		{n(BadFile), "bad program file: not an ELF, dynamic, another architecture, damaged, …"},
		{n(NotFound), "no such program, package or folder"},
		{n(Compile), "the program does not compile; the compiler's output is shown"},
		{n(Machine), "the machine could not be started or stopped answering: QEMU is missing, KVM was asked for and does not work, too many cores, too little memory, …"},
		{n(Panic), "kernel panic; the kernel's stack is shown"},
		{n(Memory), "out of memory: a program reached its quota, or its core has no memory left"},
		{n(Image), "the image cannot be built: Skerry's own source does not compile, or there is no room to write"},
		{n(Fault), "the libos under a program failed: a defect of Skerry, with a trace to report"},
		{n(Timeout), "the time of --timeout was used up"},
		{n(Internal), "a defect of the skerry command"},
		{"128+N", "a signal ended the program; N is its number (139: SIGSEGV, 132: SIGILL, 137: SIGKILL)"},
		{"130", "^C (also: a program ended by SIGINT)"},
	}
}

func n(code int) string { return fmt.Sprint(code) }

// Write writes the table as text.
func Write(w io.Writer) {
	for _, e := range Table() {
		fmt.Fprintf(w, "  %-6s  %s\n", e.Code, e.Meaning)
	}
}

// Error is a failure with its exit code. Its text is one line: what failed and
// where, the cause, and how to mend it.
type Error struct {
	Code   int
	What   string // "program ./x.elf", "core 2", "--cores"
	Err    error  // the cause; may be nil
	Fix    string // one thing to do about it; may be empty
	Detail string // compiler output or a stack, shown below the line; may be empty
}

// Error returns the line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.What)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Fix != "" {
		fmt.Fprintf(&b, " (%s)", e.Fix)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an Error whose cause is formatted.
func New(code int, what, fix, format string, args ...any) *Error {
	return &Error{Code: code, What: what, Fix: fix, Err: fmt.Errorf(format, args...)}
}

// Of returns the exit code of err: OK for nil, Internal for an error that says
// nothing about it.
func Of(err error) int {
	if err == nil {
		return OK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
