package agent

import (
	"math"
	"slices"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/session"
	"skerry/lib/urpc"
	"skerry/service/monitor/wire"
)

// What one program may have of each at a time.
const (
	maxExports  = 64
	maxRequests = 256
	maxBindings = 2048
	maxGiving   = 64
	// maxArrivals is how much may wait for the program to empty its exchange.
	maxArrivals = 256
)

// burstSession is how many messages one program's session is heard before the next
// one's turn, and mostUnsent how many may wait for its ring: then it is not heard.
const (
	burstSession = 16
	mostUnsent   = 64
)

// Session is what a domain has that is given messages.
type Session struct {
	Mount uint32 // slot of the monitor's L1 CNode for the exchange
	// Ring, Sleep and Hints are the frames at abi.SessionBase, and Address is where
	// the first of them is in the monitor.
	Ring, Sleep, Hints Frame
	Address            uintptr
}

// conversation is a program's session.
type conversation struct {
	*Session
	child   *child // nil when it has ended
	channel urpc.Channel
	unsent  []unsent
	told    int                     // messages that there were for the program
	names   [capability.L2Slots]int // by slot of the exchange: the last of these that named it, or reserved

	requests map[uint32]*request // not answered, by the program's number
	ends     map[uint32]*end     // that it may have
	records  int                 // ends that there are, which it may have left
	arrivals []*arrival
	// Capabilities that go to other cores, and are withdrawn from there.
	giving, withdrawing int
}

// reserved says that a slot is not to be used even when the program has received what named it: it
// is to put something there itself.
const reserved = math.MaxInt

type unsent struct {
	kind    uint8
	size    int
	payload [urpc.PayloadSize]byte
}

// arrival is something that waits for empty slots of the exchange, one after
// another.
type arrival struct {
	slots int
	// place fills them, from the first on, and reports false if it is too early.
	place func(slot uint32) bool
	end   *end // which it is for
}

// makeSession makes what a domain's session needs, before it is built.
func (a *Agent) makeSession(c *child) error {
	if c.domain.Grants&wire.GrantMessages == 0 || c.part != nil {
		return nil
	}
	s := new(Session)
	c.domain.Session = s
	var ok bool
	if s.Mount, ok = a.mounts.take(); !ok {
		return errTooMany
	}
	var err error
	if s.Ring, err = a.newFrame(c, abi.SessionRing); err != nil {
		return err
	}
	if s.Sleep, err = a.newFrame(c, abi.PageSize); err != nil {
		return err
	}
	if s.Hints, err = a.newFrame(c, abi.PageSize); err != nil {
		return err
	}
	if s.Address, err = a.kernel.View(&s.Ring); err != nil {
		return err
	}
	c.session = &conversation{
		Session: s, child: c, requests: make(map[uint32]*request), ends: make(map[uint32]*end),
	}
	session.AttachMonitor(&c.session.channel, s.Address)
	return nil
}

// leave ends a program's session: what peers still use of it goes when they have
// closed what they have.
func (a *Agent) leave(c *child) {
	d := c.domain.Session
	if d == nil {
		return
	}
	for _, f := range []*Frame{&d.Ring, &d.Sleep, &d.Hints} {
		a.disown(c, f)
	}
	v := c.session
	if v == nil {
		a.freeSession(d)
		return
	}
	v.child, v.channel = nil, urpc.Channel{} // its frame may go at once
	clear(v.requests)
	v.arrivals = nil
	for _, e := range a.ends {
		if e.v == v {
			a.disown(c, &e.frame)
			e.leaves()
			e.request = nil
		}
	}
	a.names.Ended(c.program)
	a.bindings.Ended(c.program)
	a.ended(v)
}

// ended frees a session of a program that has ended when nobody uses it any more.
func (a *Agent) ended(v *conversation) {
	if v.child == nil && v.records == 0 {
		a.freeSession(v.Session)
	}
}

func (a *Agent) freeSession(s *Session) {
	if s.Address != 0 {
		a.kernel.Unview(s.Address, s.Ring.Size)
		s.Address = 0
	}
	for _, f := range []*Frame{&s.Ring, &s.Sleep, &s.Hints} {
		a.freeFrame(f)
	}
}

// tell sends a message to the program, now or when there is room.
func (v *conversation) tell(kind uint8, m any) {
	if v.child == nil {
		return
	}
	u := unsent{kind: kind}
	u.size = session.Put(&u.payload, m)
	v.told++
	v.unsent = append(v.unsent, u)
	v.flush()
}

// tellOf is tell of a message that names slots of the exchange.
func (v *conversation) tellOf(first uint8, slots int, kind uint8, m any) {
	for i := range slots {
		v.names[int(first)+i] = v.told + 1
	}
	v.tell(kind, m)
}

// received returns how many messages the program is known to have received: it says so for
// several at once.
func (v *conversation) received() int {
	unread := urpc.Slots(abi.SessionRing) - v.channel.Free()
	return v.told - len(v.unsent) - unread
}

// flush sends what there is room for.
func (v *conversation) flush() (progress bool) {
	n := 0
	for n < len(v.unsent) && v.channel.Send(v.unsent[n].kind, v.unsent[n].payload[:v.unsent[n].size]) {
		n++
	}
	v.unsent = append(v.unsent[:0], v.unsent[n:]...)
	return n > 0
}

// converse hears what a program has to say, puts into its exchange what has come,
// and tells it what it has not been told.
func (a *Agent) converse(v *conversation) (progress bool) {
	if v == nil {
		return false
	}
	var slot [urpc.PayloadSize]byte
	for range burstSession {
		if !v.heard() {
			break
		}
		kind, n, ok := v.channel.Receive(&slot)
		if !ok {
			break
		}
		a.hear(v, kind, slot[:], n)
		progress = true
	}
	if progress || a.roomy {
		progress = a.deliver(v) || progress
	}
	return v.flush() || progress
}

// announce tells the program that the monitor stops polling. It returns false when
// there is something to do.
func (v *conversation) announce() bool {
	if !v.heard() {
		// It waits for room alone: what the program says is for when there is.
		return v.channel.Sender().Announce()
	}
	return v.channel.Announce()
}

// heard reports whether the program is heard, which it is not while it does not read
// what it is told.
func (v *conversation) heard() bool { return len(v.unsent) < mostUnsent }

// hear does what a program's message asks for; one that is none is dropped.
func (a *Agent) hear(v *conversation, kind uint8, b []byte, n int) {
	switch kind {
	case session.KindExport:
		hear(v, b, n, a.export)
	case session.KindUnexport:
		hear(v, b, n, a.unexport)
	case session.KindLookup:
		hear(v, b, n, a.lookup)
	case session.KindWatch:
		hear(v, b, n, a.watch)
	case session.KindCancel:
		hear(v, b, n, a.cancel)
	case session.KindBind:
		hear(v, b, n, a.bind)
	case session.KindAnswer:
		hear(v, b, n, a.decide)
	case session.KindClose:
		hear(v, b, n, a.closed)
	case session.KindGive:
		hear(v, b, n, a.give)
	case session.KindWithdraw:
		hear(v, b, n, a.withdraw)
	}
}

func hear[M any](v *conversation, b []byte, n int, do func(*conversation, *M)) {
	m := new(M)
	if session.Get(b, n, m) {
		do(v, m)
	}
}

// deliver puts into the exchange what there is room for, in order.
func (a *Agent) deliver(v *conversation) (progress bool) {
	for len(v.arrivals) > 0 {
		w := v.arrivals[0]
		slot, ok := a.vacancy(v, w.slots)
		if !ok {
			break
		}
		v.arrivals = v.arrivals[1:] // placing it may end the binding
		if !w.place(slot) {
			v.arrivals = slices.Insert(v.arrivals, 0, w)
			break
		}
		progress = true
	}
	return progress
}

// vacancy finds slots of the exchange, one after another, that can be filled. They are empty,
// and not because something was withdrawn of which the program has yet to hear: it has
// received a message after the one that named them; nor because it is to put something there. So as long as it takes what comes, there
// is room: of the last messages that it has received it keeps to itself a quarter of a ring.
func (a *Agent) vacancy(v *conversation, slots int) (first uint32, ok bool) {
	run, received := 0, v.received()
	for slot := uint32(capability.ExchangeIn); slot < capability.L2Slots; slot++ {
		if n := v.names[slot]; n != 0 && n >= received {
			run = 0
			continue
		}
		if d, err := a.kernel.Look(v.Mount, slot); err != nil || d.Type != capability.Null {
			run = 0
			continue
		}
		if run++; run == slots {
			return slot + 1 - uint32(slots), true
		}
	}
	return 0, false
}

// crowded reports whether anything waits for a program to empty its exchange.
func (a *Agent) crowded() bool {
	for _, c := range a.children {
		if c.session != nil && len(c.session.arrivals) > 0 {
			return true
		}
	}
	return false
}
