package agent

import (
	"skerry/lib/stdio"
	"skerry/lib/urpc"
	"skerry/service/monitor/wire"
)

// grant lets the coordinator send more input.
func (a *Agent) grant(c *child, bytes uint32) {
	c.granted += bytes
	a.emit(&wire.Window{Program: c.program, Bytes: bytes})
}

// feed moves input into the program's ring, as much as may be unread.
func (a *Agent) feed(c *child) (progress bool) {
	sent := 0
	most := min(len(c.input), stdio.Window-int(c.sent-c.read))
	for sent < most {
		n := min(urpc.PayloadSize, most-sent)
		if !c.channel.Send(stdio.Stdin, c.input[sent:sent+n]) {
			break
		}
		sent += n
	}
	if sent > 0 {
		c.sent += uint32(sent)
		c.input = append(c.input[:0], c.input[sent:]...)
		if c.freed += uint32(sent); c.freed >= inputWindow/2 && !c.eof {
			a.grant(c, c.freed)
			c.freed = 0
		}
		progress = true
	}
	if c.eof && !c.eofSent && len(c.input) == 0 && c.channel.Send(stdio.StdinEOF, nil) {
		c.eofSent, progress = true, true
	}
	return progress
}

// readTo takes note of what the program says of its input. A count that cannot
// be is none of ours: the program only harms itself.
func (a *Agent) readTo(c *child, count uint32, wanted bool) {
	if count-c.read > c.sent-c.read {
		return
	}
	c.read = count
	if wanted && count == c.sent && len(c.input) == 0 && !c.eof {
		a.emit(&wire.Wanted{Program: c.program})
	}
}

// drain hands on what the program wrote, outputChunk bytes at most. drained
// says that nothing is left.
func (a *Agent) drain(c *child) (progress, drained bool) {
	a.output = a.output[:0]
	stream := uint8(0)
	send := func() {
		if len(a.output) > 0 {
			a.emit(&wire.Output{Program: c.program, Stream: stream, Data: a.output})
			a.output = a.output[:0]
		}
	}
	defer send()
	var slot [urpc.PayloadSize]byte
	for total := 0; total+len(slot) <= outputChunk; {
		kind, n, ok := c.channel.Receive(&slot)
		if !ok {
			return progress, true
		}
		progress = true
		switch kind {
		case stdio.Stdout, stdio.Stderr, stdio.Notice:
		case stdio.Read, stdio.Wanted:
			if n == stdio.CountSize {
				send() // what asks for input comes before it is asked for
				a.readTo(c, stdio.Count(slot[:n]), kind == stdio.Wanted)
			}
			continue
		default:
			continue // a newer libos may say more than we know
		}
		if kind != stream {
			send()
			stream = kind
		}
		a.output = append(a.output, slot[:n]...)
		total += n
	}
	return progress, false
}
