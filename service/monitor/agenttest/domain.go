package agenttest

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/stdio"
	"skerry/lib/supply"
	"skerry/lib/urpc"
	"skerry/service/monitor/agent"
)

// Domain is a program that was built.
type Domain struct {
	agent.Domain
	Args []string

	Input []byte // received so far
	EOF   bool   // of the input
	State any    // the program's own
	Given []supply.Piece
	Kept  []*Slot // capabilities that it has taken from its exchange

	// Threads is what it answers when it is asked for them, unless it is Deaf.
	Threads []supply.Thread
	Deaf    bool
	// Weight and Reservation are how it is scheduled.
	Weight      uint64
	Reservation [3]uint64

	// Broken makes the domain's dispatcher unknown to the monitor, Obstinate
	// its slots for memory be taken.
	Broken, Obstinate bool

	received uint32 // bytes of input
	wanted   bool   // since the last came

	kernel  *Kernel
	channel urpc.Channel
	supply  urpc.Channel
	session urpc.Channel
	spoke   bool // to its monitor, since it last ran
	step    func(*Domain)
	output  []output
	memory  map[uint32]capability.Reference
	peers   []uint32          // doorbells
	frames  map[uint32]uint64 // imported, by number: where they are

	reserved uint64 // millionths of the core
	state    uint32
	status   *abi.Status
}

type output struct {
	stream uint8
	data   []byte
}

// Write queues output of the program.
func (d *Domain) Write(stream uint8, data string) {
	if data != "" {
		d.output = append(d.output, output{stream, []byte(data)})
	}
}

// Want says that the program has read all its input and waits for more.
func (d *Domain) Want() {
	if d.wanted || d.EOF {
		return
	}
	var count [stdio.CountSize]byte
	stdio.PutCount(&count, d.received)
	d.wanted = true
	d.Write(stdio.Wanted, string(count[:]))
}

// Ask asks for memory.
func (d *Domain) Ask(number uint32, size uint64) { d.say(supply.Want, number, size) }

// AskFrame asks for memory that all dispatchers can map.
func (d *Domain) AskFrame(number uint32, size uint64) { d.say(supply.WantFrame, number, size) }

// Frames returns where the frames of home's are that the domain has been given.
func (d *Domain) Frames() map[uint32]uint64 { return d.frames }

// GiveBack gives memory back.
func (d *Domain) GiveBack(number uint32) { d.say(supply.Back, number, 0) }

// Sleep says that the program waits until it is rung.
func (d *Domain) Sleep() {
	d.channel.Announce()
	d.supply.Announce()
	d.session.Announce()
}

func (d *Domain) say(kind uint8, number uint32, size uint64) {
	var b [supply.PieceSize]byte
	(&supply.Piece{Number: number, Size: size}).Put(&b)
	d.supply.Send(kind, b[:])
}

// Exit ends the program when all its output is in the channel.
func (d *Domain) Exit(kind uint32, code uint64) {
	d.status = &abi.Status{Domain: d.Number, Kind: kind, Code: code}
}

// run lets the program do something, if it runs.
func (d *Domain) run() (progress bool) {
	if d.state != abi.DomainReady {
		return false
	}
	d.channel.Withdraw()
	d.supply.Withdraw()
	d.session.Withdraw()
	var slot [urpc.PayloadSize]byte
	for {
		kind, n, ok := d.channel.Receive(&slot)
		if !ok {
			break
		}
		progress = true
		switch kind {
		case stdio.Stdin:
			d.Input = append(d.Input, slot[:n]...)
			d.received += uint32(n)
			d.wanted = false
		case stdio.StdinEOF:
			d.EOF = true
		}
	}
	for {
		kind, n, ok := d.supply.Receive(&slot)
		if !ok {
			break
		}
		progress = true
		var p supply.Piece
		var l supply.Listing
		switch {
		case kind == supply.Given && p.Get(slot[:], n):
			d.Given = append(d.Given, p)
		case kind == supply.List && l.Get(slot[:], n) && !d.Deaf:
			d.list(l)
		}
	}
	if d.status == nil {
		d.step(d)
		progress = progress || d.spoke || d.status != nil
	}
	d.spoke = false
	for len(d.output) > 0 {
		p := &d.output[0]
		n := min(len(p.data), urpc.PayloadSize)
		if !d.channel.Send(p.stream, p.data[:n]) {
			break
		}
		progress = true
		if p.data = p.data[n:]; len(p.data) == 0 {
			d.output = d.output[1:]
		}
	}
	d.channel.NeedsDoorbell()
	d.session.NeedsDoorbell()
	if d.status != nil && len(d.output) == 0 {
		d.End(*d.status)
		progress = true
	}
	return progress
}

// list answers a question for threads.
func (d *Domain) list(l supply.Listing) {
	for range supply.ListMost {
		if int(l.Next) == len(d.Threads) {
			break
		}
		var b [supply.ThreadSize]byte
		t := d.Threads[l.Next]
		t.Query = l.Query
		t.Put(&b)
		d.supply.Send(supply.ThreadIs, b[:])
		l.Next++
	}
	if int(l.Next) == len(d.Threads) {
		l.Next = 0
	}
	var b [supply.ListingSize]byte
	l.Put(&b)
	d.supply.Send(supply.Listed, b[:])
}

// Peers returns the doorbells of all dispatchers of the program, or nil if the
// domain has none.
func (d *Domain) Peers() []uint32 { return d.peers }

// End ends the program at once.
func (d *Domain) End(status abi.Status) {
	d.status, d.state, d.kernel.rung = &status, abi.DomainEnded, true
}
