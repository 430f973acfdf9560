package binding

import (
	"fmt"
	"slices"
	"testing"

	"skerry/lib/session"

	"pgregory.net/rapid"
)

// What must hold when cores keep to the protocol is tested by package simulate.

// log is a monitor that does all that it is asked, and says what.
type log struct {
	lines  []string
	queues map[[2]uint32][]Message[string]
}

func (l *log) say(format string, arguments ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, arguments...))
}

func (l *log) Offered(id ID, to Export, d string) session.Error {
	l.say("offered %d, with %s", to.Export, d)
	return session.ErrNone
}
func (l *log) Accepted(id ID, d string) session.Error {
	l.say("accepted, with %s", d)
	return session.ErrNone
}
func (l *log) Bound(id ID, err session.Error) { l.say("bound: %v", err) }
func (l *log) Gone(e End, err session.Error)  { l.say("side %d: gone: %v", e.Side, err) }
func (l *log) Remove(e End) bool              { l.say("side %d: remove", e.Side); return true }
func (l *log) Free(e End)                     { l.say("side %d: free", e.Side) }
func (l *log) core(self uint32) *Core[string] {
	return NewCore[string](self, l, func(to uint32, m Message[string]) {
		way := [2]uint32{self, to}
		l.queues[way] = append(l.queues[way], m)
	})
}

// TestLifeOfABinding binds, and has the exporter close first.
func TestLifeOfABinding(t *testing.T) {
	l := &log{queues: map[[2]uint32][]Message[string]{}}
	cores := []*Core[string]{l.core(0), l.core(1)}
	carry := func(from, to uint32) {
		t.Helper()
		way := [2]uint32{from, to}
		if len(l.queues[way]) != 1 {
			t.Fatalf("core %d has sent core %d %d messages", from, to, len(l.queues[way]))
		}
		m := l.queues[way][0]
		l.queues[way] = nil
		cores[to].Handle(from, m)
	}
	id, err := cores[0].Bind(3, 1, Export{Program: 4, Export: 5}, "a frame")
	if err != session.ErrNone {
		t.Fatal(err)
	}
	carry(0, 1)
	if !cores[1].Accept(id, "a board") || cores[1].Accept(id, "another") {
		t.Error("an offer is accepted once")
	}
	carry(1, 0)
	cores[1].Close(End{id, Exporter}, session.ErrNone)
	carry(1, 0)
	cores[0].Close(End{id, Client}, session.ErrNone)
	carry(0, 1)
	want := []string{
		"offered 5, with a frame", "accepted, with a board", "bound: no error",
		"side 1: remove", "side 0: gone: no error", "side 0: remove", "side 0: free", "side 1: free",
	}
	if !slices.Equal(l.lines, want) {
		t.Errorf("got  %q\nwant %q", l.lines, want)
	}
	if !cores[0].Idle() || !cores[1].Idle() {
		t.Error("something is left")
	}
}

// TestGarbage gives a core what no other core would send: it may do anything with
// that but panic.
func TestGarbage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := &log{queues: map[[2]uint32][]Message[string]{}}
		c := l.core(1)
		for range rapid.IntRange(1, 50).Draw(rt, "steps") {
			small := func(name string) uint32 { return rapid.Uint32Range(0, 3).Draw(rt, name) }
			e := End{ID{small("core"), small("number")}, Side(small("side") & 1)}
			switch small("what") {
			case 0:
				c.Bind(small("program"), small("to"), Export{}, "")
				c.Accept(e.ID, "")
			case 1:
				c.Close(e, session.Error(small("why")))
				c.Removed(e)
				c.Cancel(e.ID)
			case 2:
				c.Ended(small("program"))
				if small("lost") == 0 {
					c.Lost(small("core"))
					c.Cut(small("core"))
				}
			default:
				c.Handle(small("from"), Message[string]{
					Kind: Kind(rapid.Uint8Range(0, uint8(NumKinds)).Draw(rt, "kind")), To: e.Side, ID: e.ID,
					Error: session.Error(small("error")), Export: Export{Program: small("exporter")},
				})
			}
		}
	})
}
