package transfer

import (
	"cmp"
	"maps"
	"slices"

	"skerry/abi/capability"
	"skerry/lib/session"
)

// Core is one core's part: it owns objects, and has imports of others'.
type Core struct {
	self   uint32
	kernel Kernel
	send   func(to uint32, m Message)
	answer Answers
	away   map[uint32]bool // cores that are lost or cut

	// What it owns and others have, and what it does with that.
	objects     map[Object]*object
	sending     map[uint32]sending // by the request in Import
	withdrawals []withdrawal
	request     uint32 // the last given to an Import

	// What it has of others.
	imports map[Object]*imported
	asks    map[uint32]uint32 // the owner asked, by request
}

// Answers take the answers to what was asked of a core, each once.
type Answers struct {
	Given     func(request uint32, err session.Error)
	Withdrawn func(request uint32, err session.Error)
}

// NewCore returns the part of core self. It speaks to other cores by send.
func NewCore(self uint32, kernel Kernel, send func(to uint32, m Message), answer Answers) *Core {
	return &Core{
		self: self, kernel: kernel, send: send, answer: answer,
		away:    map[uint32]bool{},
		objects: map[Object]*object{}, sending: map[uint32]sending{},
		imports: map[Object]*imported{}, asks: map[uint32]uint32{},
	}
}

// Give is a capability on its way.
type Give struct {
	// Request is the caller's number for it, of which none is under way twice.
	Request uint32
	Object  Object // or of a doorbell its number alone, as Base
	Core    uint32 // to which it goes
	To      uint32 // who gets it there
	Ticket  uint32
	Rights  capability.Rights // at most those of the capability that is given
}

// Give gives an object of which the caller holds a capability, until it is answered
// (Answers.Given): one of this core's to another core, or an import to any core. What
// is given away on its owner's core to a program there is its monitor's business.
//
// The answer is ErrCapability if the object is none, ErrWithdrawn if it is being
// withdrawn or has been, ErrCore if the owner or the other core is lost, or what the
// other core's kernel said. It may come before Give returns.
func (c *Core) Give(g Give) {
	if g.Object.Owner == c.self {
		c.own(g)
	} else {
		c.ask(g)
	}
}

// GiveBell gives a doorbell to another core, as Give does an object. Of doorbells no
// account is kept: all that who has one can do is wake a dispatcher, as long as there is
// one of that number. The answer is ErrCore if the other core is lost, or what its
// kernel said.
func (c *Core) GiveBell(g Give) {
	switch {
	case g.Core == c.self:
		c.answer.Given(g.Request, session.ErrArgument)
		return
	case c.away[g.Core]:
		c.answer.Given(g.Request, session.ErrCore)
		return
	}
	c.request++
	c.sending[c.request] = sending{to: g.Core, asker: c.self, askersRequest: g.Request, bell: true}
	c.send(g.Core, Message{Kind: Bell, Base: g.Object.Base, Request: c.request, To: g.To, Ticket: g.Ticket, Rights: g.Rights})
}

// bell handles Bell.
func (c *Core) bell(from uint32, m Message) {
	err := c.kernel.Bell(m.Base, Arrival{To: m.To, Ticket: m.Ticket, Rights: m.Rights})
	c.send(from, Message{Kind: Imported, Request: m.Request, Error: err})
}

// Handle takes a message from a core.
func (c *Core) Handle(from uint32, m Message) {
	owned := Object{Owner: c.self, Base: m.Base, Size: m.Size}
	theirs := Object{Owner: from, Base: m.Base, Size: m.Size}
	switch m.Kind {
	case Ask:
		c.asked(from, owned, m)
	case Imported:
		c.sent(from, m)
	case Dropped:
		c.dropped(from, owned, m.Count)
	case Removed:
		c.removed(from, owned)
	case Import:
		c.take(theirs, m)
	case Remove:
		c.remove(theirs)
	case Given:
		c.told(from, m)
	case Bell:
		c.bell(from, m)
	}
}

// Lost takes note that a core has stopped.
func (c *Core) Lost(core uint32) {
	c.away[core] = true
	c.lostImporter(core)
	c.lostOwner(core)
}

// Cut takes note that a core cannot be reached any more, though it may run. What
// it has of this core's stays pinned, and what this core has of its stays.
func (c *Core) Cut(core uint32) {
	c.away[core] = true
	c.cutSending(core)
	c.cutWithdrawals()
	c.cutAsks(core)
}

// Idle reports whether nothing is under way and nobody has anything of another
// core's.
func (c *Core) Idle() bool {
	return len(c.objects)+len(c.sending)+len(c.withdrawals)+len(c.imports)+len(c.asks) == 0
}

// sorted returns a map's keys in order: nothing may depend on that of a map.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func compare(a, b Object) int {
	return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Base, b.Base), cmp.Compare(a.Size, b.Size))
}
