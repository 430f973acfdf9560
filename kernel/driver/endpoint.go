package driver

import (
	"math/bits"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// endpoint returns the endpoint at a physical address.
func (d *Driver) endpoint(at memory.Phys) *kcb.Endpoint {
	return (*kcb.Endpoint)(unsafe.Pointer(d.k.Pages.At(at)))
}

// endpointIn returns the endpoint that the capability in a slot names.
func (d *Driver) endpointIn(slot memory.Phys) *kcb.Endpoint {
	return d.endpoint(memory.Phys(d.cap.BaseOf(slot)))
}

func endpointLabel(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	d.endpointIn(slot).Label = a[0]
	return 0, capability.OK
}

func endpointAccept(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	r := capability.Reference(a[0])
	if r != 0 && !r.Valid() {
		return 0, capability.ErrReference
	}
	e := d.endpointIn(slot)
	e.Accept = r
	if r != 0 {
		d.tellSenders(e)
	}
	return 0, capability.OK
}

func endpointWatch(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	peer := memory.Phys(0)
	if a[0] != 0 {
		at, err := d.cap.LookupType(d.cspace, capability.Reference(a[0]), capability.Endpoint, capability.RightSend)
		if err != capability.OK {
			return 0, err
		}
		peer = memory.Phys(d.cap.BaseOf(at))
	}
	e := d.endpointIn(slot)
	e.Watch.Remove()
	if e.EndedAt = 0; e.Count == 0 {
		at := memory.Phys(d.cap.BaseOf(slot))
		d.dispatcherAt(at).Empty(kcb.Place(at))
	}
	if peer == 0 {
		return 0, capability.OK
	}
	d.endpoint(peer).Watchers.Append(&e.Watch)
	if t := d.dispatcherAt(peer); t.State == abi.DomainEnded {
		d.peerEnded(d.endpoint(peer))
	} else {
		t.Messages.Met |= 1 << kcb.Place(peer)
	}
	return 0, capability.OK
}

// want puts b among those who are notified when an endpoint takes messages or
// capabilities again. Where b wants more than it can it gives up one of the others, and
// is notified at once: so it asks again for all.
func (d *Driver) want(b *kcb.DCB, way *kcb.Way) {
	e, m := way.Endpoint, &b.Messages
	way.Target.Messages.Met |= 1 << kcb.Place(way.To)
	w := &m.Wants[m.NextWant%uint32(len(m.Wants))]
	for i := range m.Wants {
		switch m.Wants[i].At {
		case e:
			return
		case nil:
			w = &m.Wants[i]
		}
	}
	if w.At != nil {
		m.NextWant++
		w.Link.Remove()
		d.notify(b)
	}
	w.Sender, w.At = b, e
	e.Senders.Append(&w.Link)
}

// tellSenders has those told who wait until e takes something.
func (d *Driver) tellSenders(e *kcb.Endpoint) {
	if !e.Senders.Empty() {
		d.k.Tidings.Senders.Take(&e.Senders)
		d.tell()
	}
}

// peerEnded has all told to whom the end of e or of its dispatcher means something.
func (d *Driver) peerEnded(e *kcb.Endpoint) {
	d.k.Tidings.Orphans.Take(&e.Watchers)
	d.k.Tidings.Senders.Take(&e.Senders)
	d.tell()
}

// dispatcherEnded has all told who have to do with b, which has ended, and takes it
// out of all lists of others.
func (d *Driver) dispatcherEnded(b *kcb.DCB) {
	m := &b.Messages
	b.Awaits = 0
	for i := range m.Wants {
		w := &m.Wants[i]
		w.Link.Remove()
		w.At = nil
	}
	met := m.Met
	m.Met = 0
	for ; met != 0; met &= met - 1 {
		e := b.EndpointAt(uint(bits.TrailingZeros64(uint64(met))))
		d.k.Tidings.Orphans.Take(&e.Watchers)
		d.k.Tidings.Senders.Take(&e.Senders)
	}
	d.tell()
}

// endpointGone makes the driver forget an endpoint that has ended.
func (d *Driver) endpointGone(at memory.Phys) {
	e, b := d.endpoint(at), d.dispatcherAt(at)
	e.Watch.Remove()
	place := kcb.Place(at)
	b.Empty(place)
	b.Messages.Met &^= 1 << place
	d.peerEnded(e)
	*e = kcb.Endpoint{}
	if b.Awaits == at {
		d.notify(b)
	}
}

// tellAtOnce is how many are told of something in one go.
const tellAtOnce = 8

// tell tells some of those who are to be told, and reports whether there are more.
func (d *Driver) tell() bool {
	t := &d.k.Tidings
	for range tellAtOnce {
		switch {
		case !t.Orphans.Empty():
			l := t.Orphans.First()
			l.Remove()
			d.orphan(l.Watcher())
		case !t.Senders.Empty():
			w := t.Senders.First().Wanted()
			w.Link.Remove()
			w.At = nil
			d.notify(w.Sender)
		default:
			t.Left = false
			return false
		}
	}
	t.Left = !t.Orphans.Empty() || !t.Senders.Empty()
	return t.Left
}

// orphan tells the owner of e that what it watched has ended.
func (d *Driver) orphan(e *kcb.Endpoint) {
	at := memory.Phys(uintptr(unsafe.Pointer(e)) - d.k.Pages.Offset)
	b := d.dispatcherAt(at)
	switch {
	case b.State == abi.DomainEnded:
	case awaits(b, at):
		complete(b, abi.ErrPeer, e.Label)
		d.ready(b)
	default:
		e.EndedAt = arrival(b, at)
		d.notify(b)
	}
}
