package names

import (
	"maps"
	"slices"

	"skerry/lib/session"
)

// Agent is one core's part. Programs are named by the numbers that its monitor
// has for them, their exports and requests by their own. Whoever
// uses a number for two things at a time is answered by ErrArgument.
type Agent struct {
	self, registry uint32
	limit          int
	send           func(to uint32, m Message)
	answer         Answers
	cut            bool // the registry is lost
	number         uint32

	items    map[uint32]*item // by the agent's number
	exports  map[own]uint32   // numbers
	requests map[own]uint32
	count    map[uint32]int // of what a program has, exports and requests
}

// own is a program's number of an export or a request.
type own struct{ program, id uint32 }

// item is an export, or a request that has not been answered.
type item struct {
	own
	kind     Kind // Export, Lookup, Wait or Watch
	name     session.Name
	entry    Entry
	answered bool // an export
	ended    bool // nobody wants the answer
}

// Answers take the answers to what programs asked, each once. Programs that
// have ended get none.
type Answers struct {
	Exported func(program, export uint32, err session.Error)
	Found    func(program, request uint32, e Entry, err session.Error)
	Gone     func(program, request uint32, err session.Error) // ErrNone: the name is gone
}

// NewAgent returns the agent of core self, which asks the registry on another, or the
// same. A program may have limit exports and requests at a time.
func NewAgent(self, registry uint32, limit int, send func(to uint32, m Message), answer Answers) *Agent {
	return &Agent{
		self: self, registry: registry, limit: limit, send: send, answer: answer,
		items: map[uint32]*item{}, exports: map[own]uint32{}, requests: map[own]uint32{}, count: map[uint32]int{},
	}
}

// Export exports an interface under a name. Answers.Exported follows: ErrTaken, if
// somebody has the name; then the number can be used again.
func (a *Agent) Export(program, export uint32, at session.Name, version uint32, fingerprint uint64) {
	a.ask(&item{
		own: own{program, export}, kind: Export, name: at,
		entry: Entry{Core: a.self, Program: program, Export: export, Version: version, Fingerprint: fingerprint},
	})
}

// Unexport gives a name up. It may be asked for before Exported has come, which
// still comes.
func (a *Agent) Unexport(program, export uint32) {
	k := own{program, export}
	number, ok := a.exports[k]
	if !ok {
		return
	}
	delete(a.exports, k)
	a.say(Message{Kind: Unexport, Number: number})
	if a.items[number].answered {
		a.forget(number)
	}
}

// Lookup asks who has a name, and if wait is true has time until somebody
// has. Answers.Found follows.
func (a *Agent) Lookup(program, request uint32, at session.Name, wait bool) {
	kind := Lookup
	if wait {
		kind = Wait
	}
	a.ask(&item{own: own{program, request}, kind: kind, name: at})
}

// Watch asks to be told when a name is gone, at once if nobody has it.
// Answers.Gone follows.
func (a *Agent) Watch(program, request uint32, at session.Name) {
	a.ask(&item{own: own{program, request}, kind: Watch, name: at})
}

// Cancel asks that a Lookup or Watch be answered now, by ErrCancelled unless it has
// another answer already.
func (a *Agent) Cancel(program, request uint32) {
	if number, ok := a.requests[own{program, request}]; ok {
		a.say(Message{Kind: Cancel, Number: number})
	}
}

// Ended takes note that a program has ended: it exports nothing any more and wants no
// answers.
func (a *Agent) Ended(program uint32) {
	for _, number := range slices.Sorted(maps.Keys(a.items)) {
		i := a.items[number]
		if i.program != program || i.ended {
			continue
		}
		i.ended = true
		if i.kind == Export {
			a.Unexport(program, i.id)
		} else {
			a.Cancel(program, i.id)
			delete(a.requests, i.own)
		}
	}
}

// Exports reports whether a program has an export, and its name.
func (a *Agent) Exports(program, export uint32) (at session.Name, e Entry, ok bool) {
	number, ok := a.exports[own{program, export}]
	if !ok {
		return at, e, false
	}
	i := a.items[number]
	return i.name, i.entry, i.answered
}

// Handle takes a message from the registry.
func (a *Agent) Handle(m Message) {
	if i := a.items[m.Number]; i != nil && m.Kind == Answer && !i.answered {
		a.answered(m.Number, m.Entry, m.Error)
	}
}

// Lost takes note that a core is lost or cut. If it is the registry's, all names
// are gone, and everybody is answered.
func (a *Agent) Lost(core uint32) {
	if core != a.registry {
		return
	}
	a.cut = true
	for _, number := range slices.Sorted(maps.Keys(a.items)) {
		if i := a.items[number]; i != nil && !i.answered {
			a.answered(number, Entry{}, session.ErrCore)
		}
	}
}

// Idle reports whether no program exports anything or waits.
func (a *Agent) Idle() bool {
	return len(a.items)+len(a.exports)+len(a.requests)+len(a.count) == 0
}

// ask sends what a program asks for, unless it cannot be asked for.
func (a *Agent) ask(i *item) {
	of := a.requests
	if i.kind == Export {
		of = a.exports
	}
	_, twice := of[i.own]
	err := session.ErrNone
	switch {
	case twice || !i.name.Valid():
		err = session.ErrArgument
	case a.cut:
		err = session.ErrCore
	case a.count[i.program] >= a.limit:
		err = session.ErrLimit
	}
	if err != session.ErrNone {
		a.tell(i, Entry{}, err)
		return
	}
	a.number++
	a.items[a.number] = i
	a.count[i.program]++
	of[i.own] = a.number
	a.say(Message{Kind: i.kind, Number: a.number, Name: i.name, Entry: i.entry})
}

func (a *Agent) say(m Message) {
	if !a.cut {
		a.send(a.registry, m)
	}
}

// answered takes the answer to what has a number.
func (a *Agent) answered(number uint32, e Entry, err session.Error) {
	i := a.items[number]
	i.answered = true
	if held, ok := a.exports[i.own]; i.kind != Export || err != session.ErrNone || !ok || held != number {
		a.forget(number)
	}
	if !i.ended {
		a.tell(i, e, err)
	}
}

// forget has a number stand for nothing.
func (a *Agent) forget(number uint32) {
	i := a.items[number]
	of := a.requests
	if i.kind == Export {
		of = a.exports
	}
	if of[i.own] == number {
		delete(of, i.own)
	}
	delete(a.items, number)
	if a.count[i.program]--; a.count[i.program] == 0 {
		delete(a.count, i.program)
	}
}

// tell answers a program.
func (a *Agent) tell(i *item, e Entry, err session.Error) {
	switch i.kind {
	case Export:
		a.answer.Exported(i.program, i.id, err)
	case Watch:
		a.answer.Gone(i.program, i.id, err)
	default:
		a.answer.Found(i.program, i.id, e, err)
	}
}
