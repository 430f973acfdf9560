package control

import (
	"unicode/utf8"

	"skerry/service/monitor/wire"
)

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

// Input takes what was typed at the console.
func (c *Control) Input(data []byte) {
	for i, b := range data {
		if c.foreground == nil {
			// What is typed ahead waits for the prompt.
			if c.Manifest.Prompt {
				c.PromptInput(data[i:])
			}
			return
		}
		c.key(c.foreground, b)
	}
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
	case b == interrupt:
		c.Console.Write([]byte("^C\n"))
		d.line = d.line[:0]
		c.kill(p)
	case b == endOfFile:
		// As on other systems, it ends the input only where a line begins.
		c.typed(p, len(d.line) == 0)
	case b == '\r' || b == '\n':
		c.Console.Write([]byte("\n"))
		d.line = append(d.line, '\n')
		c.typed(p, false)
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

// typed hands the line to the program, and the end of input after it.
func (c *Control) typed(p *program, eof bool) {
	if !p.eof {
		p.input = append(p.input, c.discipline.line...)
		p.eof = eof
	}
	c.discipline.line = c.discipline.line[:0]
	c.feed(p)
}

// feed sends typed input as far as p's window reaches.
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
