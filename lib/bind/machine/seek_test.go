package machine

import (
	"errors"
	"testing"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// TestSeek binds without a question before: to a program of another core as the facts say, and to
// one of the same core as it is chosen when they are known.
func TestSeek(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	a, b := m.start(), m.start()
	came := export(t, b, "store")
	before := [2]int{a.holds(), b.holds()}
	for _, c := range []struct {
		core   string
		chosen channel.Transport
		is     channel.Transport
	}{
		{"another", channel.TransportDoorbell, channel.TransportDoorbell},
		{"the same", channel.TransportPolled, channel.TransportPolled},
	} {
		m.mu.Lock()
		m.facts.SameCore = 0
		if c.core == "the same" {
			m.facts.SameCore = 1
		}
		m.binds = 0
		m.mu.Unlock()
		seen := channel.Facts{}
		conn, err := a.machine.Seek(ctx, &network.Request{Name: "store", Interface: iface}, func(f channel.Facts) (network.Choice, error) {
			seen = f
			return network.Choice{Transport: c.chosen, Why: "it is a test"}, nil
		})
		if err != nil {
			t.Fatalf("%s core: %v", c.core, err)
		}
		if got := conn.Binding(); got.Transport != c.is || got.Why != "it is a test" || got.Facts != seen || seen.Core != 3 || seen.SameCore != (c.core == "the same") {
			t.Errorf("%s core: bound as %+v, by the facts %+v", c.core, got, seen)
		}
		m.mu.Lock()
		if want := 1 + int(m.facts.SameCore); m.binds != want {
			t.Errorf("%s core: the monitor was asked %d times, want %d", c.core, m.binds, want)
		}
		m.mu.Unlock()
		conn.Close()
		(<-came).Close()
	}
	// The monitor has heard all that was closed before it answers.
	for _, p := range []*program{a, b} {
		if _, err := p.machine.Find(ctx, "store", false); err != nil {
			t.Error(err)
		}
	}
	if after := [2]int{a.holds(), b.holds()}; after != before {
		t.Errorf("the programs hold %d capabilities and mappings, and held %d", after, before)
	}
}

// TestSeekInVain seeks what cannot be bound, and holds nothing after.
func TestSeekInVain(t *testing.T) {
	m := newMonitor(t)
	ctx := within(t)
	a, b := m.start(), m.start()
	export(t, b, "store")
	before := a.holds()
	m.mu.Lock()
	m.facts.SameCore = 1
	m.mu.Unlock()
	wrong := errors.New("not to the choice's taste")
	other := iface
	other.Version = 8
	for _, c := range []struct {
		r      network.Request
		chosen channel.Transport
		fails  error
		want   error
	}{
		{network.Request{Name: "nowhere", Interface: iface}, channel.TransportPolled, nil, session.ErrNotFound},
		{network.Request{Name: "store", Interface: other}, channel.TransportPolled, nil, session.ErrVersion},
		{network.Request{Name: "store", Interface: iface}, channel.TransportAny, wrong, wrong},
		{network.Request{Name: "store", Interface: iface}, channel.TransportDirect, nil, session.ErrNotFound},
		{network.Request{Name: "store", Interface: iface}, channel.TransportLMP, nil, session.ErrTransport},
	} {
		if _, err := a.machine.Seek(ctx, &c.r, func(channel.Facts) (network.Choice, error) {
			return network.Choice{Transport: c.chosen}, c.fails
		}); !errors.Is(err, c.want) {
			t.Errorf("%q, %v chosen: %v, want %v", c.r.Name, c.chosen, err, c.want)
		}
	}
	if after := a.holds(); after != before {
		t.Errorf("the program holds %d capabilities and mappings, and held %d", after, before)
	}
}

// TestWhyNot says why what was asked for cannot be, if that is known.
func TestWhyNot(t *testing.T) {
	m := newMonitor(t)
	a, b := m.start(), m.start()
	export(t, b, "store")
	m.mu.Lock()
	m.impossible = true
	m.mu.Unlock()
	wrong := errors.New("the other is on core 3")
	_, err := a.machine.Seek(within(t), &network.Request{Name: "store", Interface: iface, Transport: channel.TransportPolled}, func(f channel.Facts) (network.Choice, error) {
		if f.Core != 3 {
			return network.Choice{}, nil
		}
		return network.Choice{}, wrong
	})
	if err != wrong {
		t.Error(err)
	}
}
