package session

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"skerry/host/symbol"
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
	stack []string // what the kernel said before, and all that came after, at most maxLines
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
		p := &panicReport{core: core, cause: m[2], stack: c.stackBefore(core)}
		if len(p.stack) > 0 {
			// A Go panic says more of its cause than the kernel it ends.
			first := p.stack[0][strings.Index(p.stack[0], ": core ")+len(": core "):]
			if _, text, _ := strings.Cut(first, ": "); goPanic.MatchString(text) {
				p.cause = text
			}
		}
		c.panics = append(c.panics, p)
		select {
		case c.panicked <- core:
		default: // no machine has so many cores
		}
	}
}

// causeLine is how the stack of a kernel begins: as its Go runtime has it, or
// as the handler of traps in freestanding code has it.
var causeLine = regexp.MustCompile(`^(panic: |fatal error: |runtime: |trap \d+ in the kernel)`)

// goPanic begins the Go runtime's word on why it ends.
var goPanic = regexp.MustCompile(`^(panic|fatal error): `)

// stackBefore returns what the kernel of a core has said since it began to
// say what its panic is about.
func (c *console) stackBefore(core int) []string {
	prefix := fmt.Sprintf("skerry: core %d: ", core)
	var stack []string
	begins := -1
	for _, line := range c.lines {
		text, ours := strings.CutPrefix(line, prefix)
		if !ours {
			continue
		}
		if begins < 0 && causeLine.MatchString(text) {
			begins = len(stack)
		}
		stack = append(stack, line)
	}
	if begins < 0 {
		return nil
	}
	return stack[begins:]
}

// returnAddress is an address in a kernel that it cannot name itself.
var returnAddress = regexp.MustCompile(`(called from|RIP) (0x[0-9a-f]+)`)

// named returns the lines of a stack with the names of such addresses.
func (p *panicReport) named(kernel symbol.Table) []string {
	var lines []string
	for _, line := range p.stack {
		lines = append(lines, returnAddress.ReplaceAllStringFunc(line, func(s string) string {
			at := s[strings.LastIndexByte(s, ' ')+1:]
			pc, err := strconv.ParseUint(at, 0, 64)
			if err != nil {
				return s
			}
			return strings.TrimSuffix(s, at) + kernel.Name(pc)
		}))
	}
	return lines
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
