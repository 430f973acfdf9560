package agent

import (
	"errors"

	"skerry/lib/supply"
	"skerry/service/monitor/wire"
)

// maxThreads is the most threads that one answer lists.
const maxThreads = 1024

// listing is a question about a program's threads that is not answered yet. It
// is the coordinator who does not wait for ever.
type listing struct {
	supply.Listing      // the next part of it
	asked          bool // that has gone to the program
	threads        []supply.Thread
	part           int // how many of them came in this part
}

// threads asks a program for its threads here.
func (a *Agent) threads(m *wire.QueryThreads) {
	c := a.byProgram[m.Program]
	if c == nil || c.state != running {
		a.refuse(m.Request, errNotRunning)
		return
	}
	if c.listing != nil {
		a.refuse(c.listing.Query, errors.New("somebody else has asked for its threads meanwhile: ask again"))
	}
	c.listing = &listing{Listing: supply.Listing{Query: m.Request}}
	a.changed = true
}

var errNotRunning = errors.New("it does not run here, or not any more")

// ask asks the program for the next part.
func (c *child) ask() (progress bool) {
	if c.listing == nil || c.listing.asked {
		return false
	}
	var b [supply.ListingSize]byte
	c.listing.Put(&b)
	c.listing.asked = c.supply.Send(supply.List, b[:])
	return c.listing.asked
}

// thread takes note of a thread.
func (c *child) thread(payload []byte, n int) {
	var t supply.Thread
	if l := c.listing; l != nil && t.Get(payload, n) && t.Query == l.Query && l.part < supply.ListMost {
		l.threads = append(l.threads, t)
		l.part++
	}
}

// listed takes note of the end of a part: there is another, or the answer is
// complete. A part without threads is the last one, whatever it says.
func (a *Agent) listed(c *child, payload []byte, n int) {
	var p supply.Listing
	l := c.listing
	if l == nil || !p.Get(payload, n) || p.Query != l.Query || !l.asked {
		return
	}
	if p.Next != 0 && l.part > 0 && len(l.threads)+supply.ListMost <= maxThreads {
		l.Next, l.part, l.asked = p.Next, 0, false
		return
	}
	c.listing = nil
	a.emit(&wire.ThreadsAnswer{Request: l.Query, Threads: l.threads})
}
