package simulate

import (
	"slices"
	"testing"

	"skerry/lib/session"
	"skerry/protocol/binding"
)

// TestBinding has programs bind to others, cancel, refuse, close and end, while cores
// stop.
func TestBinding(t *testing.T) {
	var all coverage
	check(t, func(n *Network[bindingMessage]) System[bindingMessage] { return newBindings(n, &all) })
	all.require(t,
		"bound: no error", "bound: "+session.ErrRefused.Error(), "bound: "+session.ErrCancelled.Error(),
		"bound: "+session.ErrDied.Error(), "bound: "+session.ErrCore.Error(), "bound: "+session.ErrNotFound.Error(),
		"bound: "+session.ErrMemory.Error(), "bound to the same core", "offers withdrawn",
		"client gone: no error", "client gone: "+session.ErrDied.Error(), "client gone: "+session.ErrCore.Error(),
		"exporter gone: no error", "exporter gone: "+session.ErrDied.Error(), "exporter gone: "+session.ErrCore.Error(),
		"both ends closed at once")
}

// gift is what a core gives to a binding: a frame, by its number.
type gift uint32

type bindingMessage = binding.Message[gift]

// bindings is a system of programs that are bound to each other.
type bindings struct {
	*Network[bindingMessage]
	broken
	count map[string]int
	all   *coverage
	cores []*bindingCore
	gifts []*frameGiven
	pairs map[binding.ID]*pair
	order []binding.ID
	taken uint32
}

// frameGiven is what a core has given.
type frameGiven struct {
	core    uint32
	freed   bool
	imports map[uint32]bool // cores
}

type bindingCore struct {
	*bindings
	self     uint32
	machine  *binding.Core[gift]
	programs []uint32
	removing []binding.End
}

// pair is what has come of a Bind.
type pair struct {
	ends [2]endOf
	// told is what Bind was answered.
	bound    bool
	told     session.Error
	canceled bool
}

// endOf is one side of a pair.
type endOf struct {
	core, program uint32
	life          life
	why           session.Error // what ended it
	gone          int           // how often it was told that the other is gone
	gave          gift          // 0: nothing
	took          gift
	freed         bool
}

type life uint8

const (
	unborn life = iota
	waiting
	living
	dead
)

func newBindings(n *Network[bindingMessage], all *coverage) *bindings {
	s := &bindings{Network: n, all: all, count: map[string]int{}, pairs: map[binding.ID]*pair{}, gifts: []*frameGiven{nil}}
	for i := range n.Cores {
		c := &bindingCore{bindings: s, self: i}
		c.machine = binding.NewCore[gift](i, c, func(to uint32, m bindingMessage) { n.Send(i, to, m) })
		c.programs = []uint32{s.number(), s.number()}
		s.cores = append(s.cores, c)
	}
	return s
}

func (s *bindings) number() uint32 { s.taken++; return s.taken }

// make makes a frame for a core to give.
func (s *bindings) make(core uint32) gift {
	s.gifts = append(s.gifts, &frameGiven{core: core, imports: map[uint32]bool{}})
	return gift(len(s.gifts) - 1)
}

// ends returns the ends on a core of which something is so.
func (c *bindingCore) ends(is func(p *pair, e *endOf) bool) (list []binding.End) {
	for _, id := range c.order {
		p := c.pairs[id]
		for side := range p.ends {
			if e := &p.ends[side]; e.core == c.self && is(p, e) {
				list = append(list, binding.End{ID: id, Side: binding.Side(side)})
			}
		}
	}
	return list
}

func (s *bindings) end(e binding.End) (p *pair, own, other *endOf) {
	p = s.pairs[e.ID]
	return p, &p.ends[e.Side], &p.ends[1-e.Side]
}

// Act does one of the things that programs and kernels do.
func (s *bindings) Act(core uint32) {
	c := s.cores[core]
	switch r := s.Random.IntN(100); {
	case r < 30:
		c.bind()
	case r < 40:
		list := c.ends(func(p *pair, e *endOf) bool { return e == &p.ends[binding.Client] && e.life == waiting })
		if e, ok := pick(s.Network, list); ok {
			s.Logf("core %d: %v is cancelled", core, e.ID)
			p, own, _ := s.end(e)
			p.canceled = true
			c.machine.Cancel(e.ID)
			if own.life != dead {
				s.breaks("core %d: %v is cancelled, and waits", core, e.ID)
			}
		}
	case r < 65:
		c.decide()
	case r < 80:
		if e, ok := pick(s.Network, c.ends(func(_ *pair, e *endOf) bool { return e.life == living })); ok {
			c.close(e, session.ErrNone)
		}
	case r < 95:
		c.remove()
	default:
		i := s.Random.IntN(len(c.programs))
		c.die(c.programs[i])
		c.programs[i] = s.number()
	}
}

func (c *bindingCore) bind() {
	program, _ := pick(c.Network, c.programs)
	to := c.cores[c.Random.Uint32N(c.Cores)]
	exporter, _ := pick(c.Network, to.programs)
	d := c.make(c.self)
	id, err := c.machine.Bind(program, to.self, binding.Export{Program: exporter, Export: exporter}, d)
	c.Logf("core %d: %v: program %d binds to %d on core %d and gives %d: %v", c.self, id, program, exporter, to.self, d, err)
	if err != session.ErrNone {
		if err != session.ErrCore || c.Hears(c.self, to.self) {
			c.breaks("core %d: no reason to refuse a binding to core %d so: %v", c.self, to.self, err)
		}
		return
	}
	if c.pairs[id] != nil {
		c.breaks("core %d: %v is there twice", c.self, id)
	}
	c.order = append(c.order, id)
	c.pairs[id] = &pair{ends: [2]endOf{
		{core: c.self, program: program, life: waiting, gave: d},
		{core: to.self, program: exporter},
	}}
}

// decide has an exporter answer an offer.
func (c *bindingCore) decide() bool {
	e, ok := pick(c.Network, c.ends(func(p *pair, e *endOf) bool { return e == &p.ends[binding.Exporter] && e.life == waiting }))
	if !ok {
		return false
	}
	_, own, other := c.end(e)
	if own.gone > 0 {
		c.count["offers withdrawn"]++
	}
	if c.Chance(30) {
		c.close(e, []session.Error{session.ErrRefused, session.ErrNone, session.ErrLimit}[c.Random.IntN(3)])
		return true
	}
	own.life, own.gave = living, c.make(c.self)
	c.Logf("core %d: %v is accepted, and given %d", c.self, e.ID, own.gave)
	if !c.machine.Accept(e.ID, own.gave) {
		c.breaks("core %d: %v cannot be accepted", c.self, e.ID)
	}
	if other.core == c.self {
		c.count["bound to the same core"]++
	}
	return true
}

// close has a program close its end.
func (c *bindingCore) close(e binding.End, why session.Error) {
	_, own, other := c.end(e)
	c.Logf("core %d: %v is closed: %v", c.self, e, why)
	if why == session.ErrNone && own.life == waiting {
		own.why = session.ErrRefused
	} else {
		own.why = why
	}
	if other.life == dead && own.gone == 0 {
		c.count["both ends closed at once"]++
	}
	own.life = dead
	c.machine.Close(e, why)
}

// die ends a program.
func (c *bindingCore) die(program uint32) {
	c.Logf("core %d: program %d ends", c.self, program)
	for _, e := range c.ends(func(_ *pair, e *endOf) bool {
		return e.program == program && (e.life == waiting || e.life == living)
	}) {
		_, own, _ := c.end(e)
		own.life, own.why = dead, session.ErrDied
	}
	c.machine.Ended(program)
}

// remove has the kernel finish one removal that it has begun.
func (c *bindingCore) remove() bool {
	e, ok := pick(c.Network, c.removing)
	if !ok {
		return false
	}
	c.removing = slices.DeleteFunc(c.removing, func(other binding.End) bool { return other == e })
	c.letGo(e)
	c.Logf("core %d: what %v had is removed", c.self, e)
	c.machine.Removed(e)
	return true
}

// The monitor.

// take imports what the other core gives.
func (c *bindingCore) take(e binding.End, d gift) session.Error {
	_, own, other := c.end(e)
	f := c.gifts[d]
	if other.gave != d || f.freed || own.took != 0 {
		c.breaks("core %d: %v is given %d, %+v", c.self, e, d, f)
	}
	if c.Chance(5) {
		return session.ErrMemory
	}
	own.took = d
	f.imports[c.self] = true
	return session.ErrNone
}

func (c *bindingCore) letGo(e binding.End) {
	_, own, _ := c.end(e)
	if own.took == 0 || !c.gifts[own.took].imports[c.self] {
		c.breaks("core %d: %v has nothing to remove", c.self, e)
		return
	}
	delete(c.gifts[own.took].imports, c.self)
}

func (c *bindingCore) Offered(id binding.ID, to binding.Export, d gift) session.Error {
	e := binding.End{ID: id, Side: binding.Exporter}
	p, own, _ := c.end(e)
	switch {
	case p == nil || own.life != unborn || own.program != to.Program || own.core != c.self:
		c.breaks("core %d: %v is offered, which is %+v", c.self, id, own)
	case !slices.Contains(c.programs, to.Program):
		return session.ErrNotFound
	}
	if err := c.take(e, d); err != session.ErrNone {
		return err
	}
	own.life = waiting
	return session.ErrNone
}

func (c *bindingCore) Accepted(id binding.ID, d gift) session.Error {
	_, own, _ := c.end(binding.End{ID: id})
	if own.life != waiting {
		c.breaks("core %d: %v, which is accepted, is %+v", c.self, id, own)
	}
	return c.take(binding.End{ID: id}, d)
}

func (c *bindingCore) Bound(id binding.ID, err session.Error) {
	p, own, other := c.end(binding.End{ID: id})
	c.Logf("core %d: %v is bound: %v", c.self, id, err)
	c.count["bound: "+err.Error()]++
	ok := true
	switch err {
	case session.ErrNone:
		ok = own.took == other.gave && own.took != 0
	case session.ErrCancelled:
		ok = p.canceled
	case session.ErrCore:
		ok = !c.Hears(c.self, other.core)
	case session.ErrRefused, session.ErrLimit, session.ErrDied:
		ok = other.life == dead && other.why == err
	case session.ErrNotFound:
		ok = other.life == unborn && !slices.Contains(c.cores[other.core].programs, other.program)
	case session.ErrMemory:
	default:
		ok = false
	}
	if p.bound || own.life != waiting || !ok {
		c.breaks("core %d: no reason to answer %v so: %v", c.self, id, err)
	}
	p.bound, p.told = true, err
	if own.life = living; err != session.ErrNone {
		own.life, own.why = dead, err
	}
}

func (c *bindingCore) Gone(e binding.End, err session.Error) {
	p, own, other := c.end(e)
	c.Logf("core %d: the other end of %v is gone: %v", c.self, e, err)
	c.count[[]string{"client gone: ", "exporter gone: "}[e.Side]+err.Error()]++
	own.gone++
	ok := other.life == dead && other.why == err
	if err == session.ErrCore {
		ok = !c.Hears(c.self, other.core)
	}
	if own.life != living && !(own.life == waiting && own == &p.ends[binding.Exporter]) || own.gone > 1 || !ok {
		c.breaks("core %d: no reason to tell %v, %+v, that the other, %+v, is gone: %v", c.self, e, own, other, err)
	}
}

func (c *bindingCore) Remove(e binding.End) bool {
	if slices.Contains(c.removing, e) {
		c.breaks("core %d: what %v has is removed twice", c.self, e)
	}
	if c.Chance(50) {
		c.removing = append(c.removing, e)
		return false
	}
	c.letGo(e)
	return true
}

func (c *bindingCore) Free(e binding.End) {
	_, own, other := c.end(e)
	c.Logf("core %d: what was given to %v is freed", c.self, e)
	if own.freed || own.core != c.self || own.life != dead || own.took != 0 && c.gifts[own.took].imports[c.self] {
		c.breaks("core %d: %v, which is %+v, is freed", c.self, e, own)
	}
	own.freed = true
	if own.gave != 0 {
		f := c.gifts[own.gave]
		if f.freed || c.Alive(other.core) && f.imports[other.core] {
			c.breaks("core %d: %d, given to %v, is freed, %+v", c.self, own.gave, e, f)
		}
		f.freed = true
	}
}

// The rest of System.

func (s *bindings) Handle(core, from uint32, m bindingMessage) { s.cores[core].machine.Handle(from, m) }
func (s *bindings) Lost(core, other uint32)                    { s.cores[core].machine.Lost(other) }
func (s *bindings) Cut(core, other uint32)                     { s.cores[core].machine.Cut(other) }

func (s *bindings) Stop(core uint32) {
	for _, e := range s.cores[core].ends(func(_ *pair, e *endOf) bool { return e.life == waiting || e.life == living }) {
		_, own, _ := s.end(e)
		own.life = dead
	}
}

// Settle answers offers, closes ends whose other end is gone, and removes.
func (s *bindings) Settle(core uint32) bool {
	c := s.cores[core]
	if c.remove() || c.decide() {
		return true
	}
	e, ok := pick(s.Network, c.ends(func(_ *pair, e *endOf) bool { return e.life == living && e.gone > 0 }))
	if ok {
		c.close(e, session.ErrNone)
	}
	return ok
}

// Check has nothing to check: Free checks that nobody has what is freed, and take
// that it is not freed.
func (s *bindings) Check() error { return s.err }

// Settled checks that every Bind has been answered, and that an end lives only
// while the other does.
func (s *bindings) Settled() error {
	for _, id := range s.order {
		p := s.pairs[id]
		for side := range p.ends {
			own, other := &p.ends[side], &p.ends[1-side]
			if own.life == waiting || own.life == living && other.life != living {
				s.breaks("%v is at rest with %+v and %+v", id, p.ends[0], p.ends[1])
			}
		}
	}
	return s.err
}

func (s *bindings) End(core uint32) {
	c := s.cores[core]
	for _, program := range c.programs {
		c.die(program)
	}
	c.programs = nil
}

// Empty checks that all that was given is free, but for what cores may have
// that cannot be reached.
func (s *bindings) Empty() error {
	for _, id := range s.order {
		p := s.pairs[id]
		for side := range p.ends {
			e, other := &p.ends[side], &p.ends[1-side]
			if s.Alive(e.core) && e.gave != 0 && !e.freed && (s.Hears(e.core, other.core) || !s.Star) {
				s.breaks("what core %d gave to %v is never freed", e.core, id)
			}
		}
	}
	for _, c := range s.cores {
		if s.Alive(c.self) && (!s.Star || s.Alive(0)) && !c.machine.Idle() {
			s.breaks("core %d is not idle", c.self)
		}
	}
	s.all.add(s.count)
	return s.err
}
