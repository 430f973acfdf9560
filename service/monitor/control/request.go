package control

import (
	"skerry/service/monitor/wire"
)

// answer is what a core said to a question put to all.
type answer struct {
	message wire.Message
	err     error
}

func queryCore(request uint32) wire.Message    { return &wire.QueryCore{Request: request} }
func queryMemory(request uint32) wire.Message  { return &wire.QueryMemory{Request: request} }
func queryDomains(request uint32) wire.Message { return &wire.QueryDomains{Request: request} }

// ask puts a question to a core, which is late's affair to answer. done is called
// once, later or at once.
func (c *Control) ask(core int, late string, question func(request uint32) wire.Message, done func(wire.Message, error)) {
	c.next++
	number := c.next
	c.requests[number] = &request{core: core, late: late, done: done}
	err := c.usable(core)
	if err == nil {
		c.requests[number].deadline = c.deadline(core, queryTimeout)
		err = c.Send(core, question(number))
	}
	if err != nil {
		c.answer(core, number, nil, err)
	}
}

// answer takes the answer to a question. Late ones are dropped.
func (c *Control) answer(core int, number uint32, m wire.Message, err error) {
	if r := c.requests[number]; r != nil && r.core == core {
		delete(c.requests, number)
		r.done(m, err)
	}
}

// gather puts a question to all cores and calls done when each has answered or
// failed to.
func (c *Control) gather(question func(request uint32) wire.Message, done func([]answer)) {
	cores := make([]int, len(c.cores))
	for i := range cores {
		cores[i] = i
	}
	c.askEach(cores, "", question, done)
}

// askAll puts a question about a program to all its cores.
func (c *Control) askAll(p *program, question func(request uint32) wire.Message, done func([]answer)) {
	c.askEach(p.cores(), p.name+" on ", question, done)
}

func (c *Control) askEach(cores []int, late string, question func(request uint32) wire.Message, done func([]answer)) {
	answers := make([]answer, len(cores))
	missing := len(answers)
	for i, core := range cores {
		c.ask(core, late, question, func(m wire.Message, err error) {
			answers[i] = answer{m, err}
			if missing--; missing == 0 {
				done(answers)
			}
		})
	}
}
