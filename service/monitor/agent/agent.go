// Package agent is what a monitor does for its own core: it starts, feeds,
// drains, ends and reaps the core's programs, and answers questions about the
// core. It does so for whoever coordinates the machine, in messages of package
// wire, and does not know whether that is in the same monitor or in another's.
//
// Only the monitor imports it. It is a state machine with the kernel below it
// (Kernel): it has no goroutine and no clock, and must never block.
package agent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"skerry/abi"
	"skerry/lib/native"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
	"skerry/service/monitor/wire"
)

// Kernel is what an agent needs of the CPU driver; see package native.
type Kernel interface {
	Spawn(name string, info []byte, stdio uintptr, quota, rights uint64) (native.Domain, error)
	Kill(native.Domain) error
	Reap() (status abi.Status, ok bool, err error)
	Notify(native.Domain) error
	CoreInfo() (abi.CoreInfo, error)
	DomainInfo(from native.Domain) (info abi.DomainInfo, ok bool, err error)
	// Frame returns abi.StdioSize bytes of page-aligned memory for good.
	Frame() (uintptr, error)
}

const (
	// inputWindow is how much input of a program is on its way or buffered
	// here at most, in bytes.
	inputWindow = 32 << 10
	// outputChunk is the most output that one message carries, in bytes, and
	// that one program may hand in before the next one's turn.
	outputChunk = 4096
	// maxDomains is the most domains that one answer lists.
	maxDomains = 256
)

// Agent looks after one core's programs.
type Agent struct {
	// Counts returns how many messages the core's monitor has sent to others
	// and received from them; nil stands for none.
	Counts func() (sent, received uint64)

	kernel Kernel
	emit   func(wire.Message)

	byProgram map[uint32]*child
	byDomain  map[native.Domain]*child
	children  []*child // by program number
	frames    []uintptr
	output    []byte // one message's worth, reused
}

// child is a program that runs, or that has ended but is not drained.
type child struct {
	program uint32
	domain  native.Domain
	frame   uintptr
	channel urpc.Channel

	input   []byte // not yet taken by the program's ring
	granted uint32 // more input that the coordinator may send
	freed   uint32 // bytes that have left input and are not granted again yet
	sent    uint32 // bytes sent to the program
	read    uint32 // of these, read by it
	eof     bool   // input ends after that
	eofSent bool

	ended  bool
	status abi.Status
}

// New returns an agent. It hands its messages to emit, whose argument is valid
// until emit returns.
func New(kernel Kernel, emit func(wire.Message)) *Agent {
	return &Agent{
		kernel:    kernel,
		emit:      emit,
		byProgram: make(map[uint32]*child),
		byDomain:  make(map[native.Domain]*child),
		output:    make([]byte, 0, outputChunk),
	}
}

// Handle does what a message to the core asks for.
func (a *Agent) Handle(m wire.Message) {
	switch m := m.(type) {
	case *wire.Spawn:
		a.spawn(m)
	case *wire.Kill:
		// Whoever has just ended by itself cannot be killed; his Exit is on
		// its way.
		if c := a.byProgram[m.Program]; c != nil && !c.ended {
			a.kernel.Kill(c.domain)
		}
	case *wire.Stdin:
		if c := a.byProgram[m.Program]; c != nil && len(m.Data) <= int(c.granted) && !c.eof {
			c.granted -= uint32(len(m.Data))
			c.input = append(c.input, m.Data...)
		}
	case *wire.StdinEOF:
		if c := a.byProgram[m.Program]; c != nil {
			c.eof = true
		}
	case *wire.QueryCore:
		if info, err := a.kernel.CoreInfo(); err != nil {
			a.emit(&wire.Refused{Request: m.Request, Reason: err.Error()})
		} else {
			answer := &wire.CoreAnswer{Request: m.Request, Info: info}
			if a.Counts != nil {
				answer.Sent, answer.Received = a.Counts()
			}
			a.emit(answer)
		}
	case *wire.QueryDomains:
		if list, err := a.domains(); err != nil {
			a.emit(&wire.Refused{Request: m.Request, Reason: err.Error()})
		} else {
			a.emit(&wire.DomainsAnswer{Request: m.Request, Domains: list})
		}
	}
}

func (a *Agent) spawn(m *wire.Spawn) {
	c, err := a.start(m)
	if err != nil {
		a.emit(&wire.Failed{Program: m.Program, Reason: err.Error()})
		return
	}
	a.byProgram[c.program], a.byDomain[c.domain] = c, c
	at, _ := slices.BinarySearchFunc(a.children, c.program, func(c *child, program uint32) int {
		return cmp.Compare(c.program, program)
	})
	a.children = slices.Insert(a.children, at, c)
	a.emit(&wire.Started{Program: c.program, Domain: uint32(c.domain)})
	a.grant(c, inputWindow)
}

func (a *Agent) start(m *wire.Spawn) (*child, error) {
	if a.byProgram[m.Program] != nil {
		return nil, fmt.Errorf("program number %d is taken", m.Program)
	}
	quota := m.Quota
	if quota == 0 {
		info, err := a.kernel.CoreInfo()
		if err != nil {
			return nil, err
		}
		quota = info.TotalPages * abi.PageSize
	}
	c := &child{program: m.Program}
	for fresh := len(a.frames) == 0; ; fresh = true {
		if fresh {
			frame, err := a.kernel.Frame()
			if err != nil {
				return nil, err
			}
			c.frame = frame
		} else {
			c.frame, a.frames = a.frames[0], a.frames[1:]
		}
		stdio.AttachSpawner(&c.channel, c.frame)
		domain, err := a.kernel.Spawn(m.Name, m.Info, c.frame, quota, m.Rights)
		if err == nil {
			c.domain = domain
			return c, nil
		}
		a.frames = slices.Insert(a.frames, 0, c.frame)
		// The kernel refuses a frame while it still takes the domain apart
		// that had it before, which goes on after that has been reaped. The
		// first frame is the one that was given back first.
		if fresh || !errors.Is(err, abi.ErrFault) {
			return nil, err
		}
	}
}

func (a *Agent) domains() ([]abi.DomainInfo, error) {
	var list []abi.DomainInfo
	for from := native.Domain(0); len(list) < maxDomains; {
		info, ok, err := a.kernel.DomainInfo(from)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		list = append(list, info)
		from = native.Domain(info.Domain) + 1
	}
	return list, nil
}

func (a *Agent) grant(c *child, bytes uint32) {
	c.granted += bytes
	a.emit(&wire.Window{Program: c.program, Bytes: bytes})
}

// Poll does what there is to do: it reaps, moves input in and output out, and
// rings whom it must. With output false it leaves the programs' output where
// it is, so that they wait; an end is then reported only when the output
// before it could be. It returns whether it has done anything.
func (a *Agent) Poll(output bool) bool {
	progress := a.reap()
	for i := 0; i < len(a.children); i++ {
		c := a.children[i]
		drained := false
		if output {
			var moved bool
			moved, drained = a.drain(c)
			progress = progress || moved
		}
		// After the drain, which brings the acknowledgements that make room.
		if a.feed(c) {
			progress = true
		}
		if c.ended {
			if drained {
				a.remove(i)
				i--
				progress = true
			}
			continue
		}
		if c.channel.NeedsDoorbell() {
			// It can only fail because the program has ended meanwhile.
			a.kernel.Notify(c.domain)
		}
	}
	return progress
}

func (a *Agent) reap() (progress bool) {
	for {
		status, ok, err := a.kernel.Reap()
		if err != nil || !ok {
			return progress
		}
		if c := a.byDomain[native.Domain(status.Domain)]; c != nil {
			c.ended, c.status = true, status
			delete(a.byDomain, c.domain)
			progress = true
		}
	}
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

// remove reports the end of the i-th child and forgets it.
func (a *Agent) remove(i int) {
	c := a.children[i]
	a.children = slices.Delete(a.children, i, i+1)
	delete(a.byProgram, c.program)
	a.frames = append(a.frames, c.frame)
	a.emit(&wire.Exit{Program: c.program, Status: c.status})
}

// Announce tells the programs that the monitor stops polling. It returns false
// when one of them has written meanwhile, which does not count with output
// false. Withdraw must follow in any case.
func (a *Agent) Announce(output bool) bool {
	for _, c := range a.children {
		if output || !c.channel.Pending() {
			if !c.channel.Announce() && output {
				return false
			}
		}
	}
	return true
}

// Withdraw takes the announcements back.
func (a *Agent) Withdraw() {
	for _, c := range a.children {
		c.channel.Withdraw()
	}
}

// Running returns how many programs have not been reported as ended.
func (a *Agent) Running() int { return len(a.children) }
