package machine

import (
	"testing"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
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
