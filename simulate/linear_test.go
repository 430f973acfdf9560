package simulate

import (
	"fmt"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"skerry/lib/session"
	"skerry/protocol/names"
)

// TestNamesLinearizable has porcupine find, for what programs asked of names and were
// told, an order of single steps in which each does what it does at some time between
// question and answer.
func TestNamesLinearizable(t *testing.T) {
	// The search takes time that grows fast with what happens at once.
	const linearSteps = 80
	n := uint64(5000)
	switch {
	case *oneSeed != 0:
		n = 1
	case *long:
		n = 100_000
	case testing.Short():
		n = 1000
	}
	var all coverage
	f := first(n, func(seed uint64) *Failure {
		if *oneSeed != 0 {
			seed = *oneSeed
		}
		return Run(seed, linearSteps, func(n *Network[names.Message]) System[names.Message] {
			s := newNaming(n, &all)
			s.history = &history{naming: s}
			return &linear{s}
		})
	})
	if f != nil {
		t.Fatalf("%v\nreplay it: go test ./simulate -run '^%s$' -seed %d", f, t.Name(), f.Seed)
	}
	all.require(t, "judged", "Lookup: no error", "Wait: no error", "Watch: no error", "Export: "+session.ErrTaken.Error())
	if all.count["not judged"]*100 > all.count["judged"] {
		t.Error("more than one history of a hundred took too long to judge")
	}
}

// linear is naming that judges its history at the end.
type linear struct{ *naming }

func (l *linear) Empty() error {
	if err := l.history.check(); err != nil {
		return err
	}
	return l.naming.Empty()
}

// patience is how long the search for an order may take. It takes far less, but
// for very few histories.
const patience = 5 * time.Second

// history is what was asked and answered.
type history struct {
	naming *naming
	calls  []*call
	open   map[uint32]*call
}

type op uint8

const (
	opExport op = iota
	opUnexport
	opLookup
	opWatch
)

// call is one operation. An answer is an export, or one of the below.
type call struct {
	id, core   uint32
	at         session.Name
	op         op
	export     uint32
	from, to   int
	answer     uint32
	unanswered bool
}

const (
	nobody uint32 = 1<<32 - 1 - iota
	taken
	unknown // nobody was told
)

func (h *history) call(id, core uint32, at session.Name, o op, export uint32) {
	if h == nil {
		return
	}
	if h.open == nil {
		h.open = map[uint32]*call{}
	}
	c := &call{id: id, core: core, at: at, op: o, export: export, from: h.now(), unanswered: true, answer: unknown}
	h.calls = append(h.calls, c)
	h.open[id] = c
}

// now returns a time at which nothing else happens.
func (h *history) now() int { h.naming.now++; return h.naming.now }

func (h *history) answer(id, answer uint32) {
	if h == nil {
		return
	}
	c, now := h.open[id], h.now()
	c.answer, c.to, c.unanswered = answer, now, false
	delete(h.open, id)
	// What a core gave up before it asked has happened.
	for _, id := range sortedKeys(h.open) {
		if o := h.open[id]; o.op == opUnexport && o.core == c.core && o.from < c.from {
			o.to, o.unanswered = now, false
			delete(h.open, id)
		}
	}
}

// forget takes a call out: it came to nothing.
func (h *history) forget(id uint32) {
	if h != nil && h.open[id] != nil {
		h.open[id].op = opLookup
		delete(h.open, id)
	}
}

// check judges the history, each name by itself. What was not answered may have
// happened at any time since, an Unexport too; a question that was not
// answered says nothing.
func (h *history) check() error {
	byName := map[session.Name][]porcupine.Operation{}
	for _, c := range h.calls {
		if c.unanswered && (c.op == opLookup || c.op == opWatch) || c.op == opUnexport && h.naming.exports[c.export].taken {
			continue
		}
		end := c.to
		if c.unanswered {
			end = 1 << 40
		}
		byName[c.at] = append(byName[c.at], porcupine.Operation{
			ClientId: int(c.id), Input: c, Output: c.answer, Call: int64(c.from), Return: int64(end),
		})
	}
	for _, at := range h.naming.names {
		switch porcupine.CheckOperationsTimeout(nameModel, byName[at], patience) {
		case porcupine.Ok:
			h.naming.count["judged"]++
			continue
		case porcupine.Unknown:
			h.naming.count["not judged"]++
			continue
		}
		text := ""
		for _, o := range byName[at] {
			text += fmt.Sprintf("\n    %d to %d: %s", o.Call, o.Return, nameModel.DescribeOperation(o.Input, o.Output))
		}
		return fmt.Errorf("there is no order in which this happened to %v:%s", at, text)
	}
	return nil
}

// nameModel is one name, whose state is the export that has it, or nobody.
var nameModel = porcupine.Model{
	Init: func() any { return nobody },
	Step: func(state, input, output any) (bool, any) {
		holder, c, answer := state.(uint32), input.(*call), output.(uint32)
		switch {
		case c.op == opExport && holder == nobody:
			return answer == c.export || answer == unknown, c.export
		case c.op == opExport:
			return answer == taken || answer == unknown, holder
		case c.op == opUnexport && holder == c.export:
			return true, nobody
		case c.op == opUnexport:
			return true, holder
		}
		return answer == holder, holder
	},
	DescribeOperation: func(input, output any) string {
		c := input.(*call)
		return fmt.Sprintf("core %d: %d %s: %d", c.core, c.id, [...]string{"export", "unexport", "lookup", "watch"}[c.op], output)
	},
}

// Act has less happen at once than naming has.
func (l *linear) Act(core uint32) {
	if l.Chance(35) {
		l.naming.Act(core)
	}
}
