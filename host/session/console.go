package session

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"sync"
)

// panicLine is how a CPU driver says that it has failed; a stack follows.
var panicLine = regexp.MustCompile(`skerry: panic: core (\d+): (.*)`)

// tooSmall begins the cause of the panic of a kernel that has too little memory
// to start.
const tooSmall = "too little memory"

// console reads what a machine says on its console, passes it on, and looks
// for panics.
type console struct {
	out io.Writer // nil: nothing is passed on

	mu     sync.Mutex
	line   []byte   // not ended yet
	lines  []string // the last ones, at most maxLines
	panics []*panicReport
	// panicked gets the core of each panic; it is buffered for all cores.
	panicked chan int
	done     chan struct{}
}

// panicReport is a panic of a CPU driver.
type panicReport struct {
	core  int
	cause string
	stack []string // all lines that came after, at most maxLines
}

const maxLines = 200

func newConsole(out io.Writer) *console {
	return &console{out: out, panicked: make(chan int, 1024), done: make(chan struct{})}
}

// read takes all that comes from r until it ends.
func (c *console) read(r io.Reader) {
	defer close(c.done)
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		if c.out != nil && n > 0 {
			c.out.Write(buf[:n]) // a console that nobody reads is no reason to stop
		}
		c.scan(buf[:n])
		if err != nil {
			return
		}
	}
}

func (c *console) scan(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(p) > 0 {
		head, tail, ended := bytes.Cut(p, []byte{'\n'})
		if len(c.line) < 4096 {
			c.line = append(c.line, head...)
		}
		if !ended {
			return
		}
		c.endLine(string(bytes.TrimRight(c.line, "\r")))
		c.line, p = c.line[:0], tail
	}
}

func (c *console) endLine(s string) {
	if len(c.lines) == maxLines {
		c.lines = append(c.lines[:0], c.lines[1:]...)
	}
	c.lines = append(c.lines, s)
	for _, p := range c.panics {
		if len(p.stack) < maxLines {
			p.stack = append(p.stack, s)
		}
	}
	if m := panicLine.FindStringSubmatch(s); m != nil {
		core, _ := strconv.Atoi(m[1])
		c.panics = append(c.panics, &panicReport{core: core, cause: m[2]})
		select {
		case c.panicked <- core:
		default: // no machine has so many cores
		}
	}
}

// last returns the last n lines.
func (c *console) last(n int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := c.lines
	if len(c.line) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(c.line))
	}
	return lines[max(0, len(lines)-n):]
}

// firstPanic returns the first panic, or nil.
func (c *console) firstPanic() *panicReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.panics) == 0 {
		return nil
	}
	p := *c.panics[0]
	return &p
}
