package control

import (
	"bytes"
	"fmt"

	"skerry/lib/native"
)

// Port queues what is to go out of a serial port. It never blocks.
type Port struct {
	// CRLF ends lines as terminals without a line discipline want them.
	CRLF bool

	write  func([]byte) (int, error)
	chunks [][]byte // of native.PortMax bytes at most
	queued int
	open   bool   // a line has been begun
	prompt []byte // of that, what the prompt has written
}

// NewPort returns a Port over a write function that takes the start of what it
// is given and returns how much that is.
func NewPort(write func([]byte) (int, error)) *Port { return &Port{write: write} }

// Queued returns how many bytes wait.
func (p *Port) Queued() int { return p.queued }

// Print queues a formatted text of whole lines. It begins a line; the prompt, and
// what has been typed there, are moved below it.
func (p *Port) Print(format string, args ...any) {
	prompt := p.prompt
	if len(prompt) > 0 {
		p.cut([]byte("\r\x1b[K"))
	} else {
		p.EndLine()
	}
	fmt.Fprintf(p, format, args...)
	p.Raw(prompt)
}

// EndLine ends the line that has been begun, if any.
func (p *Port) EndLine() {
	if p.open {
		p.Write([]byte("\n"))
	}
}

// Raw queues b as it is, whatever CRLF says: it is the prompt's.
func (p *Port) Raw(b []byte) {
	prompt := append(p.prompt, b...)
	p.cut(b)
	p.prompt = prompt[bytes.LastIndexByte(prompt, '\n')+1:]
}

// Write queues b. It always succeeds. Lines are kept whole as far as they fit
// into one call of the kernel.
func (p *Port) Write(b []byte) (int, error) {
	n := len(b)
	if p.CRLF {
		b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
	}
	p.cut(b)
	return n, nil
}

func (p *Port) cut(b []byte) {
	if len(b) > 0 {
		p.open = b[len(b)-1] != '\n'
		p.prompt = nil
	}
	for len(b) > 0 {
		size := len(b)
		if size > native.PortMax {
			size = native.PortMax
			if i := bytes.LastIndexByte(b[:size], '\n'); i >= 0 {
				size = i + 1
			}
		}
		p.push(b[:size])
		b = b[size:]
	}
}

func (p *Port) push(b []byte) {
	p.queued += len(b)
	if last := len(p.chunks) - 1; last >= 0 && len(p.chunks[last])+len(b) <= native.PortMax {
		p.chunks[last] = append(p.chunks[last], b...)
		return
	}
	p.chunks = append(p.chunks, bytes.Clone(b))
}

// Flush hands the port what it takes, and returns whether it took anything.
func (p *Port) Flush() (progress bool) {
	for len(p.chunks) > 0 {
		n, err := p.write(p.chunks[0])
		if err != nil {
			// The kernel refuses for good: there is no one to tell.
			p.chunks, p.queued = nil, 0
			return progress
		}
		if n == 0 {
			return progress
		}
		progress = true
		p.queued -= n
		if p.chunks[0] = p.chunks[0][n:]; len(p.chunks[0]) == 0 {
			p.chunks[0] = nil
			p.chunks = p.chunks[1:]
		}
	}
	return progress
}
