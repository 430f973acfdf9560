package domain

import (
	"errors"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
)

const peersMount = mount + 1

// spannedPlan makes testPlan's domain one of several: home, or a satellite, which
// gets its frame and its tables.
func spannedPlan(dispatchers uint64, home bool) (*model, *Plan) {
	m, p := testPlan()
	p.Span = &Span{Home: home, Mount: peersMount, Size: abi.SpanSize(dispatchers)}
	if !home {
		const base = 3 << 30
		p.Span.Frame = capability.MakeReference(4, 1)
		m.slots[p.Span.Frame] = object{capability.Frame, base, p.Span.Size}
		for i := range p.Span.Tables {
			p.Span.Tables[i] = capability.MakeReference(4, 2+uint32(i))
			m.slots[p.Span.Tables[i]] = object{capability.PageTable3, base + 1<<28 + uint64(i)<<12, abi.PageSize}
		}
	}
	if least := p.Least(); p.Size < least+abi.PageSize {
		p.Size = least + abi.PageSize
		m.slots[p.RAM] = object{capability.RAM, testRAM, p.Size}
	}
	return m, p
}

// TestSpan: whatever the number of dispatchers, the top table begins with the
// common tables, the frame is mapped, and home finds both where package
// capability says.
func TestSpan(t *testing.T) {
	for _, dispatchers := range []uint64{2, 4, 23, abi.MaxDispatchers} {
		for _, home := range []bool{true, false} {
			m, p := spannedPlan(dispatchers, home)
			m.t = t
			if err := Build(m, p); err != nil {
				t.Fatalf("%d dispatchers, home %v: %v", dispatchers, home, err)
			}
			peer := func(slot uint32) object { return m.slots[capability.MakeReference(peersMount, slot)] }
			frame, tables := m.slots[p.Span.Frame], p.Span.Tables
			if home {
				frame = peer(capability.PeerFrame)
				for i := range tables {
					tables[i] = capability.MakeReference(peersMount, capability.PeerTables+uint32(i))
				}
			} else if peer(capability.PeerFrame).kind != capability.Null {
				t.Error("a satellite has a capability to the frame")
			}
			if got := m.slots[inDomain(3)]; got != m.slots[capability.LevelOneReference(peersMount)] || got.kind != capability.L2CNode {
				t.Errorf("slot 3 of its L1 CNode holds %+v", got)
			}
			for i, table := range tables {
				o := m.slots[table]
				if got := m.tables[m.root][uint64(i)]; o.kind != capability.PageTable3 || got.base != o.base {
					t.Errorf("entry %d of the top table is %+v, want %+v", i, got, o)
				}
			}
			if got := len(m.tables[m.root]); got != abi.SpanTables+3 {
				t.Errorf("%d entries in the top table", got)
			}
			for off := uint64(0); off < p.Span.Size; off += abi.PageSize {
				if at, prot, ok := m.find(abi.SpanBase + off); !ok || at != frame.base+off || prot != abi.ProtRead|abi.ProtWrite {
					t.Fatalf("%#x of the frame: mapped %v to %#x with %d", off, ok, at, prot)
				}
			}
			if _, _, ok := m.find(abi.SpanBase + p.Span.Size); ok || frame.size != p.Span.Size {
				t.Errorf("a frame of %d bytes, mapped behind its end: %v", frame.size, ok)
			}
		}
	}
}

// TestReplicatedSpan: without common tables the top table has no others than those of
// the libos, and what is left is RAM.
func TestReplicatedSpan(t *testing.T) {
	for _, home := range []bool{true, false} {
		m, p := spannedPlan(4, home)
		m.t, p.Span.Replicated = t, true
		p.Span.Tables = [abi.SpanTables]capability.Reference{}
		if err := Build(m, p); err != nil {
			t.Fatalf("home %v: %v", home, err)
		}
		for i := range uint64(abi.SpanTables) {
			if got, ok := m.tables[m.root][i]; ok {
				t.Errorf("home %v: entry %d of the top table is %+v", home, i, got)
			}
			if got := m.slots[capability.MakeReference(peersMount, capability.PeerTables+uint32(i))]; got.kind != capability.Null {
				t.Errorf("home %v: table %d is %+v", home, i, got)
			}
		}
		if at, _, ok := m.find(abi.SpanBase); !ok || home && at != m.slots[capability.MakeReference(peersMount, capability.PeerFrame)].base {
			t.Errorf("home %v: the frame is not mapped", home)
		}
		p.Span.Tables[1] = 77
		if err := Build(m, p); err == nil || !strings.Contains(err.Error(), "given at home, or not given") {
			t.Errorf("home %v: common tables are taken: %v", home, err)
		}
	}
}

// TestSpanRefused has each invocation refused in turn.
func TestSpanRefused(t *testing.T) {
	for _, home := range []bool{true, false} {
		for fail := 1; ; fail++ {
			m, p := spannedPlan(4, home)
			m.t, m.fail = t, fail
			err := Build(m, p)
			if m.calls < fail {
				break
			}
			if !errors.Is(err, errRefused) {
				t.Fatalf("invocation %d refused: %v", fail, err)
			}
		}
	}
}

func TestBadSpans(t *testing.T) {
	for want, change := range map[string]func(*Plan){
		"or not given to":          func(p *Plan) { p.Span.Frame = 0 },
		"not given to a satellite": func(p *Plan) { p.Span.Tables[2] = 0 },
		"is given at home":         func(p *Plan) { p.Span.Home = true; p.Size = 1 << 20 },

		"a frame of 0 bytes":         func(p *Plan) { p.Span.Size = 0 },
		"a frame of 344065 bytes":    func(p *Plan) { p.Span.Size++ },
		"a frame of 1099511627776 b": func(p *Plan) { p.Span.Size = 1 << 40; p.Size = 1 << 41 },
		"has several dispatchers":    func(p *Plan) { p.InPlace, p.Mount, p.Devices = true, 1, nil },
	} {
		m, p := spannedPlan(4, false)
		m.t = t
		change(p)
		if err := Build(m, p); err == nil || !strings.Contains(err.Error(), want) || m.calls != 0 {
			t.Errorf("want %q: %v after %d invocations", want, err, m.calls)
		}
	}
}
