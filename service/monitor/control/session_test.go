package control_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/link"
	"skerry/lib/manifest"
	"skerry/lib/session"
	"skerry/service/monitor/agenttest"
)

// speaking returns a program that is given messages.
func speaking(core int, path string) manifest.Program {
	p := on(core, path)
	p.Capabilities = []string{manifest.Messages}
	return p
}

func nameOf(s string) session.Name {
	n, err := session.MakeName(s)
	if err != nil {
		panic(err)
	}
	return n
}

// expectNothingShared checks that nothing is left of what programs had in common.
func (x *machine) expectNothingShared() {
	x.t.Helper()
	for core, k := range x.kernels {
		if n := k.Faults(); n != 0 {
			x.t.Errorf("core %d: %d words were written that were not mapped any more", core, n)
		}
		if frames, taken, exchanges := k.Shares(); !k.Lost && frames+taken+exchanges != 0 {
			x.t.Errorf("core %d: %d frames, %d capabilities, %d exchanges left", core, frames, taken, exchanges)
		}
	}
	if !x.control.NamesIdle() {
		x.t.Error("the registry has names or waits")
	}
}

// decoded are the messages of a session, by kind.
var decoded = map[uint8]func() any{
	session.KindExported:  func() any { return new(session.Exported) },
	session.KindFound:     func() any { return new(session.Found) },
	session.KindNameGone:  func() any { return new(session.NameGone) },
	session.KindIncoming:  func() any { return new(session.Incoming) },
	session.KindBound:     func() any { return new(session.Bound) },
	session.KindGone:      func() any { return new(session.Gone) },
	session.KindArrived:   func() any { return new(session.Arrived) },
	session.KindGiven:     func() any { return new(session.Given) },
	session.KindWithdrawn: func() any { return new(session.Withdrawn) },
}

// hear returns what the monitor has said.
func hear(d *agenttest.Domain) (list []any) {
	for m := hearOne(d); m != nil; m = hearOne(d) {
		list = append(list, m)
	}
	return list
}

// hearOne returns the next that the monitor has said, nil if there is none.
func hearOne(d *agenttest.Domain) any {
	kind, b, ok := d.Hear()
	if !ok {
		return nil
	}
	empty := decoded[kind]
	if empty == nil {
		panic(fmt.Sprintf("a monitor says something of kind %d", kind))
	}
	m := empty()
	if !session.Get(b, len(b), m) {
		panic(fmt.Sprintf("a monitor says %T in %d bytes", m, len(b)))
	}
	return m
}

// take takes four slots of an exchange, the first with a frame of some size, or one with an
// endpoint, unless whose that is has died meanwhile.
func take(d *agenttest.Domain, transport, first uint8, size uint32) (slots []*agenttest.Slot) {
	n, what := uint32(4), capability.Frame
	lmp := transport == uint8(channel.TransportLMP)
	if lmp {
		n, what = 1, capability.Endpoint
	}
	for i := range n {
		switch s := d.Take(uint32(first) + i); {
		case s == nil && lmp:
		case s == nil:
			panic(fmt.Sprintf("nothing is in slot %d of the exchange", uint32(first)+i))
		case i == 0 && (s.Type != what || !lmp && s.Size != uint64(size)):
			panic(fmt.Sprintf("slot %d of the exchange holds a %v of %d bytes", first, s.Type, s.Size))
		default:
			slots = append(slots, s)
		}
	}
	return slots
}

// server exports "store", accepts everybody, and writes what it hears.
func server(d *agenttest.Domain) {
	if d.State == nil {
		d.State = map[uint32][]*agenttest.Slot{}
		d.Say(session.KindExport, &session.Export{ID: 3, Version: 7, Fingerprint: 9, Name: nameOf("store")})
	}
	bindings := d.State.(map[uint32][]*agenttest.Slot)
	for _, m := range hear(d) {
		d.Write(1, fmt.Sprintf("%T ", m)[len("*session."):])
		switch m := m.(type) {
		case *session.Incoming:
			bindings[m.Binding] = take(d, m.Transport, m.Slot, m.Size)
			d.Say(session.KindAnswer, &session.Answer{Binding: m.Binding, Hint: 5})
		case *session.Arrived:
			d.Take(uint32(m.Slot))
		case *session.Gone:
			for _, s := range bindings[m.Binding] {
				d.Drop(s)
			}
			d.Say(session.KindClose, &session.Close{Binding: m.Binding})
		}
	}
}

// client looks "store" up, binds to it, gives it a frame, withdraws that, closes,
// and ends.
func client(d *agenttest.Domain) {
	if d.State == nil {
		d.State = []*agenttest.Slot{}
		d.Say(session.KindLookup, &session.Lookup{Request: 1, Wait: 1, Name: nameOf("store")})
	}
	for _, m := range hear(d) {
		switch m := m.(type) {
		case *session.Found:
			d.Write(1, fmt.Sprintf("found %+v\n", *m))
			d.Say(session.KindBind, &session.Bind{Request: 2, Version: 7, Fingerprint: 9, Depth: 31, Hint: 4, Transport: uint8(channel.TransportPolled), Name: nameOf("store")})
		case *session.Bound:
			slots := take(d, m.Transport, m.Slot, m.Size)
			for _, s := range slots {
				d.Write(1, fmt.Sprintf("%v %d of %d\n", s.Type, s.Rights, s.Owner))
			}
			d.Write(1, fmt.Sprintf("bound hint %d size %d error %d\n", m.Hint, m.Size, m.Error))
			d.State = slots
			d.Exchange()[2] = d.OwnFrame(0)
			d.Say(session.KindGive, &session.Give{Binding: m.Binding, Ticket: 77, Slot: 2, Rights: uint8(capability.RightRead)})
		case *session.Given:
			d.Write(1, fmt.Sprintf("given %d error %d\n", m.Ticket, m.Error))
			d.Exchange()[3] = d.OwnFrame(0)
			d.Say(session.KindWithdraw, &session.Withdraw{Request: 8, Slot: 3})
			d.Say(session.KindClose, &session.Close{Binding: m.Binding})
		case *session.Withdrawn:
			d.Write(1, fmt.Sprintf("withdrawn error %d\n", m.Error))
			d.Exit(abi.ExitCode, 0)
		default:
			d.Write(1, fmt.Sprintf("%T\n", m))
		}
	}
}

var speakers = map[string]func(*agenttest.Domain){"server": server, "client": client, "chaos": chaos, "holder": holder, "seeker": seeker}

// seeker binds to "store", when it is there, by whatever there is.
func seeker(d *agenttest.Domain) {
	if d.State == nil {
		d.State = ""
		d.Say(session.KindLookup, &session.Lookup{Request: 1, Wait: 1, Name: nameOf("store")})
	}
	for _, m := range hear(d) {
		switch m := m.(type) {
		case *session.Found:
			d.Say(session.KindBind, &session.Bind{Request: 2, Version: 7, Fingerprint: 9, Depth: 32, Name: nameOf("store")})
		case *session.Bound:
			d.State = fmt.Sprintf("%v, %v on core %d, same %d", channel.Transport(m.Transport), m.Error, m.Facts.Core, m.Facts.SameCore)
		}
	}
}

// TestSeek: without a transport two cores are bound by doorbell, and a program of the same core is
// told that it is one.
func TestSeek(t *testing.T) {
	x := newMachineOf(t, 3, &manifest.Manifest{Programs: []manifest.Program{
		speaking(2, "server"), speaking(1, "seeker"), speaking(2, "seeker"),
	}, Link: true, PowerOff: true}, speakers)
	x.run()
	for core, want := range map[int]string{
		1: "doorbell, no error on core 2, same 0",
		2: fmt.Sprintf("any, %v on core 2, same 1", session.ErrNear),
	} {
		if got := x.running(core, "seeker").State; got != want {
			t.Errorf("core %d: %v, want %s", core, got, want)
		}
	}
	x.control.Host(killAll())
	x.run()
	x.expectSettled()
	x.expectNothingShared()
}

// holder binds to "store" as soon as it is there, and stays.
func holder(d *agenttest.Domain) {
	if d.State == nil {
		d.State = ""
		d.Say(session.KindLookup, &session.Lookup{Request: 1, Wait: 1, Name: nameOf("store")})
	}
	for _, m := range hear(d) {
		switch m := m.(type) {
		case *session.Found:
			if m.Request != 1 {
				d.State = fmt.Sprintf("%v, then found: %v", d.State, m.Error)
				break
			}
			d.Say(session.KindBind, &session.Bind{Request: 2, Version: 7, Fingerprint: 9, Depth: 31, Transport: uint8(channel.TransportDoorbell), Name: nameOf("store")})
		case *session.Bound:
			take(d, m.Transport, m.Slot, m.Size)
			d.State = fmt.Sprintf("bound %v", m.Error)
		case *session.Gone:
			d.State = fmt.Sprintf("gone: %v", m.Error)
		}
	}
}

// running returns the program of a name that runs on a core.
func (x *machine) running(core int, name string) *agenttest.Domain {
	for _, d := range x.kernels[core].Running() {
		if d.Name == name {
			return d
		}
	}
	x.t.Fatalf("no %s on core %d", name, core)
	return nil
}

// TestChannels lists bindings.
func TestChannels(t *testing.T) {
	x := newMachineOf(t, 3, &manifest.Manifest{Programs: []manifest.Program{speaking(2, "server"), speaking(0, "holder"), speaking(2, "holder")}}, speakers)
	x.run()
	x.console.Reset()
	x.command("channels")
	x.run()
	want := "client server transport memory name 2@0 2@2 doorbell 8 KiB store 3@2 2@2 doorbell 8 KiB store"
	if got := strings.Join(strings.Fields(x.console.String()), " "); got != want {
		t.Errorf("channels shows\n%s\nwant\n%s", got, want)
	}
}

// TestNamesWaitedFor lists the names that programs wait for, as long as they do.
func TestNamesWaitedFor(t *testing.T) {
	m := &manifest.Manifest{Programs: []manifest.Program{speaking(2, "holder"), speaking(0, "holder"), speaking(2, "holder"), speaking(1, "holder")}, Link: true}
	x := newMachineOf(t, 3, m, speakers)
	x.run()
	x.expectNamed("Nobody exports a name. Programs on core 0, 1, 2 wait for store.")
	x.control.Host(killOne(3))
	x.run()
	x.expectNamed("Nobody exports a name. Programs on core 0, 2 wait for store.")
	x.control.Host(killAll())
	x.run()
	x.expectNamed("Nobody exports a name.")
}

// TestServersCoreLost: who is bound to a program of a core that is lost hears so, what
// it looks up is not found, and its own memory comes back.
func TestServersCoreLost(t *testing.T) {
	x := newMachineOf(t, 3, &manifest.Manifest{Programs: []manifest.Program{speaking(2, "server"), speaking(0, "holder"), speaking(1, "holder")}, Link: true}, speakers)
	x.run()
	x.lose(2)
	x.run()
	for core := range 2 {
		if got := x.running(core, "holder").State; got != "gone: a core is lost or does not answer" {
			t.Errorf("core %d: %v", core, got)
		}
	}
	x.command("names")
	x.run()
	if got := x.console.String(); !strings.Contains(got, "Nobody exports a name.") {
		t.Errorf("names shows %s", got)
	}
	x.control.Host(killAll())
	x.run()
	x.expectSettled()
	x.expectNothingShared()
}

// TestAlone: where core 0 is lost, bindings of one core go on, and others end.
func TestAlone(t *testing.T) {
	x := newMachineOf(t, 2, &manifest.Manifest{Programs: []manifest.Program{speaking(1, "server"), speaking(0, "holder"), speaking(1, "holder")}}, speakers)
	x.run()
	x.silent[0], x.kernels[0].Lost = true, true
	x.agents[1].Alone()
	d := x.running(1, "holder")
	d.Say(session.KindLookup, &session.Lookup{Request: 9, Wait: 1, Name: nameOf("store")})
	for range 10 {
		x.work(1)
	}
	if d.State != "bound no error, then found: a core is lost or does not answer" {
		t.Errorf("a binding on one core: %v", d.State)
	}
	if n := x.running(1, "server").State.(map[uint32][]*agenttest.Slot); len(n) != 2 {
		t.Errorf("the server has had %d bindings", len(n))
	}
}

// TestSpannedSession: a program on several cores has its session at home.
func TestSpannedSession(t *testing.T) {
	client := speaking(1, "client")
	client.Cores = []int{0, 2}
	server := speaking(2, "server")
	server.Cores = []int{1}
	x := newMachineOf(t, 3, &manifest.Manifest{Programs: []manifest.Program{server, client}, Link: true, PowerOff: true}, speakers)
	x.run()
	x.control.Host(killAll())
	x.run()
	if got := strings.Join(x.frames(), "\n"); !strings.Contains(got, "withdrawn error 0") || !strings.Contains(got, "Core:2") {
		t.Error(got)
	}
	x.expectSettled()
	x.expectNothingShared()
}

// TestSession has a client bind to a server, on the same core and on others.
func TestSession(t *testing.T) {
	for _, cores := range [][2]int{{0, 0}, {1, 1}, {0, 1}, {1, 0}, {2, 1}, {1, 3}} {
		x := newMachineOf(t, 4, &manifest.Manifest{
			Programs: []manifest.Program{speaking(cores[1], "client"), speaking(cores[0], "server")}, Link: true, PowerOff: true,
		}, speakers)
		for _, k := range x.kernels {
			k.SlowExpel, k.SlowFrames = 3, 3
		}
		x.run()
		x.expectNamed(fmt.Sprintf("name  version  core  domain  program\n store        7     %d       %d  server\n", cores[0], 2+btoi(cores[0] == cores[1])))
		x.control.Host(killAll())
		x.run()
		got := strings.Join(x.frames(), "\n")
		same, cache := btoi(cores[0] == cores[1]), btoi(cores[0]/2 == cores[1]/2)
		bell := fmt.Sprintf("RemoteDoorbell %d of %d", capability.RightSend, cores[1])
		if same == 1 {
			bell = bell[len("Remote"):]
		}
		for _, want := range []string{
			fmt.Sprintf("found {Request:1 Version:7 Fingerprint:9 Facts:{SameDomain:0 SameCore:%d SharedCache:%d Distance:10 Core:%d Load:%d} Error:no error}", same, cache, cores[0], 1+same),
			fmt.Sprintf("Frame 3 of %d\nFrame 1 of %d\nFrame 3 of %d\n%s\n", cores[1], cores[0], cores[0], bell),
			"bound hint 5 size 8192 error 0\ngiven 77 error 0\nwithdrawn error 0\n",
			"Exported Incoming Arrived Gone",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%v: lacks\n%s\n%s", cores, want, got)
			}
		}
		x.expectSettled()
		x.expectNothingShared()
	}
}

func killAll() link.Frame { return killOne(link.None) }

func killOne(program uint32) link.Frame {
	return link.Frame{Kind: link.Kill, Program: uint16(program)}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// expectNamed checks what the prompt says of names.
func (x *machine) expectNamed(want string) {
	x.t.Helper()
	x.console.Reset()
	x.command("names")
	x.run()
	if got := x.console.String(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		x.t.Errorf("names shows\n%s\nwant\n%s", got, want)
	}
	x.console.Reset()
}

// speaker is what a program that does anything at all knows.
type speaker struct {
	r        *rand.Rand
	next     uint32
	bindings map[uint32]*had
	asked    map[uint32]string // what it has asked and has no answer to
	names    map[uint32]session.Name
	stays    bool // until it is killed
	exports  map[uint32]bool
	closed   map[uint32]bool
	received []*agenttest.Slot
}

type had struct {
	slots []*agenttest.Slot
	new   bool   // it is to be answered
	reply uint32 // slot for its endpoint, if it is to have one
	gone  bool
}

// chances seeds the programs; each draws its own seed.
var chances *rand.Rand

func (s *speaker) binding() (uint32, *had) {
	for _, n := range sortedKeys(s.bindings) {
		if s.r.IntN(2) == 0 {
			return n, s.bindings[n]
		}
	}
	return 0, nil
}

func sortedKeys[V any](m map[uint32]V) (keys []uint32) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// answered holds that something was asked, and answered once.
func (s *speaker) answered(id uint32, what ...string) {
	if !slices.Contains(what, s.asked[id]) {
		panic(fmt.Sprintf("%v %d is answered and was not asked", what, id))
	}
	delete(s.asked, id)
}

// owed returns how often it has asked something of a kind and has no answer; and without a kind,
// how often it has asked what need not wait for any program.
func (s *speaker) owed(what string) (n int) {
	for _, asked := range s.asked {
		if asked == what || what == "" && !slices.Contains([]string{"bind", "wait", "watch"}, asked) {
			n++
		}
	}
	return n
}

// expectAnswered checks that nobody waits for what can be said: whatever has been asked that
// waits for no program, for names that are there, for the end of names that are not, and to be bound
// but for exporters that have yet to answer.
func (x *machine) expectAnswered() {
	x.t.Helper()
	bind, incoming := 0, 0
	for core, k := range x.kernels {
		if k.Lost {
			continue
		}
		for _, d := range k.Running() {
			s, ok := d.State.(*speaker)
			if !ok {
				continue
			}
			if s.owed("") > 0 {
				x.t.Errorf("core %d, domain %d: never answered: %v", core, d.Number, s.asked)
			}
			for id, asked := range s.asked {
				if name := s.names[id]; asked == "wait" && x.control.Named(name) || asked == "watch" && !x.control.Named(name) {
					x.t.Errorf("core %d, domain %d: %s %d, of %s, is not answered", core, d.Number, asked, id, name)
				}
			}
			bind += s.owed("bind")
			for _, b := range s.bindings {
				if b.new {
					incoming++
				}
			}
		}
	}
	if bind > incoming {
		x.t.Errorf("%d wait to be bound, and %d have been asked", bind, incoming)
	}
}

// something returns a frame of the program's, or a copy of what it was given and may
// give on.
func (s *speaker) something(d *agenttest.Domain) *agenttest.Slot {
	if n := len(s.received); n > 0 && s.r.IntN(2) == 0 {
		got := s.received[s.r.IntN(n)]
		if slices.Contains(d.Kept, got) && got.Rights&capability.RightGrant != 0 { // it has not been withdrawn
			copied := *got
			return &copied
		}
	}
	if s.r.IntN(8) == 0 {
		return &agenttest.Slot{
			Type: capability.RemoteDoorbell, Rights: capability.RightSend | capability.RightGrant,
			Base: uint64(s.r.IntN(4 * abi.CoreDispatchers)), Size: 1,
		}
	}
	return d.OwnFrame(uint64(s.r.IntN(3)))
}

// chaos does whatever a program can, in any order, for a while.
func chaos(d *agenttest.Domain) {
	if d.State == nil {
		d.State = &speaker{
			r: rand.New(rand.NewPCG(chances.Uint64(), 1)), names: map[uint32]session.Name{}, stays: chances.IntN(2) == 0, bindings: map[uint32]*had{}, asked: map[uint32]string{}, exports: map[uint32]bool{}, closed: map[uint32]bool{},
		}
	}
	s := d.State.(*speaker)
	r := s.r
	heard := false // all that was said
	for !heard && r.IntN(8) != 0 {
		switch m := hearOne(d).(type) {
		case nil:
			heard = true
		case *session.Exported:
			s.answered(m.ID, "export")
			if m.Error != session.ErrNone {
				delete(s.exports, m.ID)
			}
		case *session.Found:
			s.answered(m.Request, "lookup", "wait")
		case *session.NameGone:
			s.answered(m.Request, "watch")
		case *session.Withdrawn:
			s.answered(m.Request, "withdraw")
		case *session.Given:
			s.answered(m.Ticket, "give")
		case *session.Bound:
			s.answered(m.Request, "bind")
			if m.Error == session.ErrNone {
				s.bindings[m.Binding] = &had{slots: take(d, m.Transport, m.Slot, m.Size)}
			}
		case *session.Incoming:
			b := &had{slots: take(d, m.Transport, m.Slot, m.Size), new: true}
			if m.Transport == uint8(channel.TransportLMP) {
				b.reply = uint32(m.Slot)
			}
			s.bindings[m.Binding] = b
		case *session.Gone:
			// It may have closed it meanwhile.
			if b := s.bindings[m.Binding]; b == nil && !s.closed[m.Binding] || b != nil && b.gone {
				panic("a binding is gone that is not there")
			} else if b != nil {
				b.gone = true
			}
		case *session.Arrived:
			if s.bindings[m.Binding] == nil && !s.closed[m.Binding] {
				panic("a capability arrived for nobody")
			}
			if slot := d.Take(uint32(m.Slot)); slot != nil {
				if slot.Type == capability.Frame && slot.Size != abi.PageSize {
					panic("what nobody gives has arrived")
				}
				s.received = append(s.received, slot)
			}
		}
	}
	name := nameOf(fmt.Sprintf("name%d", r.IntN(4)))
	transport := uint8([]channel.Transport{channel.TransportPolled, channel.TransportDoorbell, channel.TransportLMP, channel.TransportTCP, channel.TransportAny}[r.IntN(5)])
	const endpoint = 9
	put := func(slot uint32, what *agenttest.Slot) {
		if d.Exchange()[slot] == nil {
			d.Exchange()[slot] = what
		}
	}
	endpointSlot := &agenttest.Slot{Type: capability.Endpoint, Rights: capability.AllRights, Base: d.Memory.Base, Size: 256, Owner: d.Memory.Root.Node}
	if s.next >= 60 {
		if r.IntN(3) == 0 && !s.stays && s.owed("") == 0 {
			d.Exit(abi.ExitCode, 0)
		}
		return
	}
	s.next++
	id := s.next
	switch r.IntN(14) {
	case 0:
		if d.Say(session.KindExport, &session.Export{ID: id, Version: 1, Name: name}) {
			s.asked[id], s.exports[id] = "export", true
		}
	case 1:
		for _, e := range sortedKeys(s.exports) {
			if s.asked[e] == "" {
				d.Say(session.KindUnexport, &session.Unexport{ID: e})
				delete(s.exports, e)
				break
			}
		}
	case 2:
		wait := r.IntN(2)
		if d.Say(session.KindLookup, &session.Lookup{Request: id, Wait: uint8(wait), Name: name}) {
			s.asked[id], s.names[id] = []string{"lookup", "wait"}[wait], name
		}
	case 3:
		if d.Say(session.KindWatch, &session.Watch{Request: id, Name: name}) {
			s.asked[id], s.names[id] = "watch", name
		}
	case 4:
		d.Say(session.KindCancel, &session.Cancel{Request: uint32(r.IntN(int(id)))})
	case 5, 6, 7:
		put(endpoint, endpointSlot)
		if d.Say(session.KindBind, &session.Bind{Request: id, Version: uint32(1 + r.IntN(20)/19), Depth: uint16(r.IntN(100)), Transport: transport, Endpoint: endpoint, Name: name}) {
			s.asked[id] = "bind"
		}
	case 8, 9:
		if n, b := s.binding(); b != nil && b.new {
			if b.reply != 0 {
				put(b.reply, endpointSlot)
			}
			b.new = false
			refuse := session.Error(r.IntN(4) / 3)
			if d.Say(session.KindAnswer, &session.Answer{Binding: n, Error: refuse}); refuse != session.ErrNone {
				delete(s.bindings, n)
				s.closed[n] = true
			}
		}
	case 10:
		if n, b := s.binding(); b != nil {
			for _, slot := range b.slots {
				d.Drop(slot)
			}
			d.Say(session.KindClose, &session.Close{Binding: n})
			s.closed[n] = true
			delete(s.bindings, n)
		}
	case 11:
		if n, b := s.binding(); b != nil {
			put(5, s.something(d))
			if d.Say(session.KindGive, &session.Give{Binding: n, Ticket: id, Slot: 5, Rights: uint8(r.Uint32())}) {
				s.asked[id] = "give"
			}
		}
	case 12:
		put(6, d.OwnFrame(uint64(r.IntN(3))))
		if d.Say(session.KindWithdraw, &session.Withdraw{Request: id, Slot: 6}) {
			s.asked[id] = "withdraw"
		}
	case 13:
		n := 4
		if !heard {
			n = 2 // what it has not heard of is to be found in the exchange
		}
		switch r.IntN(n) {
		case 0:
			b := make([]byte, r.IntN(57))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			// Anything but what is an Incoming's answer, whose number it might hit.
			d.SayRaw([]uint8{0x7f, session.KindExport, session.KindUnexport + 40, 99}[r.IntN(4)]|0x40, b)
		case 1:
			for _, slot := range s.received {
				d.Drop(slot)
			}
			s.received = nil
		case 2:
			d.Exchange()[capability.ExchangeIn+uint32(r.IntN(20))] = d.OwnFrame(1)
		case 3:
			delete(d.Exchange(), capability.ExchangeIn+uint32(r.IntN(20)))
		}
	}
}

// TestChaos has programs on all cores do anything to each other and to their
// monitors, be killed, and a core be lost now and then. Whatever is done with memory that
// somebody else uses makes package agenttest panic; who asks is answered, and nothing is left.
func TestChaos(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		chances = rand.New(rand.NewPCG(seed, 3))
		cores := 1 + r.IntN(4)
		m := &manifest.Manifest{Link: true, PowerOff: true}
		for range 2 + r.IntN(6) {
			m.Programs = append(m.Programs, speaking(r.IntN(cores), "chaos"))
		}
		x := newMachineOf(t, cores, m, speakers)
		rounds := 0
		x.step = func() bool {
			rounds++
			for _, k := range x.kernels {
				if r.IntN(4) == 0 {
					k.SlowExpel, k.SlowFrames, k.Slow = r.IntN(3), r.IntN(3), r.IntN(3)
				}
			}
			if rounds%50 == 0 && r.IntN(3) == 0 {
				n := r.IntN(len(m.Programs))
				x.control.Host(killOne(uint32(n)))
			}
			if core := r.IntN(cores); rounds == 30 && core > 0 && seed%3 == 0 {
				x.lose(core)
			}
			return rounds < 400
		}
		x.run()
		x.step = nil   // from now on all is done in its time
		for range 20 { // programs are slow to hear
			x.run()
		}
		x.expectAnswered()
		x.control.Host(killAll())
		x.run()
		x.expectSettled()
		x.expectNothingShared()
		if t.Failed() {
			t.Fatalf("seed %d, %d cores, %d programs", seed, cores, len(m.Programs))
		}
	}
}
