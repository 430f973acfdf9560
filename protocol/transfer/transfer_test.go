package transfer

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"skerry/abi/capability"
	"skerry/lib/session"
	"skerry/lib/urpc"

	"pgregory.net/rapid"
)

// What must hold when cores keep to the protocol is tested by package simulate.

// log is a kernel that does all that it is asked, and says what.
type log struct{ lines []string }

func (l *log) say(format string, arguments ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, arguments...))
}

func (l *log) Pin(o Object, request uint32) session.Error {
	l.say("pin %v for %d", o, request)
	return session.ErrNone
}
func (l *log) Unpin(o Object) { l.say("unpin %v", o) }
func (l *log) Copy(o Object, a Arrival) session.Error {
	l.say("copy %v to %d", o, a.To)
	return session.ErrNone
}
func (l *log) Import(o Object, a Arrival) session.Error {
	l.say("import %v to %d", o, a.To)
	return session.ErrNone
}
func (l *log) Bell(number uint64, a Arrival) session.Error {
	l.say("bell %d to %d", number, a.To)
	return session.ErrNone
}
func (l *log) Remove(o Object) bool { l.say("remove %v", o); return false }

func newLogged(self uint32) (*Core, *log) {
	l := &log{}
	return NewCore(self, l, func(to uint32, m Message) { l.say("to %d: %v", to, m.Kind) }, Answers{
		Given:     func(request uint32, err session.Error) { l.say("given %d: %v", request, err) },
		Withdrawn: func(request uint32, err session.Error) { l.say("withdrawn %d: %v", request, err) },
	}), l
}

// TestWithdrawal follows one object from core 0 to core 1, and from there to core 2,
// and back.
func TestWithdrawal(t *testing.T) {
	c, l := newLogged(0)
	o := Object{Owner: 0, Base: 0x1000, Size: 0x2000}
	c.Give(Give{Request: 5, Object: o, Core: 1, To: 7, Rights: capability.RightRead})
	c.Handle(1, Message{Kind: Imported, Request: 1})
	c.Handle(1, Message{Kind: Ask, Base: o.Base, Size: o.Size, Request: 9, Core: 2, To: 8})
	c.Withdraw(6, 0x2000, 0x1000)
	c.Give(Give{Request: 10, Object: o, Core: 2})
	c.Handle(2, Message{Kind: Imported, Request: 2})
	c.Handle(1, Message{Kind: Dropped, Base: o.Base, Size: o.Size, Count: 1})
	c.Handle(2, Message{Kind: Removed, Base: o.Base, Size: o.Size})
	want := []string{
		"pin {0 4096 8192} for 5", "to 1: Import", "given 5: no error", "to 2: Import",
		"to 1: Remove", "to 2: Remove", "given 10: " + session.ErrWithdrawn.Error(),
		"to 1: Given", "unpin {0 4096 8192}", "withdrawn 6: no error",
	}
	if !slices.Equal(l.lines, want) {
		t.Errorf("got  %q\nwant %q", l.lines, want)
	}
	if !c.Idle() {
		t.Error("something is left")
	}
}

// TestCut withdraws from a core that cannot be reached, which turns out to be lost.
func TestCut(t *testing.T) {
	c, l := newLogged(0)
	o := Object{Owner: 0, Base: 0x1000, Size: 0x1000}
	c.Give(Give{Request: 1, Object: o, Core: 1})
	c.Cut(1)
	c.Withdraw(2, o.Base, o.Size)
	c.Give(Give{Request: 3, Object: o, Core: 1})
	c.Give(Give{Request: 4, Object: o, Core: 2})
	c.Lost(1)
	c.Give(Give{Request: 5, Object: o, Core: 2})
	c.Give(Give{Request: 6, Object: o, Core: 0})
	c.Give(Give{Request: 7, Object: Object{Owner: 2, Base: 0x1000, Size: 0x1000}, Core: 3})
	core := session.ErrCore.Error()
	want := []string{
		"pin {0 4096 4096} for 1", "to 1: Import", "given 1: " + core, "withdrawn 2: " + core,
		"given 3: " + core, "given 4: " + session.ErrWithdrawn.Error(),
		"unpin {0 4096 4096}", "pin {0 4096 4096} for 5", "to 2: Import",
		"given 6: " + session.ErrArgument.Error(), "given 7: " + session.ErrCapability.Error(),
	}
	if !slices.Equal(l.lines, want) {
		t.Errorf("got  %q\nwant %q", l.lines, want)
	}
}

func TestMessageFitsASlot(t *testing.T) {
	if n := binary.Size(Message{}); n <= 0 || n > urpc.PayloadSize {
		t.Errorf("a message has %d bytes", n)
	}
}

// TestGarbage gives a core what no other core would send: it may do anything with
// that but panic.
func TestGarbage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c, _ := newLogged(1)
		for range rapid.IntRange(1, 50).Draw(rt, "steps") {
			small := func(name string) uint32 { return rapid.Uint32Range(0, 3).Draw(rt, name) }
			o := Object{small("owner"), uint64(small("base")), uint64(small("size"))}
			switch small("what") {
			case 0:
				c.Give(Give{Request: small("request"), Object: o, Core: small("core")})
			case 1:
				c.GiveBell(Give{Request: small("request"), Core: small("core")})
				c.Withdraw(small("request"), o.Base, o.Size)
				c.Removed(o)
			case 2:
				c.Drop(o)
				if small("lost") == 0 {
					c.Lost(small("core"))
					c.Cut(small("core"))
				}
			default:
				c.Handle(small("from"), Message{
					Kind:  Kind(rapid.Uint8Range(0, uint8(NumKinds)).Draw(rt, "kind")),
					Error: session.Error(small("error")), Base: o.Base, Size: o.Size,
					Request: small("request"), Core: small("core"), To: small("to"), Count: rapid.Uint32().Draw(rt, "count"),
				})
			}
		}
	})
}

// TestImports takes two imports of one object, and drops both when nothing is left.
func TestImports(t *testing.T) {
	c, l := newLogged(1)
	o := Object{Owner: 0, Base: 0x1000, Size: 0x1000}
	for request := range uint32(2) {
		c.Handle(0, Message{Kind: Import, Base: o.Base, Size: o.Size, Request: request, To: 7})
	}
	if got := c.Imports(); !slices.Equal(got, []Object{o}) {
		t.Errorf("imports of %v", got)
	}
	c.send = func(to uint32, m Message) { l.say("to %d: %v %d", to, m.Kind, m.Count) }
	c.Drop(o)
	c.Drop(o)
	c.Handle(0, Message{Kind: Remove, Base: o.Base, Size: o.Size})
	want := []string{"import {0 4096 4096} to 7", "to 0: Imported", "import {0 4096 4096} to 7", "to 0: Imported", "to 0: Dropped 2"}
	if !slices.Equal(l.lines, want) || !c.Idle() {
		t.Errorf("got  %q\nwant %q", l.lines, want)
	}
}

// TestBell gives doorbells to a core, which is lost before it has answered all.
func TestBell(t *testing.T) {
	c, l := newLogged(1)
	give := func(request, core uint32) {
		c.GiveBell(Give{Request: request, Object: Object{Base: 70}, Core: core, To: 7})
	}
	c.Handle(2, Message{Kind: Bell, Base: 70, Request: 9, To: 7})
	give(4, 2)
	give(5, 2)
	c.Handle(2, Message{Kind: Imported, Request: 1, Error: session.ErrFull})
	c.Lost(2)
	give(6, 2)
	give(8, 1)
	want := []string{
		"bell 70 to 7", "to 2: Imported", "to 2: Bell", "to 2: Bell", "given 4: " + session.ErrFull.Error(),
		"given 5: " + session.ErrCore.Error(), "given 6: " + session.ErrCore.Error(), "given 8: " + session.ErrArgument.Error(),
	}
	if !slices.Equal(l.lines, want) || !c.Idle() {
		t.Errorf("got  %q\nwant %q", l.lines, want)
	}
}
