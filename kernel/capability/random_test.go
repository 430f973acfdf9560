package capability

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

var (
	operations = flag.Int("operations", 40_000, "random operations of TestAgainstModel and TestInterleaved; the long form is a million")
	seed       = flag.Uint64("seed", 1, "seed of random tests")
)

// pair is a system and its model.
type pair struct {
	*machine
	model *model
	r     *rand.Rand
	last  string // the last operation, for failures
}

func newPair(t testing.TB, r *rand.Rand) *pair {
	p := &pair{machine: newMachine(t, 2<<20), r: r}
	p.model = &model{slots: map[memory.Phys]tuple{}, gone: map[Object]int{}}
	things := map[Object]*thing{}
	for _, a := range p.machine.check() {
		c := p.at(a)
		o := p.object(a)
		if things[o] == nil {
			things[o] = p.model.newThing(o.Type, o.Base, o.Size)
		}
		p.model.slots[a] = tuple{things[o], c.rights}
	}
	for i, o := range []Object{
		{Type: abi.IRQSource, Size: 64}, {Type: abi.IOPorts, Size: 1 << 16}, {Type: abi.Domain, Size: 1 << 32},
		{Type: abi.Kernel, Size: 1}, {Type: abi.PhysicalRange, Base: 1 << 40, Size: 1 << 30},
	} {
		a := p.slot(uint64(10 + i))
		p.must(p.Create(a, o, abi.AllRights))
		p.model.slots[a] = tuple{p.model.newThing(o.Type, o.Base, o.Size), abi.Of(o.Type).Rights}
	}
	return p
}

// object leaves out in which address space a mapping is: the model has none.
func (p *pair) object(a memory.Phys) Object {
	o := p.machine.object(a)
	o.Top = 0
	return o
}

// any returns a slot that holds something, or now and then perhaps nothing.
func (p *pair) any() memory.Phys {
	if p.r.IntN(50) == 0 {
		return p.place(p.model.containers(), 1)
	}
	s := p.model.sorted()
	return s[p.r.IntN(len(s))]
}

// victim returns a slot to delete or revoke: seldom one that takes the first
// CSpace with it, so that machines live long enough to become complicated.
func (p *pair) victim() memory.Phys {
	for {
		a := p.any()
		t := p.model.slots[a]
		vital := t.thing != nil && (t.Type == abi.RAM && t.Base <= p.ram && p.ram < t.Base+t.Size || t.Base == p.ram+16<<10)
		if !vital || p.r.IntN(200) == 0 {
			return a
		}
	}
}

// like returns a slot of one of the types, or any.
func (p *pair) like(types ...abi.Type) memory.Phys {
	for range 30 {
		if a := p.any(); slices.Contains(types, p.model.slots[a].kind()) {
			return a
		}
	}
	return p.any()
}

func (t tuple) kind() abi.Type {
	if t.thing == nil {
		return abi.Null
	}
	return t.Type
}

// place returns n consecutive slots in one of the objects of a list.
func (p *pair) place(list []*thing, n uint64) memory.Phys {
	o := list[p.r.IntN(len(list))]
	offset, slots := o.Type.SlotRange(o.Size)
	return memory.Phys(o.Base + offset + (1+p.r.Uint64N(slots-n))*abi.SlotSize)
}

// empty returns n consecutive empty slots, 0 if it finds none.
func (p *pair) empty(n uint64) memory.Phys {
	list := p.model.containers()
	for range 100 {
		a := p.place(list, min(n, 15))
		free := true
		for i := range n {
			b := a + memory.Phys(i*abi.SlotSize)
			_, taken := p.model.slots[b]
			free = free && !taken && slices.ContainsFunc(list, func(o *thing) bool { return o.in(b) })
		}
		if free {
			return a
		}
	}
	return 0
}

// operate does one random operation on both, and compares what they return.
func (p *pair) operate(relations bool) {
	p.t.Helper()
	r := p.r
	var got, want abi.Error
	to := p.empty(1)
	full := p.Count > 120 || to == 0
	switch n := r.IntN(100); {
	case n < 15 && !full:
		source, rights := p.any(), abi.Rights(r.Uint32())|abi.Rights(r.Uint32())
		p.last = fmt.Sprintf("copy %#x to %#x with %v", source, to, rights)
		got, want = p.Copy(to, source, rights), p.model.copy(to, source, rights)
	case n < 25 && !full:
		source := p.any()
		p.last = fmt.Sprintf("move %#x to %#x", source, to)
		got, want = p.Move(to, source), p.model.move(to, source)
	case n < 60 && !full:
		source := p.like(abi.RAM, abi.RAM, abi.Frame, abi.Dispatcher, abi.Endpoint, abi.IRQSource, abi.Domain, abi.PhysicalRange)
		t, size, count := p.retype(p.model.slots[source])
		offset := uint64(0)
		if s := p.model.slots[source]; s.thing != nil {
			offset = r.Uint64N(s.Size/abi.Of(t).Align+2) * abi.Of(t).Align
			if r.IntN(2) == 0 {
				offset += abi.Of(s.Type).Offers
			}
		}
		if to = p.empty(min(max(count, 1), 256)); to == 0 {
			return
		}
		p.last = fmt.Sprintf("retype %#x to %d %v of %#x at %#x", source, count, t, size, offset)
		got, want = p.Retype(to, source, t, offset, size, count), p.model.retype(to, source, t, offset, size, count)
		p.drain()
		if got == abi.ErrPending {
			got = abi.OK
		}
		if got == abi.OK && abi.Of(t).Zeroed && p.model.slots[source].Type == abi.RAM {
			p.cleared(p.model.slots[to], size*count)
		}
	case n < 68 && !full:
		table := p.like(abi.PageTable1, abi.PageTable2, abi.PageTable3, abi.PageTable4)
		source := p.like(abi.Frame, abi.Frame, abi.DeviceFrame, abi.Dispatcher, abi.PageTable1, abi.PageTable2, abi.PageTable3)
		first, count, offset := r.Uint64N(TableEntries+2), 1+r.Uint64N(3), uint64(0)
		if s := p.model.slots[source]; s.thing != nil && s.Size >= pageSize {
			offset = r.Uint64N(s.Size/pageSize) * pageSize
			count = min(count, (s.Size-offset)/pageSize)
		}
		p.last = fmt.Sprintf("map %d pages of %#x, from %#x on, in %#x at %d to %#x", count, source, offset, table, first, to)
		got, want = p.enter(to, table, source, first, count, offset), p.model.enter(to, table, source, first, count, offset)
	case n < 86 || n < 68:
		a := p.victim()
		p.last = fmt.Sprintf("delete %#x", a)
		for got = abi.ErrPending; got == abi.ErrPending; {
			got = p.Delete(a)
		}
		want = p.model.delete(a)
	case n < 90:
		a := p.victim()
		p.last = fmt.Sprintf("revoke %#x", a)
		trial := p.model.clone()
		trial.revoke(a)
		if _, stays := trial.slots[a]; !stays || len(trial.slots) < 8 && r.IntN(20) > 0 {
			return // how far a revocation gets that revokes itself is not said
		}
		got, want = p.Revoke(a), p.model.revoke(a)
		if p.drain(); p.Revoking(a) {
			p.t.Fatalf("%s: revocation without end", p.last)
		}
		if got == abi.ErrPending {
			got = p.Revoke(a) // says how it went
		}
	case n < 92 && relations:
		p.relate()
	case n < 94 && relations && to != 0:
		a := p.like(abi.RAM)
		switch base, size := p.ram+p.size+r.Uint64N(foreign/pageSize)*pageSize, uint64(pageSize)<<r.IntN(3); r.IntN(4) {
		case 0:
			p.last = fmt.Sprintf("lend %#x", a)
			got, want = p.Lend(a, 3), p.model.lend(a, 3)
		case 1:
			for _, b := range p.model.sorted() {
				if p.model.slots[b].lent {
					a = b
				}
			}
			p.last = fmt.Sprintf("regain %#x", a)
			got, want = p.Regain(a), p.model.regain(a)
		case 2:
			size = min(size, p.ram+p.size+foreign-base)
			p.last = fmt.Sprintf("adopt %#x+%#x to %#x", base, size, to)
			got, want = p.Adopt(to, base, size), p.model.adopt(to, base, size)
		case 3:
			for range 50 {
				if t := p.model.slots[a]; t.kind() != abi.RAM || t.relations&abi.RemoteAncestors == 0 {
					a = p.any()
				}
			}
			p.last = fmt.Sprintf("release %#x", a)
			got, want = p.Release(a), p.model.release(a)
		}
	case n < 97 && relations && to != 0 && r.IntN(8) == 0:
		for range 50 {
			if a := p.any(); p.model.slots[a].thing != nil && p.model.slots[a].imported {
				t := p.model.slots[a]
				p.last = fmt.Sprintf("expel %#x+%#x", t.Base, t.Size)
				for got = abi.ErrPending; got == abi.ErrPending; {
					got = p.Expel(t.Base, t.Size)
				}
				want = p.model.expel(t.Base, t.Size)
				break
			}
		}
	case n < 97 && relations && to != 0:
		t := [...]abi.Type{abi.Frame, abi.Frame, abi.PageTable3, abi.PageTable3, abi.PageTable2, abi.RAM}[r.IntN(6)]
		base, size, owner := p.ram+p.size+r.Uint64N(foreign/pageSize)*pageSize, uint64(pageSize)<<r.IntN(3), uint32(r.IntN(9)/2)
		if a := p.any(); r.IntN(2) == 0 {
			for _, b := range p.model.sorted() {
				if p.model.slots[b].lent {
					a = b
				}
			}
			if o := p.model.slots[a]; o.thing != nil && o.Size >= pageSize {
				base = o.Base&^(pageSize-1) + r.Uint64N(o.Size/pageSize)*pageSize
			}
		}
		p.last = fmt.Sprintf("import %v %#x+%#x of core %d to %#x", t, base, size, owner, to)
		rights := abi.Rights(r.Uint64()) & abi.AllRights
		got, want = p.Import(to, t, base, size, owner, rights), p.model.imports(to, t, base, size, owner, rights)
	default:
		if p.Reclaimable == 0 || to == 0 {
			return
		}
		top := p.object(p.reclaimSlot(p.Reclaimable - 1))
		p.last = fmt.Sprintf("reclaim to %#x", to)
		p.must(p.Reclaim(to))
		a := p.model.queuedAs(top)
		if a == 0 {
			p.t.Fatalf("%s: %+v was not to be reclaimed", p.last, top)
		}
		p.model.slots[to] = tuple{p.model.slots[a].thing, p.at(to).rights}
		delete(p.model.slots, a)
	}
	p.drain()
	if got != want {
		p.t.Fatalf("%s: %s, want %s", p.last, got.Name(), want.Name())
	}
}

// retype chooses what to make.
func (p *pair) retype(source tuple) (t abi.Type, size, count uint64) {
	r := p.r
	var types []abi.Type
	for t := range abi.NumTypes {
		if source.thing != nil && t.MadeOf(source.Type) {
			types = append(types, t)
		}
	}
	if len(types) == 0 || r.IntN(20) == 0 {
		t = abi.Type(1 + r.IntN(int(abi.NumTypes)-1))
	} else {
		t = types[r.IntN(len(types))]
	}
	rule := abi.Of(t)
	size = max(rule.Align*(1+r.Uint64N(16)), min(rule.Least, rule.Most))
	switch {
	case rule.Least == rule.Most:
		size = rule.Least
	case source.thing != nil && r.IntN(3) == 0:
		size = source.Size
	}
	if r.IntN(50) == 0 {
		size += r.Uint64N(rule.Align + 1)
	}
	return t, size, uint64(r.IntN(6))
}

// relate says that other cores have a part in an object, as monitors would,
// or that none has in any.
func (p *pair) relate() {
	a := p.any()
	o := p.model.slots[a].thing
	if o == nil || o.lent || o.imported || abi.Of(o.Type).Dependent {
		return // these go with their parents, wherever copies are
	}
	if p.r.IntN(2) == 0 {
		for _, a := range p.machine.check() {
			if p.at(a).state != lent && p.at(a).state != imported {
				p.must(p.SetRelations(a, 0, 0))
			}
		}
		for _, t := range p.model.slots {
			if !t.lent && !t.imported {
				t.relations = 0
			}
		}
		return
	}
	o.relations |= abi.RemoteCopies
	p.must(p.SetRelations(a, 0, o.relations))
	for _, t := range p.model.slots {
		if descends(o, t.thing) {
			t.relations |= abi.RemoteDescendants
		}
	}
	for _, b := range p.machine.check() {
		for _, t := range p.model.slots {
			if !t.lent && !t.imported && p.model.now(t.thing) == p.object(b) {
				p.must(p.SetRelations(b, 0, t.relations))
			}
		}
	}
}

// cleared holds that new objects hold nothing of what was there, and writes
// something into them where that does no harm.
func (p *pair) cleared(t tuple, size uint64) {
	mem := p.bytes(memory.Phys(t.Base), size)
	for i, b := range mem {
		if b != 0 {
			p.t.Fatalf("%s: byte %d is %#x", p.last, i, b)
		}
	}
	if t.Type == abi.Frame {
		for i := range mem {
			mem[i] = 0xa5
		}
	}
}

// compare holds the system against the model, capability by capability.
func (p *pair) compare() {
	p.t.Helper()
	slots := p.machine.check()
	for _, a := range p.model.sorted() {
		if t := p.model.slots[a]; p.at(a).kind == abi.Null {
			p.t.Fatalf("%s: slot %#x is empty, want %+v %v", p.last, a, *t.thing, t.rights)
		}
	}
	for _, a := range slots {
		t, ok := p.model.slots[a]
		if !ok {
			t, ok = p.model.slots[p.model.queuedAs(p.object(a))]
		}
		if !ok {
			p.t.Fatalf("%s: slot %#x holds %+v", p.last, a, p.Identify(a))
		}
		d := p.Identify(a)
		if a < p.reclaimSlot(reclaimSlots) && a >= p.reclaimSlot(0) {
			d.Rights = t.rights // which of several copies goes last is not said
		}
		if p.object(a) != p.model.now(t.thing) || d.Owner != t.owner || d.Rights != t.rights || d.Relations != t.relations || d.Ready != 1 {
			p.t.Fatalf("%s: slot %#x holds %+v, want %+v", p.last, a, d, t)
		}
	}
	if len(slots) != len(p.model.slots) {
		p.t.Fatalf("%s: %d capabilities, want %d", p.last, len(slots), len(p.model.slots))
	}
	for _, t := range p.model.slots {
		if !isTable(t.Type) || t.imported {
			continue
		}
		for i, want := range p.model.entries(t.thing) {
			if got := *p.entry(memory.Phys(t.Base + uint64(i)*8)); got != want {
				p.t.Fatalf("%s: entry %d of the table at %#x is %#x, want %#x", p.last, i, t.Base, got, want)
			}
		}
	}
	for i := range reclaimSlots {
		if p.at(p.reclaimSlot(i)).kind != abi.Null != (i < p.Reclaimable) {
			p.t.Fatalf("%s: %d in the reclaim queue, but not slot %d", p.last, p.Reclaimable, i)
		}
	}
}

// ask compares the answers to questions about one capability and one range.
func (p *pair) ask() {
	p.t.Helper()
	a := p.any()
	t := p.model.slots[a]
	if t.thing == nil {
		return
	}
	if got := p.HasCopies(a); got != p.model.hasCopies(t.thing) {
		p.t.Fatalf("%s: has-copies of %#x: %v", p.last, a, got)
	}
	if got := p.Mapped(a); got != p.model.mapped(t.thing) {
		p.t.Fatalf("%s: %#x is mapped: %v", p.last, a, got)
	}
	if got := p.HasAncestors(a); got != p.model.hasAncestors(t.thing) {
		p.t.Fatalf("%s: has-ancestors of %#x: %v", p.last, a, got)
	}
	if got := p.HasDescendants(a); got != p.model.hasDescendants(t.thing) {
		p.t.Fatalf("%s: has-descendants of %#x: %v", p.last, a, got)
	}
	if got, want := p.parent(a), p.model.parent(t.thing); (got != 0) != (want != nil) || got != 0 && p.object(got) != p.model.now(want) {
		p.t.Fatalf("%s: parent of %#x: %#x, want %+v", p.last, a, got, want)
	}
	align := abi.Of(t.Type).Align
	base := t.Base + align*p.r.Uint64N(4)
	if back := align * p.r.Uint64N(4); back <= base {
		base -= back
	}
	size := align * (1 + p.r.Uint64N(8))
	if p.r.IntN(2) == 0 {
		base, size = t.Base, t.Size
	}
	if got, _ := p.Range(t.Type, base, size); got != p.model.found(t.Type, base, size) {
		p.t.Fatalf("%s: range %#x+%#x of %v: found %d, want %d", p.last, base, size, t.Type, got, p.model.found(t.Type, base, size))
	}
}

// covered holds that all RAM is in some capability, until a relation said
// that another core might have it.
func (p *pair) covered() {
	p.t.Helper()
	at := p.ram
	for _, a := range p.machine.check() {
		if c := p.at(a); c.first <= at && at < c.last() {
			at = c.last()
		}
	}
	if at != p.ram+p.size {
		p.t.Fatalf("%s: nobody has the memory at %#x", p.last, at)
	}
}

// TestAgainstModel does random operations on a system and on a set of tuples.
func TestAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 1))
	machines, ran := 0, 0
	for ran < *operations {
		p := newPair(t, r)
		machines++
		relations := machines%2 == 0
		for i := 0; ran < *operations && i < 20_000 && len(p.model.sorted()) > 0 && len(p.model.containers()) > 0; i++ {
			p.operate(relations)
			ran++
			if p.Count != uint64(len(p.model.slots)) {
				p.compare()
				t.Fatalf("%s: %d capabilities counted, want %d", p.last, p.Count, len(p.model.slots))
			}
			if len(p.model.sorted()) > 0 {
				p.ask()
			}
			if ran%32 == 0 {
				p.compare()
				if !relations {
					p.covered()
				}
				for o, n := range p.model.gone {
					if p.ended[o] != n {
						t.Fatalf("%s: %+v ended %d times, want %d", p.last, o, p.ended[o], n)
					}
				}
				if len(p.ended) != len(p.model.gone) {
					t.Fatalf("%s: %d objects ended, want %d", p.last, len(p.ended), len(p.model.gone))
				}
				clear(p.ended)
				clear(p.model.gone)
			}
		}
		p.compare()
	}
	t.Logf("%d operations on %d machines", ran, machines)
}
