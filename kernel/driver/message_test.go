package driver

import (
	"math/rand/v2"
	"slices"
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/kcb"
)

// A post is a core with dispatchers that send each other messages, beside a naive
// model of them.
type post struct {
	*core
	r           *rand.Rand
	dispatchers []*party
	full        map[uint32]bool // slots that hold a capability
	passed      int             // calls that went the quick way
}

// party is what the model has of a dispatcher.
type party struct {
	*kcb.DCB
	slot      uint32 // of its capability
	offset    uint64
	endpoints []*postbox
	ended     bool
	waits     bool
	from      *postbox // nil: any
	limited   bool
	work      bool
	sent      bool
	came      []event // in order
}

// event is a message that came, or the end of what an endpoint watches.
type event struct {
	at    *postbox
	words []uint64
	given bool
	ended bool
}

// postbox is what the model has of an endpoint.
type postbox struct {
	owner    *party
	slot     uint32
	size     uint64
	offset   uint64
	gone     bool
	label    uint64
	accept   uint32
	watches  *postbox
	watchers []*postbox
	wanted   []*party
}

// answer is what a call returned.
type answer struct {
	err    abi.Error
	label  uint64
	header uint64
	words  [abi.MessageWords]uint64
}

const (
	postDispatchers = 40  // slots of their capabilities
	postEndpoints   = 60  // of their endpoints'
	postAccept      = 100 // for capabilities sent
	postGiven       = 24  // how many of these
	postOffset      = 1 << 20
)

// newPost makes a core with dispatchers that have endpoints of the given sizes.
func newPost(t testing.TB, seed uint64, sizes ...[]uint64) *post {
	p := &post{core: newCore(t, 4), r: rand.New(rand.NewPCG(seed, 1)), full: map[uint32]bool{}}
	p.newDomain(dom, 0, 0)
	slot := uint32(postEndpoints)
	for i, sizes := range sizes {
		o := &party{slot: postDispatchers + uint32(i), offset: postOffset + uint64(i)*kcb.ObjectSize}
		p.dispatchers = append(p.dispatchers, o)
		offset := uint64(5 * abi.PageSize)
		for _, size := range sizes {
			o.endpoints = append(o.endpoints, &postbox{owner: o, slot: slot, size: size, offset: offset})
			offset += size
			slot++
		}
		p.begin(o)
	}
	return p
}

// begin makes a dispatcher and its endpoints.
func (p *post) begin(o *party) {
	p.t.Helper()
	p.make(o.slot, 1, ram, abicap.Dispatcher, o.offset, kcb.ObjectSize)
	p.must(ref(o.slot), abicap.DispatcherSetup, ref(cspace), ref(dom+domSpace), ref(dom+domNumber), 0, entryPoint)
	p.must(ref(o.slot), abicap.DispatcherRun)
	*o = party{DCB: p.target(p.at(ref(o.slot))), slot: o.slot, offset: o.offset, endpoints: o.endpoints}
	p.loaded = o.Root
	for _, e := range o.endpoints {
		p.open(e)
	}
}

// open makes an endpoint.
func (p *post) open(e *postbox) {
	p.t.Helper()
	p.make(e.slot, 1, e.owner.slot, abicap.Endpoint, e.offset, e.size)
	*e = postbox{owner: e.owner, slot: e.slot, size: e.size, offset: e.offset}
}

func (e *postbox) room() int { return int(kcb.Room(e.size)) }

// first returns the first event at a postbox, any if that is nil.
func (o *party) first(from *postbox) int {
	return slices.IndexFunc(o.came, func(e event) bool { return from == nil || e.at == from })
}

// waitsAt reports whether the model's dispatcher waits at an endpoint of its own.
func (o *party) waitsAt(e *postbox) bool { return o.waits && (o.from == nil || o.from == e) }

// returned reads what a call returned to a dispatcher, as its user finds it.
func (p *post) returned(o *party) (a answer) {
	r := &o.Regs
	if o.Resume == kcb.ResumePreempted {
		o.Regs, o.Resume = o.Page().Enabled, kcb.ResumeCall
	}
	a = answer{err: abi.Error(r.RAX), label: r.RDI, header: r.RBP}
	if a.err == abi.OK {
		a.words = wordsOf(r)
	}
	return a
}

// expect checks that a call of o has returned what it should.
func (p *post) expect(o *party, want answer) {
	p.t.Helper()
	if o.Awaits != 0 {
		p.t.Fatalf("it waits, want %+v", want)
	}
	if got := p.returned(o); got != want {
		p.t.Fatalf("returned %+v, want %+v", got, want)
	}
	sent := uint64(0)
	if o.sent {
		sent = 1
	}
	if want.err != abi.OK && o.Regs.RDX != sent {
		p.t.Fatalf("%v with sent %d, want %d", want.err, o.Regs.RDX, sent)
	}
}

// answers makes the model's dispatcher that waits have something.
func (p *post) answers(o *party, want answer) {
	p.t.Helper()
	o.waits = false
	p.expect(o, want)
}

// notified tells the model's dispatcher.
func (p *post) notified(o *party) {
	p.t.Helper()
	if o.ended {
		return
	}
	o.work = true
	if o.waits {
		p.answers(o, answer{err: abi.ErrInterrupted})
	}
}

// answerOf is what receiving an event returns.
func answerOf(e event) answer {
	a := answer{label: e.at.label, header: uint64(len(e.words))}
	if e.ended {
		return answer{err: abi.ErrPeer, label: e.at.label}
	}
	if e.given {
		a.header |= abi.MessageCapability
	}
	copy(a.words[:], e.words)
	return a
}

// freed tells the model's senders that wait for an endpoint.
func (p *post) freed(e *postbox) {
	p.t.Helper()
	wanted := e.wanted
	e.wanted = nil
	for _, o := range wanted {
		p.notified(o)
	}
}

// orphaned tells the model's watchers of an endpoint.
func (p *post) orphaned(e *postbox) {
	p.t.Helper()
	watchers := e.watchers
	e.watchers = nil
	for _, w := range watchers {
		w.watches = nil
		switch o := w.owner; {
		case o.ended:
		case o.waitsAt(w):
			p.answers(o, answer{err: abi.ErrPeer, label: w.label})
		default:
			o.came = append(o.came, event{at: w, ended: true})
			p.notified(o)
		}
	}
}

// want adds a dispatcher to those who wait for an endpoint.
func (e *postbox) want(o *party) {
	if !slices.Contains(e.wanted, o) {
		e.wanted = append(e.wanted, o)
	}
}

// forgets takes a postbox or a dispatcher out of what the model has of all others.
func (p *post) forgets(o *party) {
	for _, other := range p.dispatchers {
		for _, e := range other.endpoints {
			e.wanted = slices.DeleteFunc(e.wanted, func(w *party) bool { return w == o })
		}
	}
}

func (e *postbox) unwatch() {
	if e.watches != nil {
		e.watches.watchers = slices.DeleteFunc(e.watches.watchers, func(w *postbox) bool { return w == e })
		e.watches = nil
	}
	e.owner.came = slices.DeleteFunc(e.owner.came, func(v event) bool { return v.at == e && v.ended })
}

// settle lets the core do what it has left to do.
func (p *post) settle() {
	p.finish()
	if p.changed {
		p.choose()
	}
}

// sends makes the model's half of a sending; it returns whom it was delivered to.
func (p *post) sends(o *party, to *postbox, words []uint64, given uint32) (err abi.Error) {
	t := to.owner
	n := 0
	for _, e := range t.came {
		if e.at == to && !e.ended {
			n++
		}
	}
	switch {
	case to.gone:
		return abicap.ErrEmpty
	case t.ended:
		return abi.ErrPeer
	case !t.waitsAt(to) && n == to.room():
		to.want(o)
		return abi.ErrFull
	case given != 0 && (to.accept == 0 || p.full[to.accept]):
		to.want(o)
		return abi.ErrNoSlot
	}
	if given != 0 {
		p.full[to.accept] = true
		to.accept = 0
	}
	e := event{at: to, words: words, given: given != 0}
	if t.waitsAt(to) {
		p.answers(t, answerOf(e))
	} else {
		t.came = append(t.came, e)
		p.notified(t)
	}
	return abi.OK
}

// message makes a call of o and holds it against the model.
func (p *post) messages(o *party, to, from *postbox, any bool, words []uint64, given uint32, deadline int64) {
	p.t.Helper()
	r := &o.Regs
	all := [abi.MessageWords]uint64{}
	for i := range all {
		all[i] = p.r.Uint64()
	}
	copy(all[:], words)
	*r = abi.Registers{RAX: abi.NativeCall | abi.CallMessage | uint64(len(words))<<8, RBP: uint64(deadline), RIP: entryPoint, RFLAGS: userFlags}
	r.RSI, r.RDX, r.R10, r.R8, r.R9, r.RBX, r.R12, r.R13, r.R14, r.R15 = all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], all[8], all[9]
	if to != nil {
		r.RDI = ref(to.slot)
	}
	switch {
	case any:
		r.RDI |= abi.AnyEndpoint << 32
	case from != nil:
		r.RDI |= ref(from.slot) << 32
	}
	if given != 0 {
		r.RAX |= ref(given) << 32
	}
	was := *r
	o.Resume = kcb.ResumeCall
	p.running, p.upcall = o.DCB, false
	if p.r.IntN(2) == 0 {
		for _, o := range p.dispatchers {
			p.lags(o.DCB) // as if these had handed the core to each other before
		}
	}
	if r.RAX&^quickWords == quick && p.pass(o.DCB) {
		p.passed++
	} else {
		p.native(o.DCB)
	}
	upcall := p.upcall
	p.settle()

	o.sent = false
	receives := any || from != nil
	if from != nil && from.gone {
		p.expect(o, answer{err: abicap.ErrEmpty})
		return
	}
	if to != nil {
		if err := p.sends(o, to, words, given); err != abi.OK {
			p.expect(o, answer{err: err})
			return
		}
		o.sent = true
	}
	if !receives {
		if r.RAX != uint64(abi.OK) || r.RDI != 0 || r.RBP != 0 || r.RSI != was.RSI || r.R15 != was.R15 {
			p.t.Fatalf("sent, and %+v", *r)
		}
		return
	}
	i := o.first(from)
	switch {
	case i >= 0:
		e := o.came[i]
		o.came = slices.Delete(o.came, i, i+1)
		p.expect(o, answerOf(e))
		if !e.ended {
			p.freed(e.at)
		}
	case deadline == 0:
		p.expect(o, answer{err: abi.ErrAgain})
	case deadline == 1:
		p.expect(o, answer{err: abi.ErrTimeout})
	case o.work:
		p.expect(o, answer{err: abi.ErrInterrupted})
		if !upcall && o.Page().Disabled == 0 {
			p.t.Fatal("interrupted without the upcall that is to come first")
		}
	default:
		o.waits, o.from, o.limited = true, from, deadline != abi.WaitForever
		if o.Awaits == 0 || o.State != abi.DomainParked {
			p.t.Fatal("it does not wait")
		}
	}
}

// ends ends a dispatcher in the model.
func (p *post) ends(o *party) {
	o.ended, o.waits = true, false
	p.forgets(o)
	for _, e := range o.endpoints {
		p.orphaned(e)
	}
	for _, e := range o.endpoints {
		p.freed(e)
	}
}

// step does something at random.
func (p *post) step() {
	r := p.r
	o := p.dispatchers[r.IntN(len(p.dispatchers))]
	mine := o.endpoints[r.IntN(len(o.endpoints))]
	t := p.dispatchers[r.IntN(len(p.dispatchers))]
	other := t.endpoints[r.IntN(len(t.endpoints))]
	slot := postAccept + uint32(r.IntN(postGiven))
	runs := !o.ended && !o.waits
	switch n := r.IntN(100); {
	case n < 15 && runs && o != t && !t.ended && !t.waits:
		p.rally(o, t, mine, other)
	case n < 60 && runs:
		o.Page().Disabled = uint32(r.IntN(2))
		var to, from *postbox
		if r.IntN(4) > 0 {
			to = other
		}
		any := false
		switch r.IntN(4) {
		case 0:
			any = true
		case 1, 2:
			from = mine
		}
		words := make([]uint64, r.IntN(abi.MessageWords+1))
		for i := range words {
			words[i] = r.Uint64()
		}
		given := uint32(0)
		if to != nil && r.IntN(4) == 0 {
			given = dom + domFrame
		}
		deadline := []int64{0, 1, abi.WaitForever, abi.WaitForever, 1 << 60}[r.IntN(5)]
		p.messages(o, to, from, any, words, given, deadline)
	case n < 68 && !o.ended:
		o.Page().HasWork, o.work = 0, false
	case n < 72 && !mine.gone:
		mine.label = r.Uint64()
		p.must(ref(mine.slot), abicap.EndpointLabel, mine.label)
	case n < 80 && !mine.gone:
		if r.IntN(4) == 0 {
			slot = 0
		}
		at := uint64(0)
		if slot != 0 {
			at = ref(slot)
		}
		p.must(ref(mine.slot), abicap.EndpointAccept, at)
		p.settle()
		if mine.accept = slot; slot != 0 {
			p.freed(mine)
		}
	case n < 84 && p.full[slot]:
		p.must(ref(base), abicap.L2CNodeDelete, uint64(slot))
		delete(p.full, slot)
	case n < 90 && !mine.gone && !other.gone:
		p.must(ref(mine.slot), abicap.EndpointWatch, ref(other.slot))
		p.settle()
		mine.unwatch()
		mine.watches = other
		other.watchers = append(other.watchers, mine)
		if t.ended {
			p.orphaned(other)
			p.freed(other)
		}
	case n < 91 && !mine.gone:
		p.must(ref(mine.slot), abicap.EndpointWatch, 0)
		mine.unwatch()
	case n < 94 && !o.ended:
		p.notify(o.DCB)
		p.notified(o)
	case n < 95:
		p.expire(1 << 61)
		p.settle()
		for _, o := range p.dispatchers {
			if o.waits && o.limited {
				p.answers(o, answer{err: abi.ErrTimeout})
			}
		}
	case n < 97:
		if mine.gone {
			if o.ended {
				break
			}
			p.open(mine)
			break
		}
		p.deletes(ref(base), abicap.L2CNodeDelete, uint64(mine.slot))
		p.settle()
		mine.unwatch()
		o.came = slices.DeleteFunc(o.came, func(e event) bool { return e.at == mine })
		mine.gone = true
		p.orphaned(mine)
		p.freed(mine)
		if o.waits && o.from == mine {
			p.notified(o)
		}
	case n < 98 && !o.ended:
		p.end(o.DCB, abi.Status{Kind: abi.ExitKilled})
		p.settle()
		p.ends(o)
	case n < 99:
		// Its memory goes, and another dispatcher comes.
		for _, e := range o.endpoints {
			e.unwatch()
		}
		p.deletes(ref(base), abicap.L2CNodeDelete, uint64(o.slot))
		p.settle()
		// Endpoints go one after the other, the last first, before it ends itself.
		for _, e := range slices.Backward(o.endpoints) {
			if !e.gone {
				p.orphanedBut(e, o)
			}
		}
		p.forgets(o)
		p.begin(o)
		p.settle()
	}
	p.agree()
}

// rally has two dispatchers call and answer each other, as long as they can.
func (p *post) rally(o, t *party, mine, other *postbox) {
	if p.r.IntN(2) == 0 {
		p.messages(t, nil, other, false, nil, 0, abi.WaitForever)
	} else {
		p.messages(t, nil, nil, true, nil, 0, abi.WaitForever)
	}
	for range 2 + p.r.IntN(6) {
		o.Page().HasWork, o.work = 0, false
		if o.waits || !t.waits {
			return
		}
		words := make([]uint64, p.r.IntN(abi.MessageWords+1))
		for i := range words {
			words[i] = p.r.Uint64()
		}
		p.messages(o, other, mine, false, words, 0, abi.WaitForever)
		o, t, mine, other = t, o, other, mine
	}
}

// orphanedBut is the end of an endpoint that goes with its dispatcher.
func (p *post) orphanedBut(e *postbox, o *party) {
	o.ended, o.waits = true, false
	e.gone = true
	p.orphaned(e)
	p.freed(e)
}

// agree holds what there is against the model.
func (p *post) agree() {
	p.t.Helper()
	for i, o := range p.dispatchers {
		want := uint32(abi.DomainReady)
		switch {
		case o.ended:
			want = abi.DomainEnded
		case o.waits:
			want = abi.DomainParked
		}
		if o.State != want || o.waits != (o.Awaits != 0) {
			p.t.Fatalf("dispatcher %d is in state %d, awaits %#x; want state %d", i, o.State, o.Awaits, want)
		}
		if !o.ended && (o.Page().HasWork != 0) != o.work {
			p.t.Fatalf("dispatcher %d has work: %d, want %v", i, o.Page().HasWork, o.work)
		}
	}
	if p.k.Tidings.Left {
		p.t.Fatal("somebody has not been told")
	}
}

// TestMessages does at random what can be done to dispatchers and endpoints, and
// holds all that comes back against the model.
func TestMessages(t *testing.T) {
	passed := 0
	for seed := range uint64(30) {
		p := newPost(t, seed, []uint64{256, 512}, []uint64{256, 256}, []uint64{512, 256}, []uint64{256})
		for range 3000 {
			p.step()
		}
		p.sound()
		passed += p.passed
	}
	if passed < 1000 {
		t.Errorf("only %d calls went the quick way", passed)
	}
}

// TestMessageRefuses makes calls with what they cannot have.
func TestMessageRefuses(t *testing.T) {
	p := newPost(t, 1, []uint64{256}, []uint64{256})
	a, b := p.dispatchers[0], p.dispatchers[1]
	mine, other := ref(a.endpoints[0].slot), ref(b.endpoints[0].slot)
	const mint = 120
	p.must(ref(base), abicap.L2CNodeMint, mint, other, uint64(abicap.AllRights&^abicap.RightSend))
	p.must(ref(base), abicap.L2CNodeMint, mint+1, mine, uint64(abicap.AllRights&^abicap.RightControl))
	p.must(ref(base), abicap.L2CNodeMint, mint+2, ref(dom+domFrame), uint64(abicap.AllRights&^abicap.RightGrant))
	const wait = abi.WaitForever
	for name, test := range map[string]struct {
		to, from, message, deadline uint64
		want                        abi.Error
	}{
		"to a frame":                        {ref(dom + domFrame), 0, 0, 0, abicap.ErrType},
		"to nothing":                        {ref(spare), 0, 0, 0, abicap.ErrEmpty},
		"to no slot":                        {256, 0, 0, 0, abicap.ErrReference},
		"to the kernel's slot":              {1<<31 | 1<<8, 0, 0, 0, abicap.ErrType},
		"to any":                            {abi.AnyEndpoint, 0, 0, 0, abicap.ErrReference},
		"to without Send":                   {ref(mint), 0, 0, 0, abicap.ErrRights},
		"from a frame":                      {other, ref(dom + domFrame), 0, wait, abicap.ErrType},
		"from nothing":                      {other, ref(spare), 0, wait, abicap.ErrEmpty},
		"from another's":                    {0, other, 0, wait, abi.ErrArgument},
		"from without Control":              {0, ref(mint + 1), 0, wait, abicap.ErrRights},
		"too many words":                    {other, mine, 11, wait, abi.ErrArgument},
		"far too many words":                {other, mine, 1 << 23, wait, abi.ErrArgument},
		"before time began":                 {other, mine, 0, 1 << 63, abi.ErrArgument},
		"a capability to nobody":            {0, mine, ref(dom+domFrame) << 24, wait, abi.ErrArgument},
		"a capability from nowhere":         {other, mine, ref(spare) << 24, wait, abicap.ErrEmpty},
		"a capability without Grant":        {other, mine, ref(mint+2) << 24, wait, abicap.ErrRights},
		"a capability, but none is wanted":  {other, mine, ref(dom+domFrame) << 24, wait, abi.ErrNoSlot},
		"a capability that names no slot":   {other, mine, 5 << 24, wait, abicap.ErrReference},
		"nothing to nobody":                 {0, 0, 0, 0, abi.OK},
		"nothing, and nothing to come back": {0, mine, 0, 0, abi.ErrAgain},
	} {
		a.Regs = abi.Registers{RAX: abi.NativeCall | abi.CallMessage | test.message<<8, RDI: test.to | test.from<<32, RBP: test.deadline, RSI: 7}
		p.native(a.DCB)
		if got := abi.Error(a.Regs.RAX); got != test.want || a.State != abi.DomainReady || a.Regs.RDX != 0 || a.Regs.RSI != 7 {
			t.Errorf("%s: %v, want %v; %+v", name, got, test.want, a.Regs)
		}
		if b.Messages.Filled != 0 || b.Counts.Notified != 0 {
			t.Fatalf("%s: something was sent", name)
		}
	}
	p.want(abicap.ErrReference, ref(a.endpoints[0].slot), abicap.EndpointAccept, 256)
	p.want(abicap.ErrRights, ref(mint+1), abicap.EndpointAccept, 0)
	p.want(abicap.ErrRights, ref(mint+1), abicap.EndpointLabel, 1)
	p.want(abicap.ErrRights, mine, abicap.EndpointWatch, ref(mint))
	p.want(abicap.ErrType, mine, abicap.EndpointWatch, ref(ram))
	p.settle()
}

// TestWantsMuch has a dispatcher want more endpoints than it can: it is notified
// each time, and no list is wrong after.
func TestWantsMuch(t *testing.T) {
	sizes := make([]uint64, 40)
	for i := range sizes {
		sizes[i] = 256
	}
	p := newPost(t, 1, []uint64{256}, sizes)
	a, b := p.dispatchers[0], p.dispatchers[1]
	const most = uint64(len(a.Messages.Wants))
	for round := range 2 {
		before := a.Counts.Notified
		for i, e := range b.endpoints {
			for range 2 - round { // the first fills it
				a.Page().HasWork = 0
				a.Regs = abi.Registers{RAX: abi.NativeCall | abi.CallMessage, RDI: ref(e.slot)}
				p.native(a.DCB)
			}
			if got := abi.Error(a.Regs.RAX); got != abi.ErrFull {
				t.Fatalf("endpoint %d: %v", i, got)
			}
			if round == 0 && a.Counts.Notified != before+max(uint64(i)+1, most)-most {
				t.Fatalf("endpoint %d: %d notifications", i, a.Counts.Notified-before)
			}
		}
	}
	// All it still wants, and nothing else, comes back.
	before := a.Counts.Notified
	for range b.endpoints {
		b.Regs = abi.Registers{RAX: abi.NativeCall | abi.CallMessage, RDI: abi.AnyEndpoint << 32}
		p.native(b.DCB)
	}
	if got := a.Counts.Notified - before; got != most {
		t.Errorf("%d notifications, want %d", got, most)
	}
	p.settle()
}

// TestTidings ends a dispatcher that all others watch and send to: it is told in
// steps.
func TestTidings(t *testing.T) {
	sizes := make([][]uint64, 18)
	for i := range sizes {
		sizes[i] = []uint64{256}
	}
	p := newPost(t, 1, sizes...)
	b := p.dispatchers[0]
	others := p.dispatchers[1:]
	to := ref(b.endpoints[0].slot)
	for _, o := range others {
		p.must(ref(o.endpoints[0].slot), abicap.EndpointWatch, to)
		for range 2 {
			o.Regs = abi.Registers{RAX: abi.NativeCall | abi.CallMessage, RDI: to}
			p.native(o.DCB)
		}
	}
	told := func() (n uint64) {
		for _, o := range others {
			n += o.Counts.Notified
		}
		return n
	}
	p.end(b.DCB, abi.Status{Kind: abi.ExitKilled})
	for n := uint64(tellAtOnce); n < 2*uint64(len(others)); n += tellAtOnce {
		if told() != n {
			t.Fatalf("%d told, want %d", told(), n)
		}
		if !p.pending() || p.work() != (n+tellAtOnce < 2*uint64(len(others))) {
			t.Fatalf("wrong about there being more with %d told", n)
		}
	}
	if told() != 2*uint64(len(others)) || p.pending() {
		t.Fatalf("%d told of %d", told(), 2*len(others))
	}
	for _, o := range others {
		o.Regs = abi.Registers{RAX: abi.NativeCall | abi.CallMessage, RDI: ref(o.endpoints[0].slot) << 32}
		p.native(o.DCB)
		if abi.Error(o.Regs.RAX) != abi.ErrPeer {
			t.Fatal(abi.Error(o.Regs.RAX))
		}
	}
	p.settle()
}

// TestMessagesAllocateNothing counts what messages take from the heap.
func TestMessagesAllocateNothing(t *testing.T) {
	p := newPost(t, 1, []uint64{512}, []uint64{512})
	a, b := p.dispatchers[0], p.dispatchers[1]
	call := func(o *party, to, from *postbox) {
		o.Regs = abi.Registers{RAX: abi.NativeCall | abi.CallMessage | 4<<8, RDI: ref(to.slot) | ref(from.slot)<<32, RBP: abi.WaitForever}
		o.Page().HasWork = 0
		p.running = o.DCB
		p.native(o.DCB)
	}
	call(b, b.endpoints[0], b.endpoints[0])
	call(b, a.endpoints[0], b.endpoints[0])
	a.Page().HasWork = 0
	if n := testing.AllocsPerRun(100, func() {
		call(a, b.endpoints[0], a.endpoints[0])
		call(b, a.endpoints[0], b.endpoints[0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzMessage makes two calls, by two dispatchers, with any registers.
func FuzzMessage(f *testing.F) {
	f.Add(uint64(4<<8), ref(postEndpoints+1)|ref(postEndpoints)<<32, uint64(abi.WaitForever), uint64(0), ref(postEndpoints)|abi.AnyEndpoint<<32, uint64(0))
	f.Add(ref(dom+domFrame)<<32, ref(postEndpoints), uint64(1), uint64(0), uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, message, endpoints, deadline, message2, endpoints2, deadline2 uint64) {
		p := newPost(t, 1, []uint64{256}, []uint64{512})
		for i, r := range []abi.Registers{
			{RAX: message &^ 255, RDI: endpoints, RBP: deadline}, {RAX: message2 &^ 255, RDI: endpoints2, RBP: deadline2},
		} {
			o := p.dispatchers[i]
			if r.RAX |= abi.NativeCall | abi.CallMessage; o.State != abi.DomainReady {
				continue
			}
			o.Regs, o.Resume, p.running = r, kcb.ResumeCall, o.DCB
			p.native(o.DCB)
			if err := abi.Error(o.Regs.RAX); o.State == abi.DomainReady && o.Regs.RAX >= uint64(abicap.Errors) {
				t.Fatalf("returned %#x, %v", o.Regs.RAX, err)
			}
			p.settle()
		}
		p.sound()
	})
}

// TestQuickWay makes calls that go the quick way, but for one thing.
func TestQuickWay(t *testing.T) {
	p := newPost(t, 1, []uint64{256}, []uint64{256})
	a, b := p.dispatchers[0], p.dispatchers[1]
	const elsewhere = 120
	mine, other := a.endpoints[0].slot, b.endpoints[0].slot
	call := func(o *party, to, from uint32) (passed bool, err abi.Error) {
		o.Regs = abi.Registers{RAX: quick | 4<<8, RDI: ref(to) | ref(from)<<32, RBP: abi.WaitForever, RSI: 1}
		p.running = o.DCB
		for _, o := range p.dispatchers {
			p.lags(o.DCB)
			o.Page().HasWork = 0
		}
		if !p.pass(o.DCB) {
			p.native(o.DCB)
			return false, abi.Error(o.Regs.RAX)
		}
		return true, abi.OK
	}
	ready := func() { // a call of a's goes the quick way
		t.Helper()
		b.Regs = abi.Registers{RAX: quick, RDI: ref(other) << 32, RBP: abi.WaitForever}
		p.native(b.DCB)
		if passed, _ := call(a, other, mine); !passed {
			t.Fatal("not the quick way")
		}
		if passed, _ := call(b, mine, other); !passed || a.State != abi.DomainReady {
			t.Fatal("not the quick way back")
		}
	}
	ready()
	if passed, err := call(a, other, other); passed || err != abi.ErrArgument {
		t.Errorf("received from another's endpoint: %v", err)
	}
	for _, slot := range []uint32{mine, other} {
		p.must(ref(base), abicap.L2CNodeMove, elsewhere, ref(slot))
		if passed, err := call(a, other, mine); passed || err != abicap.ErrEmpty {
			t.Errorf("the capability in slot %d is elsewhere: %v", slot, err)
		}
		p.must(ref(base), abicap.L2CNodeMint, uint64(slot), ref(elsewhere), uint64(abicap.RightGrant))
		if passed, err := call(a, other, mine); passed || err != abicap.ErrRights {
			t.Errorf("the capability in slot %d has no rights: %v", slot, err)
		}
		p.must(ref(base), abicap.L2CNodeDelete, uint64(slot))
		p.must(ref(base), abicap.L2CNodeMove, uint64(slot), ref(elsewhere))
		if passed, _ := call(a, other, mine); !passed {
			t.Fatalf("the capability in slot %d is back, and it is not the quick way", slot)
		}
		if passed, _ := call(b, mine, other); !passed {
			t.Fatal("not the quick way back")
		}
	}
}

// TestQuickWayGivesWay has two dispatchers call and answer each other without end: when
// the turn is over the third has the core, and who called has paid.
func TestQuickWayGivesWay(t *testing.T) {
	p := newPost(t, 1, []uint64{256}, []uint64{256}, []uint64{256})
	call := func(o, to *party) {
		o.Regs = abi.Registers{RAX: quick | 4<<8, RDI: ref(o.endpoints[0].slot) << 32, RBP: abi.WaitForever}
		if to != nil {
			o.Regs.RDI |= ref(to.endpoints[0].slot)
		}
		o.Page().Disabled, o.Page().HasWork = 1, 0
	}
	current := func() *party {
		return p.dispatchers[slices.IndexFunc(p.dispatchers, func(o *party) bool { return o.DCB == p.running })]
	}
	p.choose()
	server := current()
	call(server, nil)
	p.native(server.DCB)
	p.choose()
	client := current()
	call(client, server)
	if !p.pass(client.DCB) {
		p.native(client.DCB)
	}
	passes := 0
	for range 100 {
		o, to := server, client
		if p.running == client.DCB {
			o, to = client, server
		}
		if p.changed || p.running != o.DCB {
			t.Fatal("the scheduler is asked")
		}
		if call(o, to); p.pass(o.DCB) {
			passes++
		} else {
			p.native(o.DCB)
		}
	}
	if passes < 99 {
		t.Errorf("%d of 100 went the quick way", passes)
	}
	if p.picked != client.DCB || p.until == never {
		t.Fatalf("picked %p until %d", p.picked, p.until)
	}
	p.expire(p.until)
	if !p.changed {
		t.Fatal("the end of the turn means nothing")
	}
	p.charged -= 1_000_000_000 // as if it had all been used
	p.choose()
	if third := current(); third == client || third == server {
		t.Error("the third has to wait")
	}
}

// TestAlarmBehindMessage has a wake-up come between a message and the time when the
// dispatcher, which waited for it enabled, sees it: neither may get lost.
func TestAlarmBehindMessage(t *testing.T) {
	p := newPost(t, 1, []uint64{256}, []uint64{256})
	a, b := p.dispatchers[0], p.dispatchers[1]
	b.Entries.Run = 0x1000
	b.Page().Disabled = 0
	const alarm = 1 << 40
	if _, err := p.call(b.DCB, abi.CallWakeup, alarm); err != abi.OK {
		t.Fatal(err)
	}
	p.running = b.DCB
	b.Regs = abi.Registers{RAX: quick, RDI: ref(b.endpoints[0].slot) << 32, RBP: abi.WaitForever}
	p.native(b.DCB)
	p.running = a.DCB
	a.Regs = abi.Registers{RAX: quick | 1<<8, RDI: ref(b.endpoints[0].slot), RSI: 7}
	p.native(a.DCB)
	if b.State != abi.DomainReady || b.Regs.RSI != 7 || b.WakeAt != alarm {
		t.Fatalf("state %d, word %d, woken at %d", b.State, b.Regs.RSI, b.WakeAt)
	}
	p.expire(alarm)
	p.changed = true
	p.switchTo(nil, 0)
	p.stop(a.DCB, abi.DomainNew)
	p.choose()
	if p.running != b.DCB || b.Regs.RSI != 7 || b.Page().HasWork == 0 || p.retryAt == never {
		t.Fatalf("running %p, word %d, work %d, told at %d", p.running, b.Regs.RSI, b.Page().HasWork, p.retryAt)
	}
	p.expire(p.retryAt)
	if !p.upcall {
		t.Fatal("it has no upcall for its wake-up")
	}
}
