package machine

import (
	"errors"
	"testing"

	"skerry/abi/capability"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// byLMP is a request to be bound through the kernel.
var byLMP = &network.Request{Name: "near", Interface: iface, Transport: channel.TransportLMP, Why: "test"}

// neighbours returns two programs that can be bound through the kernel, and who binds to the
// second.
func neighbours(t *testing.T, m *monitor) (a, b *program, came <-chan channel.Conn) {
	a, b = m.start(), m.start()
	a.alone, b.alone = true, true
	return a, b, export(t, b, "near")
}

// TestPeerGoneAtOnce has the other's endpoint gone, since that has died or closed its end, before
// it is taken: both are bound as over any other transport, and told then.
func TestPeerGoneAtOnce(t *testing.T) {
	m := newMonitor(t)
	m.revoked = true
	a, b, came := neighbours(t, m)
	before := [2]int{a.holds(), b.holds()}
	c, err := a.machine.Bind(within(t), byLMP)
	if err != nil {
		t.Fatal(err)
	}
	ends := [2]*local{c.(*local), (<-came).(*local)}
	for i, p := range []*program{a, b} {
		if got := p.at(ends[i].config.Peer); got != (nothing{}) {
			t.Errorf("end %d has %v for the peer's endpoint", i, got)
		}
	}
	ends[1].Close()
	// The monitor has heard that, and said so, before it answers.
	for _, p := range []*program{b, a} {
		if _, err := p.machine.Find(within(t), "near", false); err != nil {
			t.Fatal(err)
		}
	}
	if !ends[0].gone.Load() {
		t.Error("the first is not told that the other has closed its end")
	}
	ends[0].Close()
	if after := [2]int{a.holds(), b.holds()}; after != before {
		t.Errorf("they hold %v, and held %v before", after, before)
	}
}

// TestBoundWhileGiving binds by LMP to a program that gives as much as its exchange has room for:
// there is no slot for its endpoint, and none comes before it has heard what became of the gifts.
func TestBoundWhileGiving(t *testing.T) {
	const gifts = capability.ExchangeIn - 1
	m := newMonitor(t)
	ctx := within(t)
	a, b, came := neighbours(t, m)
	c, err := dial(ctx, a, "near")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer (<-came).Close()
	later := make(chan func(), gifts)
	m.mu.Lock()
	m.late = func(give func()) { later <- give }
	m.mu.Unlock()
	b.machine.mu.Lock()
	var giver *binding
	for _, giver = range b.machine.bindings {
	}
	b.machine.mu.Unlock()
	given := make(chan error, gifts)
	for range gifts {
		go func() {
			_, err := giver.give(ctx, b.add(thing{1}))
			given <- err
		}()
	}
	var gives []func()
	for range gifts {
		gives = append(gives, <-later)
	}
	if _, err := a.machine.Bind(ctx, byLMP); !errors.Is(err, session.ErrTransport) {
		t.Errorf("bound to a program whose exchange is in use: %v", err)
	}
	m.mu.Lock()
	for _, give := range gives {
		give()
	}
	m.late = nil
	m.mu.Unlock()
	m.ring() // not all of its answers may have had room
	for range gifts {
		if err := <-given; err != nil {
			t.Error(err)
		}
	}
	if c, err := a.machine.Bind(ctx, byLMP); err != nil {
		t.Error(err)
	} else {
		c.Close()
		(<-came).Close()
	}
}
