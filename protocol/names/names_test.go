package names

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"skerry/lib/session"

	"pgregory.net/rapid"
)

// What must hold when cores keep to the protocol is tested by package simulate.

func mustName(text string) session.Name {
	n, err := session.MakeName(text)
	if err != nil {
		panic(err)
	}
	return n
}

// pair is the agent of core 1 and the registry. What they send each other arrives
// when carry is called.
func pair() (a *Agent, r *Registry, lines *[]string, carry func()) {
	lines = new([]string)
	var up, down []Message
	carry = func() {
		for len(up)+len(down) > 0 {
			for ; len(up) > 0; up = up[1:] {
				r.Handle(1, up[0])
			}
			for ; len(down) > 0; down = down[1:] {
				a.Handle(down[0])
			}
		}
	}
	say := func(format string, arguments ...any) { *lines = append(*lines, fmt.Sprintf(format, arguments...)) }
	r = NewRegistry(func(_ uint32, m Message) { down = append(down, m) })
	a = NewAgent(1, 0, 3, func(_ uint32, m Message) { up = append(up, m) }, Answers{
		Exported: func(program, export uint32, err session.Error) { say("exported %d %d: %v", program, export, err) },
		Found: func(program, request uint32, e Entry, err session.Error) {
			say("found %d %d: %d, %v", program, request, e.Export, err)
		},
		Gone: func(program, request uint32, err session.Error) { say("gone %d %d: %v", program, request, err) },
	})
	return a, r, lines, carry
}

func TestLifeOfAName(t *testing.T) {
	a, r, lines, carry := pair()
	store := mustName("store")
	a.Lookup(1, 1, store, true)
	a.Export(2, 7, store, 1, 0)
	a.Export(3, 8, store, 1, 0)
	if _, _, ok := a.Exports(2, 7); ok {
		t.Error("an export counts before it is answered")
	}
	carry()
	if at, e, ok := a.Exports(2, 7); !ok || at != store || e.Version != 1 {
		t.Errorf("export 7 of program 2: %v, %v, %v", at, e, ok)
	}
	if _, _, ok := a.Exports(3, 8); ok {
		t.Error("an export counts though it was refused")
	}
	a.Watch(1, 2, store)
	a.Watch(1, 3, store)
	a.Watch(1, 3, store)
	a.Lookup(1, 4, store, false)
	carry()
	a.Lookup(1, 5, store, false)
	carry()
	a.Cancel(1, 3)
	if list, entries := r.Names(); !slices.Equal(list, []session.Name{store}) || entries[0].Program != 2 {
		t.Errorf("names %v, %v", list, entries)
	}
	a.Ended(2)
	a.Lookup(1, 6, store, false)
	carry()
	want := []string{
		"exported 2 7: no error", "found 1 1: 7, no error", "exported 3 8: " + session.ErrTaken.Error(),
		"gone 1 3: " + session.ErrArgument.Error(), "found 1 4: 7, no error", "found 1 5: 7, no error",
		"gone 1 3: " + session.ErrCancelled.Error(), "gone 1 2: no error", "found 1 6: 0, " + session.ErrNotFound.Error(),
	}
	if !slices.Equal(*lines, want) {
		t.Errorf("got  %q\nwant %q", *lines, want)
	}
	if !a.Idle() || !r.Idle() {
		t.Error("something is left")
	}
}

func TestLimit(t *testing.T) {
	a, _, lines, _ := pair()
	for i := range uint32(4) {
		a.Lookup(1, i, mustName("x"), true)
	}
	if want := []string{"found 1 3: 0, " + session.ErrLimit.Error()}; !slices.Equal(*lines, want) {
		t.Errorf("got %q, want %q", *lines, want)
	}
}

func TestMessageIsFixed(t *testing.T) {
	if n := binary.Size(Message{}); n <= 0 {
		t.Errorf("a message has %d bytes", n)
	}
}

// TestGarbage gives the registry and an agent what no core would send: they may do
// anything with that but panic.
func TestGarbage(t *testing.T) {
	at := []session.Name{{}, mustName("a"), mustName("b")}
	rapid.Check(t, func(rt *rapid.T) {
		a, r, _, carry := pair()
		for range rapid.IntRange(1, 50).Draw(rt, "steps") {
			small := func(name string) uint32 { return rapid.Uint32Range(0, 4).Draw(rt, name) }
			name := at[rapid.IntRange(0, 2).Draw(rt, "name")]
			m := Message{
				Kind:  Kind(rapid.Uint8Range(0, uint8(NumKinds)).Draw(rt, "kind")),
				Error: session.Error(small("error")), Number: small("number"), Name: name,
			}
			switch small("what") {
			case 0:
				a.Handle(m)
			case 1:
				a.Export(small("program"), small("export"), name, 0, 0)
				a.Unexport(small("program"), small("export"))
			case 2:
				a.Watch(small("program"), small("request"), name)
				a.Cancel(small("program"), small("request"))
				a.Ended(small("program"))
			case 3:
				if small("lost") == 0 {
					a.Lost(small("core"))
					r.Lost(small("core"))
				}
			default:
				r.Handle(small("from"), m)
			}
			if small("carry") == 0 {
				carry()
			}
		}
	})
}
