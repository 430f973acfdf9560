// Package control is what the monitor of core 0 does for the whole machine: it
// starts the programs of the boot manifest on their cores, carries what they
// write to the console or the host and input back, reports how they end, reads
// commands at the prompt, and ends the machine.
//
// Only the monitor imports it. It is a state machine that its owner calls with
// what has happened (Handle, Host, Input, Tick, CoreDied), one call at a time;
// it must never block, and never touches another core but by messages.
package control

import (
	"fmt"
	"time"

	"skerry/abi"
	"skerry/lib/link"
	"skerry/lib/manifest"
	"skerry/lib/stdio"
	"skerry/protocol/names"
	"skerry/service/memory/loan"
	"skerry/service/monitor/wire"
)

// How long a core may take to answer.
const (
	queryTimeout = 2 * time.Second  // a question
	spawnTimeout = 10 * time.Second // to start a program
	bootTimeout  = 60 * time.Second // either, before the core's monitor has reported
)

// portLimit is how many bytes may wait for a serial port before programs must
// wait with their output.
const portLimit = 64 << 10

// Config is what a Control needs.
type Config struct {
	Manifest *manifest.Manifest
	Greeting link.Greeting
	// Send hands a message to a core's agent. It never blocks.
	Send func(core int, m wire.Message) error
	// Console and Link are the serial ports. Link is used if the manifest
	// says so.
	Console, Link *Port
	Now           func() time.Time
	// PowerOff ends the machine.
	PowerOff func()
	// Find returns the path in the boot archive of the program that someone
	// at the prompt calls name, or an error that says why there is none.
	Find func(name string) (path string, err error)
	// Prompt starts to read commands and to hand them to Command. It is
	// called once, if the manifest asks for a prompt.
	Prompt func()
	// PromptInput takes what is typed for the prompt, once for each time that
	// PromptReads is called. It must not block.
	PromptInput func([]byte)
}

// Control is the state of the machine as core 0 knows it.
type Control struct {
	Config
	host     *link.Writer // nil without link
	cores    []core
	programs map[uint32]*program
	boot     []*program // those of the manifest
	again    []*program // of these, to be started once more
	running  int        // of the manifest's
	next     uint32     // number of the next program or request
	requests map[uint32]*request
	soonest  time.Time          // no deadline of a program or request is before it; zero: there is none
	broker   *loan.Broker       // of memory that cores lend each other
	parts    map[wire.Part]bool // of programs with several dispatchers; see between
	registry *names.Registry

	foreground  *program // has the console
	discipline  discipline
	typed       []byte // and not handed on yet
	typedCR     bool   // the last byte that came was a carriage return
	promptReads bool   // the prompt waits for input
	nextCore    int    // where the prompt runs the next program
	ending      bool   // power off when the ports have taken all
}

type core struct {
	ready bool   // its monitor has reported
	dead  string // why it is given up, or ""
}

// program is a program that someone asked for.
type program struct {
	number   uint32 // on the wire
	index    int    // in the manifest; -1 for the prompt's
	name     string
	core     int
	others   []int // cores on which it has a dispatcher besides
	domain   uint32
	ended    bool
	deadline time.Time // for Started or Failed; zero after it

	lines    bool  // to the console, marked with the core
	out, err lines // not ended yet
	notice   lines

	window int    // input that it may be sent, bytes
	wants  bool   // a line
	input  []byte // entered but not sent yet
	eof    bool   // typed
	done   func() // prompt's: what to do when it has ended

	run  int       // of the manifest's runs, from 0
	kill time.Time // when this one is to be killed; zero: not
}

// request is a question under way.
type request struct {
	core     int
	late     string // who does not answer in time, before the core's name
	deadline time.Time
	done     func(wire.Message, error)
}

// New returns a Control that has done nothing yet.
func New(c Config) *Control {
	if c.Greeting.Cores < 1 {
		c.Greeting.Cores = 1
	}
	control := &Control{
		Config:   c,
		cores:    make([]core, c.Greeting.Cores),
		programs: make(map[uint32]*program),
		requests: make(map[uint32]*request),
		parts:    make(map[wire.Part]bool),
		nextCore: 1,
	}
	control.broker = loan.NewBroker(len(control.cores), func(core int, m loan.Message) {
		if control.usable(core) == nil {
			control.Send(core, &wire.Loan{Message: m})
		}
	})
	control.registry = names.NewRegistry(control.answerNames)
	if c.Manifest.Link {
		control.host = link.NewWriter(c.Link)
	}
	c.Console.CRLF = c.Manifest.Prompt
	return control
}

// Start greets the host and starts the manifest's programs.
func (c *Control) Start() {
	if c.host != nil {
		c.sendJSON(link.Hello, c.Greeting)
	}
	for i := range c.Manifest.Programs {
		m := &c.Manifest.Programs[i]
		p := &program{index: i, name: m.Name, core: m.Core, others: m.Cores}
		p.lines = c.Manifest.Tour
		p.prefix(c.alone(i))
		c.boot = append(c.boot, p)
		c.running++
	}
	for _, p := range c.boot {
		c.start(p, c.due(p))
	}
	if c.running == 0 {
		c.allEnded()
	}
}

// start asks p's core to run m.
func (c *Control) start(p *program, m *manifest.Program) {
	c.next++
	p.number = c.next
	c.programs[p.number] = p
	spawn, err := spawnMessage(p, m)
	for _, core := range p.cores() {
		if err == nil {
			err = c.usable(core)
		}
	}
	if err == nil {
		for _, core := range p.cores() {
			if t := c.deadline(core, spawnTimeout); t.After(p.deadline) {
				p.deadline = t
			}
		}
		err = c.Send(p.core, spawn)
	}
	if err != nil {
		c.failed(p, err.Error())
		return
	}
	if !m.Stdin {
		c.send(p, &wire.StdinEOF{Program: p.number})
	}
}

// usable returns why nothing can be asked of a core.
func (c *Control) usable(core int) error {
	if core < 0 || core >= len(c.cores) {
		return fmt.Errorf("there is no core %d: this machine runs %s", core, count(len(c.cores), "core"))
	}
	if why := c.cores[core].dead; why != "" {
		return fmt.Errorf("core %d is lost: %s", core, why)
	}
	return nil
}

// deadline returns by when a core must have done what it is asked now.
func (c *Control) deadline(core int, timeout time.Duration) time.Time {
	if !c.cores[core].ready {
		timeout = bootTimeout
	}
	t := c.Now().Add(timeout)
	c.expect(t)
	return t
}

// expect takes note of a deadline; zero is none.
func (c *Control) expect(t time.Time) {
	if !t.IsZero() && (c.soonest.IsZero() || t.Before(c.soonest)) {
		c.soonest = t
	}
}

// send sends a message about p to its core, if that still makes sense.
func (c *Control) send(p *program, m wire.Message) {
	if !p.ended && c.usable(p.core) == nil {
		c.Send(p.core, m) // refuses only what is too large, which none of these are
	}
}

// Room says that the serial ports can take more output. While it is false the
// owner should hand in no messages from cores.
func (c *Control) Room() bool {
	return c.Console.Queued() < portLimit && (c.host == nil || c.Link.Queued() < 4*portLimit)
}

// Handle takes a message from a core.
func (c *Control) Handle(core int, m wire.Message) {
	switch m := m.(type) {
	case *wire.Ready:
		c.cores[core].ready = true
		c.broker.Join(core, m.Spare, m.Distances)
	case *wire.Loan:
		c.broker.Handle(core, m.Message)
	case wire.Between:
		c.between(core, m)
	case wire.Routed:
		c.route(core, m)
	case *wire.Started:
		if p := c.program(core, m.Program); p != nil {
			p.domain, p.deadline = m.Domain, time.Time{}
			c.condemn(p)
			if c.toHost(p) {
				c.frame(link.Started, p, link.AppendStarted(nil, m.Domain))
			}
		} else {
			// It was given up for lost, and came late.
			c.Send(core, &wire.Kill{Program: m.Program})
		}
	case *wire.Failed:
		if p := c.program(core, m.Program); p != nil {
			c.failed(p, m.Reason)
		}
	case *wire.Output:
		if p := c.programs[m.Program]; p != nil && p.has(core) {
			c.output(p, m.Stream, m.Data)
		}
	case *wire.Window:
		if p := c.program(core, m.Program); p != nil {
			p.window += int(m.Bytes)
			if c.toHost(p) && c.Manifest.Programs[p.index].Stdin {
				c.frame(link.Window, p, link.AppendWindow(nil, m.Bytes))
			}
			c.feed(p)
		}
	case *wire.Wanted:
		if p := c.program(core, m.Program); p != nil {
			p.wants = !p.eof
			c.handOn()
		}
	case *wire.Exit:
		if p := c.program(core, m.Program); p != nil {
			c.exited(p, m)
		}
	case *wire.CoreAnswer:
		c.answer(core, m.Request, m, nil)
	case *wire.DomainsAnswer:
		c.answer(core, m.Request, m, nil)
	case *wire.MemoryAnswer:
		c.answer(core, m.Request, m, nil)
	case *wire.ChannelsAnswer:
		c.answer(core, m.Request, m, nil)
	case *wire.ThreadsAnswer:
		c.answer(core, m.Request, m, nil)
	case *wire.Scheduled:
		c.answer(core, m.Request, m, nil)
	case *wire.Refused:
		c.answer(core, m.Request, nil, fmt.Errorf("core %d: %s", core, m.Reason))
	}
}

// program returns the program of the number on the core, nil if there is none
// (any more).
func (c *Control) program(core int, number uint32) *program {
	if p := c.programs[number]; p != nil && p.core == core {
		return p
	}
	return nil
}

// toHost says that p's output goes over the link.
func (c *Control) toHost(p *program) bool { return c.host != nil && p.index >= 0 }

// output hands on what a program wrote.
func (c *Control) output(p *program, stream uint8, data []byte) {
	switch {
	case stream == stdio.Notice:
		p.notice.write(data, func(line []byte) {
			if c.toHost(p) {
				c.frame(link.Log, p, line)
			} else {
				c.Console.Print("%s on core %d: %s\n", p.name, p.core, line)
			}
		})
	case c.toHost(p) && !p.lines:
		kind := link.Stdout
		if stream == stdio.Stderr {
			kind = link.Stderr
		}
		c.frame(kind, p, data)
	case p.lines:
		l := &p.out
		if stream == stdio.Stderr {
			l = &p.err
		}
		l.write(data, func(line []byte) { c.Console.Print("%s%s\n", l.prefix, line) })
	default:
		c.Console.Write(data)
	}
}

// flush hands on the lines that p has not ended.
func (c *Control) flush(p *program) {
	if p.out.open() {
		c.output(p, stdio.Stdout, []byte("\n"))
	}
	if p.err.open() {
		c.output(p, stdio.Stderr, []byte("\n"))
	}
	if p.notice.open() {
		c.output(p, stdio.Notice, []byte("\n"))
	}
}

// failed takes note that p could not be started.
func (c *Control) failed(p *program, reason string) {
	if c.toHost(p) {
		c.frame(link.Failed, p, []byte(reason))
	} else {
		c.Console.Print("%s was not started on core %d: %s\n", p.name, p.core, reason)
	}
	c.end(p)
}

// exited takes note that p has ended.
func (c *Control) exited(p *program, m *wire.Exit) {
	c.flush(p)
	if c.repeat(p) {
		return
	}
	if c.toHost(p) {
		c.frame(link.Exit, p, link.AppendEnd(nil, &link.End{Status: m.Status, Core: m.Core, Peak: m.Peak}))
	} else if text := EndText(&m.Status, m.Peak); text != "" {
		c.Console.Print("%s on core %d %s\n", p.name, m.Core, text)
	}
	c.end(p)
}

func (c *Control) end(p *program) {
	p.ended = true
	delete(c.programs, p.number)
	if c.foreground == p {
		c.leave()
		c.Console.EndLine()
	}
	if p.done != nil {
		p.done()
	}
	if p.index >= 0 {
		if c.running--; c.running == 0 {
			c.allEnded()
		}
	}
}

// allEnded does what the manifest wants when its programs have ended.
func (c *Control) allEnded() {
	if !c.Manifest.Summary {
		c.finish()
		return
	}
	c.gather(queryCore, func(answers []answer) {
		c.gather(queryMemory, func(memory []answer) {
			c.summary(answers, memory)
			c.finish()
		})
	})
}

func (c *Control) finish() {
	switch {
	case c.Manifest.PowerOff:
		c.powerOff()
	case c.Manifest.Prompt:
		if c.Manifest.Hint != "" {
			c.Console.Print("%s\n", c.Manifest.Hint)
		}
		c.Prompt()
	}
}

// powerOff ends the machine as soon as all is said.
func (c *Control) powerOff() {
	if c.host != nil && !c.ending {
		c.host.Write(link.Frame{Kind: link.Bye, Core: link.None, Program: link.None})
	}
	c.ending = true
}

// Flush moves what waits to the serial ports, and ends the machine if that was
// all that was left to do. It returns whether it moved anything.
func (c *Control) Flush() bool {
	progress := c.Console.Flush()
	if c.host != nil {
		progress = c.Link.Flush() || progress
	}
	if c.ending && c.Console.Queued() == 0 && (c.host == nil || c.Link.Queued() == 0) {
		c.ending = false
		c.PowerOff()
	}
	return progress
}

// Host takes a frame from the host.
func (c *Control) Host(f link.Frame) {
	if f.Kind == link.Kill && f.Program == link.None {
		for _, p := range c.boot {
			c.endRuns(p)
			c.kill(p)
		}
		return
	}
	if int(f.Program) >= len(c.boot) {
		return
	}
	p := c.boot[f.Program]
	switch f.Kind {
	case link.Kill:
		c.endRuns(p)
		c.kill(p)
	case link.Stdin:
		// More than was granted would be the host's mistake; the agent drops it.
		if c.Manifest.Programs[p.index].Stdin {
			c.send(p, &wire.Stdin{Program: p.number, Data: f.Payload})
		}
	case link.StdinEOF:
		c.send(p, &wire.StdinEOF{Program: p.number})
	}
}

// HostLost takes note that the host's frames cannot be understood any more.
func (c *Control) HostLost(err error) {
	c.Console.Print("monitor: the link to the host is lost: %v\n", err)
}

func (c *Control) kill(p *program) { c.send(p, &wire.Kill{Program: p.number}) }

// CoreDied takes note that nothing is to be expected of a core any more: its
// programs are lost, and what it was asked is answered by an error.
func (c *Control) CoreDied(core int, reason string) {
	if c.usable(core) != nil {
		return
	}
	c.cores[core].dead = reason
	c.Console.Print("core %d is lost: %s\n", core, reason)
	c.broker.Died(core)
	c.tellLost(core)
	c.partsDied(core)
	for number, r := range c.requests {
		if r.core == core {
			c.answer(core, number, nil, c.usable(core))
		}
	}
	for _, p := range c.programs {
		if p.core == core {
			c.lost(p)
		}
	}
}

// lost takes note that p ended with its core.
func (c *Control) lost(p *program) {
	c.flush(p)
	if c.toHost(p) {
		c.frame(link.Exit, p, link.AppendEnd(nil, &link.End{Status: abi.Status{Domain: p.domain, Kind: abi.ExitNone}, Core: uint32(p.core)}))
	} else {
		c.Console.Print("%s on core %d %s\n", p.name, p.core, EndText(&abi.Status{}, 0))
	}
	c.end(p)
}

// Tick takes note of the time: what is overdue fails. Where nothing can be it does
// nothing, and may be called however often.
func (c *Control) Tick() {
	if len(c.again) == 0 && c.soonest.IsZero() {
		return
	}
	now := c.Now()
	if len(c.again) == 0 && now.Before(c.soonest) && c.Room() {
		return
	}
	c.rerun(now)
	if !c.Room() {
		// Answers wait behind output that waits for the ports: no core's fault.
		for _, r := range c.requests {
			r.deadline = now.Add(queryTimeout)
		}
		for _, p := range c.programs {
			if !p.deadline.IsZero() {
				p.deadline = now.Add(spawnTimeout)
			}
		}
		return
	}
	for number, r := range c.requests {
		if !now.Before(r.deadline) {
			c.answer(r.core, number, nil, fmt.Errorf("%score %d does not answer", r.late, r.core))
		}
	}
	for _, p := range c.programs {
		if !p.deadline.IsZero() && !now.Before(p.deadline) {
			c.failed(p, fmt.Sprintf("core %d does not answer", c.silent(p)))
			if len(p.others) > 0 {
				// Its other cores must not wait for ever.
				c.Send(p.core, &wire.Kill{Program: p.number})
			}
		}
	}
}

// Deadline returns when Tick must be called next; zero when there is no need.
func (c *Control) Deadline() time.Time {
	if c.soonest.IsZero() {
		return c.soonest
	}
	c.soonest = time.Time{}
	for _, r := range c.requests {
		c.expect(r.deadline)
	}
	for _, p := range c.programs {
		c.expect(p.deadline)
		c.expect(p.kill)
	}
	return c.soonest
}

func (c *Control) frame(kind link.Kind, p *program, payload []byte) {
	c.write(link.Frame{Kind: kind, Core: uint16(p.core), Program: uint16(p.index), Payload: payload})
}

func (c *Control) sendJSON(kind link.Kind, v any) {
	payload, err := link.AppendJSON(nil, v)
	if err != nil {
		c.HostLost(err)
		return
	}
	c.write(link.Frame{Kind: kind, Core: link.None, Program: link.None, Payload: payload})
}

func (c *Control) write(f link.Frame) {
	if err := c.host.Write(f); err != nil {
		c.HostLost(err)
	}
}
