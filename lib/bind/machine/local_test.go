package machine

import (
	"runtime"
	"sync"
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

// anyBinding returns a binding of a program's.
func anyBinding(p *program) (b *binding) {
	p.machine.mu.Lock()
	defer p.machine.mu.Unlock()
	for _, b = range p.machine.bindings {
	}
	return b
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
// for its endpoint there is the slot in which the other's came.
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
	giver := anyBinding(b)
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
	if c, err := a.machine.Bind(ctx, byLMP); err != nil {
		t.Errorf("bound to a program whose exchange is in use: %v", err)
	} else {
		c.Close()
		(<-came).Close()
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
}

// TestClosedUnheard accepts and closes connections before the monitor hears that they are accepted,
// with little room in the exchange: it takes no endpoint for that of another connection.
func TestClosedUnheard(t *testing.T) {
	const gifts, often = capability.ExchangeIn - 2, 8
	m := newMonitor(t)
	ctx := within(t)
	a, b, came := neighbours(t, m)
	accept := func() channel.Conn {
		select {
		case c := <-came:
			return c
		case <-ctx.Done():
			t.Fatal("nobody is bound to the exporter")
			return nil
		}
	}
	c, err := dial(ctx, a, "near")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer accept().Close()
	m.mu.Lock()
	m.deaf = b
	m.mu.Unlock()
	giver := anyBinding(b)
	var given sync.WaitGroup
	for range gifts {
		given.Go(func() {
			if _, err := giver.give(ctx, b.add(thing{1})); err != nil {
				t.Error(err)
			}
		})
	}
	for b.gives() < gifts && ctx.Err() == nil {
		runtime.Gosched()
	}
	type answer struct {
		c   channel.Conn
		err error
	}
	var bound [often]chan answer
	var own [often]any // the exporter's endpoints
	for i := range bound {
		bound[i] = make(chan answer, 1)
		go func() {
			c, err := a.machine.Bind(ctx, byLMP)
			bound[i] <- answer{c, err}
		}()
		end := accept().(*local)
		own[i] = b.at(capability.Reference(end.config.Own))
		if i%2 == 0 {
			end.Close()
		} else {
			defer end.Close()
		}
	}
	m.mu.Lock()
	m.deaf = nil
	m.mu.Unlock()
	m.ring()
	given.Wait()
	for i := range bound {
		switch got := <-bound[i]; {
		case i%2 == 0 && got.err != session.ErrDied:
			t.Errorf("connection %d was closed at once, and is bound as %v, %v", i, got.c, got.err)
		case i%2 == 1 && got.err != nil:
			t.Error(got.err)
		case i%2 == 1 && a.at(got.c.(*local).config.Peer) != own[i]:
			t.Errorf("connection %d has another's endpoint", i)
		}
	}
}

// gives returns how much a program has put into its exchange.
func (p *program) gives() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.exchange[:capability.ExchangeIn] {
		if o != nil {
			n++
		}
	}
	return n
}
