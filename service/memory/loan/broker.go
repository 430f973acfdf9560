package loan

import (
	"cmp"
	"maps"
	"slices"
)

// Broker finds lenders for borrowers.
type Broker struct {
	send  func(core int, m Message)
	cores []party
	loans map[uint32]*loan
	last  uint32 // number of a loan
}

// party is a core as the broker knows it.
type party struct {
	joined, dead bool
	free         uint64 // bytes that it could lend, when it last spoke
	distances    []byte // of each core's memory from it
}

// loan is a loan that is looked for, or that was made.
type loan struct {
	borrower, lender int
	size             uint64
	asked            []bool // by core
	made             bool
}

// NewBroker returns a broker among a number of cores.
func NewBroker(cores int, send func(core int, m Message)) *Broker {
	return &Broker{send: send, cores: make([]party, cores), loans: make(map[uint32]*loan)}
}

// Join takes note of a core, of how much it could lend, and of how far from it the
// memory of each core is.
func (b *Broker) Join(core int, free uint64, distances []byte) {
	p := &b.cores[core]
	p.joined, p.free, p.distances = true, free, slices.Clone(distances)
}

// Handle takes a message from a core.
func (b *Broker) Handle(core int, m Message) {
	if b.cores[core].dead {
		return
	}
	b.cores[core].free = m.Free
	if m.Kind == Borrow {
		b.last++
		b.loans[b.last] = &loan{borrower: core, lender: core, size: m.Size, asked: make([]bool, len(b.cores))}
		b.ask(b.last)
		return
	}
	l := b.loans[m.Loan]
	switch {
	case l == nil:
	case m.Kind == Refused && core == l.lender && !l.made:
		b.ask(m.Loan)
	case m.Kind == Lent && core == l.lender && !l.made:
		l.made = true
		if b.cores[l.borrower].dead {
			// It never heard of the loan.
			delete(b.loans, m.Loan)
			b.send(core, Message{Kind: Returned, Loan: m.Loan})
			return
		}
		m.Core, m.Free = uint32(core), 0
		b.send(l.borrower, m)
	case m.Kind == Returned && core == l.borrower && l.made:
		delete(b.loans, m.Loan)
		b.send(l.lender, Message{Kind: Returned, Loan: m.Loan})
	}
}

// ask asks the next core for a loan, or tells the borrower that there is none.
func (b *Broker) ask(number uint32) {
	l := b.loans[number]
	l.asked[l.lender] = true
	next := -1
	for core := range b.cores {
		if p := &b.cores[core]; !l.asked[core] && p.joined && !p.dead && p.free >= Least && (next < 0 || b.better(l.borrower, core, next)) {
			next = core
		}
	}
	switch {
	case b.cores[l.borrower].dead:
		delete(b.loans, number)
	case next < 0:
		delete(b.loans, number)
		b.send(l.borrower, Message{Kind: Refused})
	default:
		l.lender = next
		b.send(next, Message{Kind: Lend, Core: uint32(l.borrower), Loan: number, Size: l.size})
	}
}

// better reports whether a core should rather be asked than another.
func (b *Broker) better(borrower, core, other int) bool {
	distance := func(core int) byte {
		if d := b.cores[borrower].distances; core < len(d) {
			return d[core]
		}
		return 0
	}
	return cmp.Or(cmp.Compare(distance(core), distance(other)), cmp.Compare(b.cores[other].free, b.cores[core].free)) < 0
}

// Died takes note that a core is lost.
func (b *Broker) Died(core int) {
	if b.cores[core].dead {
		return
	}
	b.cores[core].dead = true
	for _, number := range slices.Sorted(maps.Keys(b.loans)) {
		l := b.loans[number]
		switch {
		case l.borrower == core && l.made:
			delete(b.loans, number)
			b.send(l.lender, Message{Kind: Lost, Loan: number})
		case l.borrower == core && l.lender == core:
			delete(b.loans, number)
		case l.borrower == core:
			// The lender's answer is on its way.
		case l.lender == core && l.made:
			delete(b.loans, number)
			b.send(l.borrower, Message{Kind: Kept, Loan: number})
		case l.lender == core:
			b.ask(number)
		}
	}
}
