package control

import (
	"bytes"
	"unicode/utf8"

	"skerry/service/monitor/wire"
)

// typedLimit is how much typed input waits here before the console is read no
// further, in bytes.
const typedLimit = 64 << 10

// discipline is the line discipline of the console while a program has it:
// input goes to the program by lines, and is echoed.
type discipline struct {
	line   []byte
	escape int // 1 after ESC, 2 inside a control sequence: both are dropped
}

// Control characters that mean something.
const (
	interrupt = 0x03 // ^C: kill the program
	endOfFile = 0x04 // ^D: end the input
	backspace = 0x08
	eraseLine = 0x15 // ^U
	escape    = 0x1b
	rubout    = 0x7f
)

// Listening says that more can be typed. While it is false the owner should
// leave the console's input where it is.
func (c *Control) Listening() bool { return len(c.typed) < typedLimit }

// Input takes what was typed at the console. It waits until the program in the
// foreground wants a line, or the prompt: so whoever comes first takes no more
// than his own, and what a script holds for those after him is not lost. Only ^C
// acts at once; it takes what was typed before it with it.
func (c *Control) Input(data []byte) {
	if !c.Manifest.Prompt {
		return // nobody reads
	}
	for _, b := range data {
		second := b == '\n' && c.typedCR
		c.typedCR = b == '\r'
		switch {
		case second: // of "\r\n", which is one key
		case b == interrupt && c.foreground != nil:
			c.Console.Write([]byte("^C\n"))
			c.typed, c.discipline.line = nil, nil
			c.kill(c.foreground)
		default:
			c.typed = append(c.typed, b)
		}
	}
	c.handOn()
}

// PromptReads says that the prompt waits for input: PromptInput will be called
// once, with a part of a line or a line and its end.
func (c *Control) PromptReads() {
	c.promptReads = true
	c.handOn()
}

// handOn gives what was typed to whom it is for, if he wants it.
func (c *Control) handOn() {
	for len(c.typed) > 0 {
		if p := c.foreground; p != nil {
			if !p.wants {
				return
			}
			b := c.typed[0]
			c.typed = c.typed[1:]
			c.key(p, b)
			continue
		}
		if !c.promptReads {
			return
		}
		n := len(c.typed)
		if i := bytes.IndexAny(c.typed, "\r\n"); i >= 0 {
			n = i + 1
		}
		line := c.typed[:n:n]
		c.typed = c.typed[n:]
		c.promptReads = false
		c.PromptInput(line)
	}
}

// leave takes the console from the program that has it. What it has not taken
// of a line goes to the prompt.
func (c *Control) leave() {
	c.foreground = nil
	c.typed = append(c.discipline.line, c.typed...)
	c.discipline = discipline{}
}

// key takes one byte for the program in the foreground.
func (c *Control) key(p *program, b byte) {
	d := &c.discipline
	if d.escape > 0 {
		switch {
		case d.escape == 1 && b == '[':
			d.escape = 2
		case d.escape == 1 || b >= 0x40:
			d.escape = 0
		}
		return
	}
	switch {
	case b == endOfFile:
		// As on other systems, it ends the input only where a line begins.
		c.enter(p, len(d.line) == 0)
	case b == '\r' || b == '\n':
		c.Console.Write([]byte("\n"))
		d.line = append(d.line, '\n')
		c.enter(p, false)
	case b == backspace || b == rubout:
		if len(d.line) > 0 {
			_, n := utf8.DecodeLastRune(d.line)
			d.line = d.line[:len(d.line)-n]
			c.Console.Write([]byte("\b \b"))
		}
	case b == eraseLine:
		for range utf8.RuneCount(d.line) {
			c.Console.Write([]byte("\b \b"))
		}
		d.line = d.line[:0]
	case b == escape:
		d.escape = 1
	case b >= ' ' || b == '\t':
		if len(d.line) < maxLine {
			d.line = append(d.line, b)
			c.Console.Write([]byte{b})
		}
	}
}

// enter hands the line to the program, which has thereby what it wanted, and
// the end of input after it.
func (c *Control) enter(p *program, eof bool) {
	p.wants = false
	p.input = append(p.input, c.discipline.line...)
	p.eof = p.eof || eof
	c.discipline.line = c.discipline.line[:0]
	c.feed(p)
}

// feed sends input as far as p's window reaches.
func (c *Control) feed(p *program) {
	if n := min(len(p.input), p.window); n > 0 {
		c.send(p, &wire.Stdin{Program: p.number, Data: p.input[:n]})
		p.input = append(p.input[:0], p.input[n:]...)
		p.window -= n
	}
	if p.eof && len(p.input) == 0 {
		c.send(p, &wire.StdinEOF{Program: p.number})
	}
}
