package simulate

import (
	"slices"
	"testing"

	"skerry/lib/session"
	"skerry/protocol/names"
)

// TestNames has programs export, look up, wait for and watch names, and end,
// while cores stop.
func TestNames(t *testing.T) {
	var all coverage
	check(t, func(n *Network[names.Message]) System[names.Message] { return newNaming(n, &all) })
	all.require(t,
		"Export: no error", "Export: "+session.ErrTaken.Error(), "Export: "+session.ErrCore.Error(), "Export: "+session.ErrLimit.Error(),
		"Lookup: no error", "Lookup: "+session.ErrNotFound.Error(),
		"Wait: no error", "Wait: "+session.ErrCancelled.Error(), "Wait: "+session.ErrCore.Error(),
		"Watch: no error", "Watch: "+session.ErrCancelled.Error(), "Watch: no error, after a loss",
		"waits at rest", "watches at rest")
}

// naming is a system of programs that have names.
type naming struct {
	*Network[names.Message]
	broken
	count    map[string]int
	all      *coverage
	registry *names.Registry
	cores    []*namingCore
	names    []session.Name
	taken    uint32
	now      int // counts what happens
	exports  map[uint32]*export
	history  *history // nil: nobody wants one
}

type namingCore struct {
	*naming
	self     uint32
	agent    *names.Agent
	programs []uint32
	exports  []uint32 // of all programs that run, not given up
	requests map[uint32]*request
}

// export is one that a program asked for. It has the name from some time after
// asked on, and for sure since told, until some time after ended.
type export struct {
	core, program, id  uint32
	at                 session.Name
	asked, told, ended int // 0: not yet
	answered, refused  bool
	taken              bool // that is why
}

// request is a Lookup, Wait or Watch that has not been answered.
type request struct {
	program   uint32
	kind      names.Kind
	at        session.Name
	asked     int
	losses    int
	cancelled bool
}

// limit is how many exports and requests a program may have.
const limit = 5

func newNaming(n *Network[names.Message], all *coverage) *naming {
	s := &naming{Network: n, all: all, count: map[string]int{}, exports: map[uint32]*export{}}
	for _, text := range []string{"a", "b", "c"}[:1+n.Random.IntN(3)] {
		at, err := session.MakeName(text)
		if err != nil {
			panic(err)
		}
		s.names = append(s.names, at)
	}
	s.registry = names.NewRegistry(func(to uint32, m names.Message) { n.Send(0, to, m) })
	for i := range n.Cores {
		c := &namingCore{naming: s, self: i, requests: map[uint32]*request{}}
		c.agent = names.NewAgent(i, 0, limit, func(to uint32, m names.Message) { n.Send(i, to, m) },
			names.Answers{Exported: c.exported, Found: c.found, Gone: c.gone})
		c.programs = []uint32{s.number(), s.number()}
		s.cores = append(s.cores, c)
	}
	return s
}

func (s *naming) number() uint32 { s.taken++; return s.taken }

func (s *naming) losses() (n int) {
	for core := range s.Cores {
		if !s.Alive(core) {
			n++
		}
	}
	return n
}

// held reports whether an export had its name, for sure, from a time until now.
func (e *export) held(since int) bool { return e.told != 0 && e.told <= since && e.ended == 0 }

// Act does one of the things that programs do.
func (s *naming) Act(core uint32) {
	c := s.cores[core]
	program, _ := pick(s.Network, c.programs)
	at, _ := pick(s.Network, s.names)
	s.now++
	switch r := s.Random.IntN(100); {
	case r < 25:
		id := s.number()
		c.naming.exports[id] = &export{core: core, program: program, id: id, at: at, asked: s.now}
		c.exports = append(c.exports, id)
		s.Logf("core %d: program %d exports %v as %d", core, program, at, id)
		s.history.call(id, core, at, opExport, id)
		c.agent.Export(program, id, at, 1, uint64(id))
	case r < 40:
		if id, ok := pick(s.Network, c.exports); ok {
			c.unexport(id)
		}
	case r < 80:
		kind := []names.Kind{names.Lookup, names.Wait, names.Watch}[s.Random.IntN(3)]
		c.ask(program, kind, at)
	case r < 92:
		if id, ok := pick(s.Network, sortedKeys(c.requests)); ok {
			c.requests[id].cancelled = true
			s.Logf("core %d: %d is cancelled", core, id)
			c.agent.Cancel(c.requests[id].program, id)
		}
	default:
		i := s.Random.IntN(len(c.programs))
		c.end(c.programs[i])
		c.programs[i] = s.number()
	}
}

func (c *namingCore) unexport(id uint32) {
	c.exports = slices.DeleteFunc(c.exports, func(other uint32) bool { return other == id })
	e := c.naming.exports[id]
	e.ended = c.now
	c.Logf("core %d: %d is exported no more", c.self, id)
	if !e.refused {
		c.history.call(c.number(), c.self, e.at, opUnexport, id)
	}
	c.agent.Unexport(e.program, id)
}

func (c *namingCore) ask(program uint32, kind names.Kind, at session.Name) {
	id := c.number()
	c.requests[id] = &request{program: program, kind: kind, at: at, asked: c.now, losses: c.losses()}
	c.Logf("core %d: %d: program %d asks for %v of %v", c.self, id, program, kind, at)
	switch kind {
	case names.Watch:
		c.history.call(id, c.self, at, opWatch, 0)
		c.agent.Watch(program, id, at)
	default:
		c.history.call(id, c.self, at, opLookup, 0)
		c.agent.Lookup(program, id, at, kind == names.Wait)
	}
}

func (c *namingCore) end(program uint32) {
	c.Logf("core %d: program %d ends", c.self, program)
	for _, id := range slices.Clone(c.exports) {
		if e := c.naming.exports[id]; e.program == program {
			c.exports = slices.DeleteFunc(c.exports, func(other uint32) bool { return other == id })
			e.ended = c.now
			if !e.refused {
				c.history.call(c.number(), c.self, e.at, opUnexport, id)
			}
		}
	}
	for id, r := range c.requests {
		if r.program == program {
			delete(c.requests, id)
		}
	}
	c.agent.Ended(program)
}

// The answers.

func (c *namingCore) exported(program, id uint32, err session.Error) {
	c.now++
	e := c.naming.exports[id]
	c.Logf("core %d: %d is exported: %v", c.self, id, err)
	c.count["Export: "+err.Error()]++
	if e == nil || e.core != c.self || e.program != program || e.answered || !slices.Contains(c.programs, program) {
		c.breaks("core %d: export %d of program %d, %+v, is answered", c.self, id, program, e)
		return
	}
	e.answered = true
	switch err {
	case session.ErrNone:
		e.told = c.now
		c.history.answer(id, id)
		if e.ended != 0 {
			return
		}
		for _, number := range sortedKeys(c.naming.exports) {
			if o := c.naming.exports[number]; o != e && o.at == e.at && o.told != 0 && o.ended == 0 && c.Alive(o.core) {
				c.breaks("%v is exported by %d and by %d", e.at, o.id, e.id)
			}
		}
	case session.ErrTaken:
		e.taken = true
		c.history.answer(id, taken)
	case session.ErrCore:
		c.lost()
	case session.ErrLimit:
		c.history.forget(id)
	default:
		c.breaks("core %d: no reason to answer export %d so: %v", c.self, id, err)
	}
	if e.refused = err != session.ErrNone; e.refused {
		e.ended = c.now
		c.exports = slices.DeleteFunc(c.exports, func(other uint32) bool { return other == id })
	}
}

// answered takes the answer to a request, which it returns, nil if there is none.
func (c *namingCore) answered(program, id uint32, err session.Error) *request {
	c.now++
	c.Logf("core %d: %d is answered: %v", c.self, id, err)
	r := c.requests[id]
	if r == nil || r.program != program {
		c.breaks("core %d: request %d of program %d, %+v, is answered: %v", c.self, id, program, r, err)
		return nil
	}
	delete(c.requests, id)
	c.count[r.kind.String()+": "+err.Error()]++
	switch err {
	case session.ErrNone, session.ErrNotFound:
		return r
	case session.ErrCancelled:
		if !r.cancelled {
			c.breaks("core %d: %d is cancelled, but nobody has asked for that", c.self, id)
		}
	case session.ErrCore:
		c.lost()
	case session.ErrLimit:
	default:
		c.breaks("core %d: no reason to answer %d so: %v", c.self, id, err)
	}
	c.history.forget(id)
	return nil
}

// lost checks that the registry is.
func (c *namingCore) lost() {
	if c.Alive(0) {
		c.breaks("core %d is told that the registry is lost", c.self)
	}
}

func (c *namingCore) found(program, id uint32, entry names.Entry, err session.Error) {
	r := c.answered(program, id, err)
	if r == nil {
		return
	}
	if err == session.ErrNotFound {
		c.history.answer(id, nobody)
		c.notHeld(id, r)
		return
	}
	c.history.answer(id, entry.Export)
	e := c.naming.exports[entry.Export]
	switch {
	case e == nil || e.at != r.at || e.core != entry.Core || e.program != entry.Program || entry.Fingerprint != uint64(e.id):
		c.breaks("core %d: %d finds %+v, which is %+v", c.self, id, entry, e)
	case e.taken:
		c.breaks("core %d: %d finds %+v, which was refused", c.self, id, entry)
	case e.core == c.self && e.ended != 0 && e.ended < r.asked:
		c.breaks("core %d: %d finds %+v, which the same core has given up before", c.self, id, entry)
	}
}

func (c *namingCore) gone(program, id uint32, err session.Error) {
	r := c.answered(program, id, err)
	if r == nil {
		return
	}
	if c.losses() > r.losses {
		c.count["Watch: no error, after a loss"]++
	}
	c.history.answer(id, nobody)
	c.notHeld(id, r)
}

// notHeld checks that there was a time since a request when nobody had the name.
func (c *namingCore) notHeld(id uint32, r *request) {
	for _, number := range sortedKeys(c.naming.exports) {
		if e := c.naming.exports[number]; e.at == r.at && e.held(r.asked) && c.Alive(e.core) {
			c.breaks("core %d: nobody has %v, %d is told, but %d has", c.self, r.at, id, e.id)
		}
	}
}

// The rest of System.

func (s *naming) Handle(core, from uint32, m names.Message) {
	switch {
	case m.Kind == names.Answer:
		s.cores[core].agent.Handle(m)
	case core == 0:
		s.registry.Handle(from, m)
	default:
		s.breaks("core %d: %+v comes to where no registry is", core, m)
	}
}

func (s *naming) Lost(core, other uint32) {
	if core == 0 {
		s.registry.Lost(other)
	}
	s.now++
	s.cores[core].agent.Lost(other)
}

func (s *naming) Cut(core, other uint32) { s.Lost(core, other) }
func (s *naming) Settle(uint32) bool     { return false }
func (s *naming) Check() error           { return s.err }

func (s *naming) Stop(core uint32) {
	s.now++
	c := s.cores[core]
	c.requests = nil
	for _, e := range s.exports {
		if e.core == core && e.ended == 0 {
			e.ended = s.now
			if !e.refused {
				s.history.call(s.number(), core, e.at, opUnexport, e.id)
			}
		}
	}
}

// Settled checks that nobody waits but for what may yet come.
func (s *naming) Settled() error {
	holders := map[session.Name]int{}
	for _, e := range s.exports {
		if s.Alive(e.core) && !e.answered && slices.Contains(s.cores[e.core].programs, e.program) {
			s.breaks("export %d is not answered", e.id)
		}
		if e.told != 0 && e.ended == 0 {
			holders[e.at]++
		}
	}
	for _, c := range s.cores {
		if !s.Alive(c.self) {
			continue
		}
		for _, id := range sortedKeys(c.requests) {
			r := c.requests[id]
			switch {
			case !s.Alive(0), r.cancelled, r.kind == names.Lookup,
				r.kind == names.Wait && holders[r.at] > 0, r.kind == names.Watch && holders[r.at] == 0:
				s.breaks("core %d: %d, %v of %v, cancelled %v, is not answered", c.self, id, r.kind, r.at, r.cancelled)
			case r.kind == names.Wait:
				s.count["waits at rest"]++
			default:
				s.count["watches at rest"]++
			}
		}
	}
	if list, _ := s.registry.Names(); s.Alive(0) && len(list) != len(holders) {
		s.breaks("the registry has names %v, programs have %d", list, len(holders))
	}
	return s.err
}

func (s *naming) End(core uint32) {
	c := s.cores[core]
	for _, program := range c.programs {
		c.end(program)
	}
	c.programs = nil
}

func (s *naming) Empty() error {
	if s.Alive(0) && !s.registry.Idle() {
		s.breaks("the registry is not empty")
	}
	for _, c := range s.cores {
		if s.Alive(c.self) && !c.agent.Idle() {
			s.breaks("the agent of core %d is not idle", c.self)
		}
	}
	s.all.add(s.count)
	return s.err
}
