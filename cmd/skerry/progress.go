package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// progress tells people on stderr what goes on: on a terminal in one line that
// changes, elsewhere in plain lines.
type progress struct {
	mu    sync.Mutex
	quiet bool
	tty   bool
	shown bool // a line that changes stands there
}

func (p *progress) init(quiet bool) {
	p.quiet = quiet
	p.tty = term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb"
}

// step says what goes on now.
func (p *progress) step(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet {
		return
	}
	if p.tty {
		fmt.Fprintf(os.Stderr, "\r\x1b[Kskerry: %s…", fmt.Sprintf(format, args...))
		p.shown = true
		return
	}
	fmt.Fprintf(os.Stderr, "skerry: %s\n", fmt.Sprintf(format, args...))
}

// note says something that should stay.
func (p *progress) note(format string, args ...any) {
	p.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.quiet {
		fmt.Fprintf(os.Stderr, "skerry: %s\n", fmt.Sprintf(format, args...))
	}
}

// clearing is a writer to the terminal that progress is shown on.
type clearing struct {
	progress *progress
	w        io.Writer
}

// Write implements io.Writer.
func (c clearing) Write(p []byte) (int, error) {
	c.progress.clear()
	return c.w.Write(p)
}

// clear removes the line that changes, before something else is written.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		p.shown = false
	}
}
