package simulate

import (
	"cmp"
	"slices"
	"testing"

	"skerry/abi/capability"
	"skerry/lib/session"
	"skerry/protocol/transfer"
)

// TestTransfer gives and withdraws frames while programs copy and delete what they have,
// give it on, revoke what they own and end, and cores stop.
func TestTransfer(t *testing.T) {
	var all coverage
	check(t, func(n *Network[transfer.Message]) System[transfer.Message] { return newTransfers(n, &all) })
	all.require(t,
		"own given: no error", "import given: no error, to a third core", "import given: no error, to its owner",
		"import given: no error, to its own core",
		"own given: "+session.ErrWithdrawn.Error(), "import given: "+session.ErrWithdrawn.Error(),
		"own given: "+session.ErrCore.Error(), "import given: "+session.ErrCore.Error(),
		"own given: "+session.ErrMemory.Error(), "import given: "+session.ErrMemory.Error(),
		"withdrawn: no error", "withdrawn: "+session.ErrCore.Error(), "withdrawn: no error, after a loss",
		"revoked", "revocation refused", "place used again", "pinned with more rights", "copied", "nothing left",
		"bell given: no error", "bell given: "+session.ErrCore.Error(), "bell given: "+session.ErrMemory.Error())
}

// transfers is a system of cores whose programs have frames.
type transfers struct {
	*Network[transfer.Message]
	broken
	count map[string]int
	all   *coverage
	cores []*transferCore
	gives map[ticket]*given // all that ever were
	taken uint32            // the last number of a program, request or ticket
	used  map[place]bool    // where a frame has been
}

type ticket uint32

type place struct {
	core       uint32
	base, size uint64
}

// given is a Give, and what may come of it.
type given struct {
	core, to, number uint32
	frame            *frame
	rights           capability.Rights // at most those of what is given
	imported         bool              // what is given is an import
	bell             uint64            // or a doorbell; then frame is nil
	answered         bool
	arrived          bool
	// excused tells that since it was given what it gives has been withdrawn, at
	// some time.
	excused bool
}

// frame is one, for the time from when it is made until it is gone.
type frame struct {
	place
	alive bool
	pins  []capability.Rights // of the capabilities it is pinned with; none: it is not
}

const allRights = capability.RightRead | capability.RightWrite | capability.RightGrant

// units is the memory of a core; frames are parts of it.
const units = 4

type transferCore struct {
	*transfers
	self        uint32
	machine     *transfer.Core
	programs    []uint32
	frames      []*frame
	have        []*holding
	removing    []transfer.Object
	withdrawals []*withdrawing
}

// holding is a capability that somebody on a core has: a program, or, when by is 0,
// the monitor, which has taken it from one to give it away.
type holding struct {
	frame   *frame
	rights  capability.Rights
	by      uint32
	request uint32 // of the Give
}

type withdrawing struct {
	request    uint32
	base, size uint64
	answered   bool
	failed     bool
	losses     int // of cores, before it began
}

func newTransfers(n *Network[transfer.Message], all *coverage) *transfers {
	s := &transfers{Network: n, all: all, count: map[string]int{}, gives: map[ticket]*given{}, used: map[place]bool{}}
	for i := range n.Cores {
		c := &transferCore{transfers: s, self: i}
		c.machine = transfer.NewCore(i, c,
			func(to uint32, m transfer.Message) { n.Send(i, to, m) },
			transfer.Answers{Given: c.given, Withdrawn: c.withdrawn})
		c.programs = []uint32{s.number(), s.number()}
		s.cores = append(s.cores, c)
	}
	return s
}

func (s *transfers) number() uint32 { s.taken++; return s.taken }

func (f *frame) object() transfer.Object {
	return transfer.Object{Owner: f.core, Base: f.base, Size: f.size}
}

func (f *frame) pinned() bool { return len(f.pins) > 0 }

func (f *frame) within(base, size uint64) bool { return f.base < base+size && base < f.base+f.size }

// at returns the frame that lies at a place now, or nil.
func (s *transfers) at(o transfer.Object) *frame {
	for _, f := range s.cores[o.Owner].frames {
		if f.object() == o {
			return f
		}
	}
	return nil
}

// Act does one of the things that programs and kernels do.
func (s *transfers) Act(core uint32) {
	c := s.cores[core]
	switch r := s.Random.IntN(100); {
	case r < 15:
		c.create()
	case r < 60:
		c.give()
	case r < 70:
		c.revoke()
	case r < 72:
		c.copy()
	case r < 75:
		c.giveBell()
	case r < 85:
		if h, ok := pick(s.Network, c.have); ok && h.by != 0 {
			s.Logf("core %d: program %d deletes %v", core, h.by, h.frame.object())
			c.drop(h)
		}
	case r < 91:
		c.remove()
	case r < 96:
		c.sweep()
	default:
		i := s.Random.IntN(len(c.programs))
		c.end(c.programs[i])
		c.programs[i] = s.number()
	}
}

// create makes a frame somewhere, which may overlap others but lie at no other's
// place.
func (c *transferCore) create() {
	size := 1 + c.Random.Uint64N(2)
	at := place{c.self, c.Random.Uint64N(units - size + 1), size}
	if c.at((&frame{place: at}).object()) != nil {
		return
	}
	if c.used[at] {
		c.count["place used again"]++
	}
	c.used[at] = true
	f := &frame{place: at, alive: true}
	c.frames = append(c.frames, f)
	by, _ := pick(c.Network, c.programs)
	c.have = append(c.have, &holding{frame: f, rights: allRights, by: by})
	c.Logf("core %d: program %d has frame %v", c.self, by, f.object())
}

// some returns some of a set of rights, right Grant mostly among them.
func (c *transferCore) some(of capability.Rights) capability.Rights {
	rights := of & capability.Rights(c.Random.Uint32())
	if c.Chance(80) {
		rights |= of & capability.RightGrant
	}
	return rights
}

// copy has a program copy what it has, for itself or for another one on its core: of
// that no monitor hears.
func (c *transferCore) copy() {
	h, ok := pick(c.Network, c.have)
	if !ok || h.by == 0 || h.rights&capability.RightGrant == 0 || len(c.have) > 20 {
		return
	}
	by, _ := pick(c.Network, c.programs)
	c.Logf("core %d: program %d gets a copy of %v from %d", c.self, by, h.frame.object(), h.by)
	c.count["copied"]++
	c.have = append(c.have, &holding{frame: h.frame, rights: c.some(h.rights), by: by})
}

// give has a program give away what it has.
func (c *transferCore) give() {
	h, ok := pick(c.Network, c.have)
	if !ok || h.by == 0 || h.rights&capability.RightGrant == 0 {
		return
	}
	to := c.Random.Uint32N(c.Cores)
	if to == c.self && h.frame.core == c.self {
		return
	}
	program, _ := pick(c.Network, c.cores[to].programs)
	number := c.number()
	g := &given{core: c.self, to: to, number: number, frame: h.frame, rights: c.some(h.rights), imported: h.frame.core != c.self}
	g.excused = slices.ContainsFunc(c.cores[h.frame.core].withdrawals, func(w *withdrawing) bool {
		return (!w.answered || w.failed) && h.frame.within(w.base, w.size)
	})
	c.gives[ticket(number)] = g
	if c.Chance(50) {
		h.by, h.request = 0, number
	} else {
		c.have = append(c.have, &holding{frame: h.frame, rights: h.rights, request: number})
	}
	c.Logf("core %d: %d: %v is given to program %d on core %d", c.self, number, h.frame.object(), program, to)
	c.machine.Give(transfer.Give{
		Request: number, Object: h.frame.object(), Core: to, To: program, Ticket: number, Rights: g.rights,
	})
	if g.imported && !g.answered && c.Chance(20) { // a monitor may drop what it gave at once
		c.dropGiven(number)
	}
}

// giveBell has a program give a doorbell away.
func (c *transferCore) giveBell() {
	to := c.Random.Uint32N(c.Cores)
	if to == c.self {
		return
	}
	program, _ := pick(c.Network, c.cores[to].programs)
	number := c.number()
	g := &given{core: c.self, to: to, number: number, bell: 1 + c.Random.Uint64N(9)}
	c.gives[ticket(number)] = g
	c.Logf("core %d: %d: doorbell %d is given to program %d on core %d", c.self, number, g.bell, program, to)
	c.machine.GiveBell(transfer.Give{
		Request: number, Object: transfer.Object{Base: g.bell}, Core: to, To: program, Ticket: number, Rights: capability.RightSend,
	})
}

// dropGiven drops what the monitor has of a Give.
func (c *transferCore) dropGiven(request uint32) {
	if i := slices.IndexFunc(c.have, func(h *holding) bool { return h.by == 0 && h.request == request }); i >= 0 {
		c.drop(c.have[i])
	}
}

// drop deletes a capability.
func (c *transferCore) drop(h *holding) {
	c.have = slices.DeleteFunc(c.have, func(other *holding) bool { return other == h })
	if h.frame.core == c.self {
		c.clean(h.frame)
	}
}

// sweep has the monitor find that nothing is left of an import.
func (c *transferCore) sweep() bool {
	for _, o := range c.machine.Imports() {
		if !slices.Contains(c.removing, o) && !slices.ContainsFunc(c.have, func(h *holding) bool { return h.frame.object() == o }) {
			c.Logf("core %d: nothing is left of %v", c.self, o)
			c.count["nothing left"]++
			c.machine.Drop(o)
			return true
		}
	}
	return false
}

// clean ends a frame of which there is no capability any more.
func (c *transferCore) clean(f *frame) {
	if f.pinned() || slices.ContainsFunc(c.have, func(h *holding) bool { return h.frame == f }) {
		return
	}
	f.alive = false
	c.frames = slices.DeleteFunc(c.frames, func(other *frame) bool { return other == f })
}

// revoke revokes a part of the memory, or withdraws it first.
func (c *transferCore) revoke() {
	size := 1 + c.Random.Uint64N(units)
	c.revokeRange(c.Random.Uint64N(units-size+1), size)
}

func (c *transferCore) revokeRange(base, size uint64) {
	in := func(f *frame) bool { return f.within(base, size) }
	if slices.ContainsFunc(c.frames, func(f *frame) bool { return in(f) && f.pinned() }) {
		c.count["revocation refused"]++
		w := &withdrawing{request: c.number(), base: base, size: size, losses: c.losses()}
		c.withdrawals = append(c.withdrawals, w)
		for _, g := range c.gives {
			g.excused = g.excused || g.frame != nil && g.frame.core == c.self && in(g.frame)
		}
		c.Logf("core %d: %d: [%d, %d) is withdrawn", c.self, w.request, base, base+size)
		c.machine.Withdraw(w.request, base, size)
		return
	}
	c.Logf("core %d: [%d, %d) is revoked", c.self, base, base+size)
	c.count["revoked"]++
	c.have = slices.DeleteFunc(c.have, func(h *holding) bool { return h.frame.core == c.self && in(h.frame) })
	for _, f := range slices.Clone(c.frames) {
		if in(f) {
			c.clean(f)
		}
	}
}

// remove has the kernel finish one removal that it has begun.
func (c *transferCore) remove() bool {
	o, ok := pick(c.Network, c.removing)
	if !ok {
		return false
	}
	c.Logf("core %d: imports of %v are removed", c.self, o)
	c.removing = slices.DeleteFunc(c.removing, func(other transfer.Object) bool { return other == o })
	c.deleteImports(o)
	c.machine.Removed(o)
	return true
}

func (c *transferCore) deleteImports(o transfer.Object) {
	c.have = slices.DeleteFunc(c.have, func(h *holding) bool { return h.frame.object() == o })
}

// end ends a program.
func (c *transferCore) end(program uint32) {
	c.Logf("core %d: program %d ends", c.self, program)
	for _, h := range slices.Clone(c.have) {
		if h.by == program {
			c.drop(h)
		}
	}
}

// losses returns how many cores are lost.
func (s *transfers) losses() (n int) {
	for core := range s.Cores {
		if !s.Alive(core) {
			n++
		}
	}
	return n
}

// The kernel.

func (c *transferCore) Pin(o transfer.Object, request uint32) session.Error {
	f := c.at(o)
	switch {
	case f == nil || f != c.gives[ticket(request)].frame:
		c.breaks("core %d: pin of %v for %d, which is %+v", c.self, o, request, f)
		return session.ErrCapability
	case c.Chance(3):
		return session.ErrMemory
	}
	i := slices.IndexFunc(c.have, func(h *holding) bool { return h.by == 0 && h.request == request })
	if f.pinned() {
		c.count["pinned with more rights"]++
	}
	f.pins = append(f.pins, c.have[i].rights)
	return session.ErrNone
}

func (c *transferCore) Unpin(o transfer.Object) {
	f := c.at(o)
	if f == nil || !f.pinned() {
		c.breaks("core %d: unpin of %v, which is %+v", c.self, o, f)
		return
	}
	f.pins = nil
	c.clean(f)
}

func (c *transferCore) Copy(o transfer.Object, a transfer.Arrival) session.Error {
	f := c.at(o)
	if f == nil || !f.pinned() {
		c.breaks("core %d: copy of %v, which is %+v", c.self, o, f)
		return session.ErrCapability
	}
	if !slices.ContainsFunc(f.pins, func(pin capability.Rights) bool { return a.Rights&^pin == 0 }) {
		c.breaks("core %d: copy of %v with rights %v, pinned with %v", c.self, o, a.Rights, f.pins)
	}
	return c.arrive(f, a)
}

func (c *transferCore) Import(o transfer.Object, a transfer.Arrival) session.Error {
	f := c.at(o)
	if o.Owner == c.self || f == nil {
		c.breaks("core %d: import of %v, which is %+v", c.self, o, f)
		return session.ErrCapability
	}
	return c.arrive(f, a)
}

// arrive has an import arrive.
func (c *transferCore) arrive(f *frame, a transfer.Arrival) session.Error {
	g := c.gives[ticket(a.Ticket)]
	if g == nil || g.frame != f || a.Rights != g.rights {
		c.breaks("core %d: what arrives as %+v is %+v, not what was given", c.self, a, f)
		return session.ErrCapability
	}
	why := c.settle(g, a)
	if why == session.ErrNone {
		c.have = append(c.have, &holding{frame: f, rights: a.Rights, by: a.To})
	}
	return why
}

func (c *transferCore) Bell(number uint64, a transfer.Arrival) session.Error {
	g := c.gives[ticket(a.Ticket)]
	if g == nil || number == 0 || g.bell != number || a.Rights != capability.RightSend {
		c.breaks("core %d: doorbell %d that arrives as %+v is not what was given", c.self, number, a)
		return session.ErrCapability
	}
	return c.settle(g, a)
}

// settle has what was given arrive, once, unless there is nobody or no memory for it.
func (c *transferCore) settle(g *given, a transfer.Arrival) session.Error {
	switch {
	case g.to != c.self || g.arrived:
		c.breaks("core %d: %+v arrives, given to core %d, arrived before: %v", c.self, a, g.to, g.arrived)
		return session.ErrCapability
	case !slices.Contains(c.programs, a.To):
		return session.ErrDied
	case c.Chance(5):
		return session.ErrMemory
	}
	g.arrived = true
	return session.ErrNone
}

func (c *transferCore) Remove(o transfer.Object) bool {
	if slices.Contains(c.removing, o) {
		c.breaks("core %d: imports of %v are removed twice", c.self, o)
	}
	if c.Chance(50) {
		c.removing = append(c.removing, o)
		return false
	}
	c.deleteImports(o)
	return true
}

// The answers.

func (c *transferCore) given(request uint32, err session.Error) {
	g := c.gives[ticket(request)]
	what, cut := "own", c.losses() > 0
	if g.imported {
		what = "import"
	}
	text := err.Error()
	switch {
	case g.bell != 0:
		what = "bell"
	case err != session.ErrNone || !g.imported:
	case g.to == g.frame.core:
		text += ", to its owner"
	case g.to == c.self:
		text += ", to its own core"
	default:
		text += ", to a third core"
	}
	c.count[what+" given: "+text]++
	switch {
	case g.core != c.self || g.answered:
		c.breaks("core %d: %d is answered again", c.self, request)
	case err == session.ErrNone && !g.arrived:
		c.breaks("core %d: %d has not arrived", c.self, request)
	case err != session.ErrNone && g.arrived && !(err == session.ErrCore && cut):
		c.breaks("core %d: %d has arrived, though: %v", c.self, request, err)
	case err == session.ErrWithdrawn && !g.excused, err == session.ErrCore && !cut,
		err == session.ErrCapability, err == session.ErrArgument:
		c.breaks("core %d: no reason to answer %d so: %v", c.self, request, err)
	}
	g.answered = true
	c.Logf("core %d: %d is given: %v", c.self, request, err)
	c.dropGivenLater(request)
}

// dropGivenLater drops what was given when the machine, which answers, is not in the
// midst of something.
func (c *transferCore) dropGivenLater(request uint32) {
	for _, h := range c.have {
		if h.by == 0 && h.request == request {
			h.by, h.request = c.programs[0], 0 // its giver gets it back, and may drop it
		}
	}
}

func (c *transferCore) withdrawn(request uint32, err session.Error) {
	i := slices.IndexFunc(c.withdrawals, func(w *withdrawing) bool { return w.request == request })
	w := c.withdrawals[i]
	if w.answered {
		c.breaks("core %d: withdrawal %d is answered again", c.self, request)
	}
	w.answered, w.failed = true, err != session.ErrNone
	c.Logf("core %d: %d is withdrawn: %v", c.self, request, err)
	c.count["withdrawn: "+err.Error()]++
	if err != session.ErrNone {
		if err != session.ErrCore || c.Alive(0) {
			c.breaks("core %d: no reason to answer withdrawal %d so: %v", c.self, request, err)
		}
		return
	}
	if c.losses() > w.losses {
		c.count["withdrawn: no error, after a loss"]++
	}
	for _, f := range c.frames {
		if f.pinned() && f.within(w.base, w.size) {
			c.breaks("core %d: %d is withdrawn, while %v is pinned", c.self, request, f.object())
		}
	}
	c.InFlight(func(from, to uint32, m transfer.Message) bool {
		if m.Kind == transfer.Import && from == c.self && (&frame{place: place{base: m.Base, size: m.Size}}).within(w.base, w.size) {
			c.breaks("core %d: %d is withdrawn, while core %d will get %+v", c.self, request, to, m)
		}
		return true
	})
	for _, other := range c.cores {
		for _, h := range other.have {
			if other != c && c.Alive(other.self) && h.frame.core == c.self && h.frame.within(w.base, w.size) {
				c.breaks("core %d: %d is withdrawn, while core %d has an import of %v", c.self, request, other.self, h.frame.object())
			}
		}
	}
}

// The rest of System.

func (s *transfers) Handle(core, from uint32, m transfer.Message) {
	s.cores[core].machine.Handle(from, m)
}
func (s *transfers) Lost(core, other uint32) { s.cores[core].machine.Lost(other) }
func (s *transfers) Cut(core, other uint32)  { s.cores[core].machine.Cut(other) }
func (s *transfers) Settle(core uint32) bool { return s.cores[core].remove() || s.cores[core].sweep() }

func (s *transfers) Stop(core uint32) { s.cores[core].have = nil }

// Check checks that the frame of every import is there, pinned by its owner, unless
// that is lost.
func (s *transfers) Check() error {
	for _, c := range s.cores {
		for _, h := range c.have {
			if f := h.frame; f.core != c.self && s.Alive(f.core) && (!f.alive || !f.pinned()) {
				s.breaks("core %d has an import of %v, which is %+v", c.self, f.object(), f)
			}
		}
	}
	return s.err
}

// Settled checks that everything has been answered, and that nothing is left
// of cores that are known to be lost.
func (s *transfers) Settled() error {
	for _, number := range sortedKeys(s.gives) {
		if g := s.gives[number]; s.Alive(g.core) && !g.answered {
			s.breaks("core %d: %d is not answered", g.core, number)
		}
	}
	for _, c := range s.cores {
		if !s.Alive(c.self) {
			continue
		}
		for _, w := range c.withdrawals {
			if !w.answered {
				s.breaks("core %d: withdrawal %d is not answered", c.self, w.request)
			}
		}
		for _, h := range c.have {
			if !s.Alive(h.frame.core) && s.reachable() {
				s.breaks("core %d has an import of %v of a lost core", c.self, h.frame.object())
			}
		}
		for _, f := range c.frames {
			if f.pinned() && !slices.ContainsFunc(s.cores, func(other *transferCore) bool {
				return other != c && slices.ContainsFunc(other.have, func(h *holding) bool { return h.frame == f })
			}) && s.reachable() {
				s.breaks("core %d: %v is pinned, and nobody has it", c.self, f.object())
			}
		}
	}
	return s.err
}

// reachable reports whether no core is cut.
func (s *transfers) reachable() bool { return !s.Star || s.Alive(0) }

func (s *transfers) End(core uint32) {
	c := s.cores[core]
	for _, h := range slices.Clone(c.have) {
		c.drop(h)
	}
	c.programs = nil
}

func (s *transfers) Empty() error {
	for _, c := range s.cores {
		if s.Alive(c.self) && s.reachable() && (!c.machine.Idle() || len(c.have)+len(c.frames) > 0) {
			s.breaks("core %d still has %d frames, %d capabilities", c.self, len(c.frames), len(c.have))
		}
	}
	s.all.add(s.count)
	return s.err
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	list := make([]K, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
