package main

import (
	"strings"

	"golang.org/x/term"

	"skerry/service/monitor/control"
)

// prompt reads commands from the console, one after the other, for ever.
func prompt(m *monitor, typed <-chan []byte) {
	t := term.NewTerminal(&console{m: m, typed: typed}, "skerry> ")
	t.AutoCompleteCallback = func(line string, at int, key rune) (string, int, bool) {
		if key != '\t' || at != len(line) {
			return "", 0, false
		}
		line = extend(line)
		return line, len(line), true
	}
	for {
		line, err := t.ReadLine()
		if err != nil {
			return // the console never ends
		}
		done := make(chan struct{})
		m.post(func() { m.control.Command(line, func() { close(done) }) })
		<-done
	}
}

// extend returns line with its last word, a command or a program, completed as
// far as it is certain.
func extend(line string) string {
	choices, word := control.Commands, line
	if rest, ok := strings.CutPrefix(line, "run "); ok {
		choices, word = complete(""), rest
	}
	common, found := "", false
	for _, c := range choices {
		if !strings.HasPrefix(c, word) {
			continue
		}
		if !found {
			common, found = c+" ", true
			continue
		}
		for !strings.HasPrefix(c+" ", common) {
			common = common[:len(common)-1]
		}
	}
	if !found {
		return line
	}
	return strings.TrimSuffix(line, word) + common
}

// console is the serial console as a terminal sees it.
type console struct {
	m     *monitor
	typed <-chan []byte
	rest  []byte // of what was taken from typed
}

// Read takes what was typed, up to the end of a line: the rest may be for a
// program that the line starts. Two keys that would end the terminal for good
// are not for it: ^C erases the line instead, ^D does nothing.
func (c *console) Read(b []byte) (int, error) {
	for {
		if len(c.rest) == 0 {
			c.m.post(c.m.control.PromptReads)
			c.rest = <-c.typed
		}
		n := copy(b, c.rest)
		c.rest = c.rest[n:]
		kept := b[:0]
		for _, key := range b[:n] {
			switch key {
			case 0x03:
				kept = append(kept, 0x15)
			case 0x04:
			default:
				kept = append(kept, key)
			}
		}
		if len(kept) > 0 {
			return len(kept), nil
		}
	}
}

// Write queues b.
func (c *console) Write(b []byte) (int, error) {
	text := string(b)
	c.m.post(func() { c.m.control.Console.Raw([]byte(text)) })
	return len(b), nil
}
