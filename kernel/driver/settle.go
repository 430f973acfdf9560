package driver

import (
	"math/bits"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/mailbox"
	"skerry/kernel/memory"
)

// kernelShare notes how many top tables of another core lead to tables here. A
// core that is still starting answers when it is ready; one whose kernel has ended
// can still be named.
func kernelShare(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	m := &d.k.Machine
	switch {
	case a[0] >= uint64(m.Cores) || console.StateOf(uint32(a[0])) == abi.CoreAbsent:
		return 0, capability.ErrNotFound
	case a[0] == uint64(m.Core):
		return 0, capability.ErrArgument
	}
	d.k.Shootdown.Share(uint32(a[0]), a[1])
	return 0, capability.OK
}

// settle is the native call. b waits for all that was taken away up to the first
// time it asks, or, if it has taken away something itself since, up to then: so
// nobody can keep it waiting by taking away ever more.
func settle(d *Driver, b *kcb.DCB, _ *arguments) (uint64, abi.Error) {
	s := &d.k.Shootdown
	if b.Settle == 0 {
		b.Settle = s.Generation()
	}
	if s.Settled(b.Settle) {
		b.Settle = 0
		return 0, abi.OK
	}
	s.Need(b.Settle)
	d.request()
	if n, ok := b.Number(); ok {
		d.k.Settling.Add(int(n/64), 1<<(n%64))
	}
	return 0, capability.ErrPending
}

// Settled implements capability.Kernel. Who is refused something for it asks
// again: so other cores are told at once to forget.
func (d *Driver) Settled() bool {
	s := &d.k.Shootdown
	now := s.Generation()
	if s.Settled(now) {
		return true
	}
	s.Need(now)
	d.request()
	return false
}

// request has other cores forget what somebody here waits for.
func (d *Driver) request() {
	m := &d.k.Machine
	for core := range m.Cores {
		if generation, ok := d.k.Shootdown.Request(core); ok {
			d.boxes.Box(m.Core, core).Request(generation)
			d.interruptCore(core)
		}
	}
}

// acknowledge forgets all translations if another core has requested it, and
// tells it so.
func (d *Driver) acknowledge(core uint32, in *mailbox.Box) {
	out := d.boxes.Box(d.k.Machine.Core, core)
	if generation := in.Requested(); generation != out.Acknowledged() {
		d.load(d.loaded)
		out.Acknowledge(generation)
		d.interruptCore(core)
	}
}

// settledMore has those notified who no longer need to wait, and other cores asked
// for what the rest wait for.
func (d *Driver) settledMore() {
	k := d.k
	for w, set := range k.Settling {
		for ; set != 0; set &= set - 1 {
			n := bits.TrailingZeros64(set)
			if b := k.Numbered(uint64(w*64 + n)); b == nil || k.Shootdown.Settled(b.Settle) {
				k.Settling[w] &^= 1 << n
				k.Rung.Add(w, 1<<n)
			}
		}
	}
	d.request()
}
