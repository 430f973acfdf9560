package agenttest

import (
	"fmt"
	"slices"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/session"
	"skerry/lib/urpc"
	"skerry/service/memory"
	"skerry/service/monitor/agent"
)

// Slot is a capability: of the monitor, in an exchange, or one that a program has taken
// from there.
type Slot struct {
	Type       capability.Type
	Rights     capability.Rights
	Base, Size uint64
	Owner      uint32
	relations  capability.Relations
}

// frame is one that the monitor made.
type frame struct {
	Slot
	memory []uint64 // nil unless it is mapped
}

// Say sends a message to the program's monitor.
func (d *Domain) Say(kind uint8, m any) bool {
	var b [urpc.PayloadSize]byte
	return d.SayRaw(kind, b[:session.Put(&b, m)])
}

// SayRaw sends anything to the program's monitor.
func (d *Domain) SayRaw(kind uint8, b []byte) bool {
	sent := d.session.Send(kind, b)
	d.spoke = d.spoke || sent
	return sent
}

// Hear takes a message of the program's monitor.
func (d *Domain) Hear() (kind uint8, b []byte, ok bool) {
	var slot [urpc.PayloadSize]byte
	kind, n, ok := d.session.Receive(&slot)
	return kind, slot[:n], ok
}

// Rings reports whether the program rings its monitor for what it has said and heard
// since it was last asked.
func (d *Domain) Rings() bool { return d.session.NeedsDoorbell() }

// Exchange returns the program's exchange: what is in it by slot.
func (d *Domain) Exchange() map[uint32]*Slot { return d.kernel.exchanges[d.Session.Mount] }

// Take moves a capability out of the exchange, to where the program has its own.
func (d *Domain) Take(slot uint32) *Slot {
	s := d.Exchange()[slot]
	delete(d.Exchange(), slot)
	if s != nil {
		d.Kept = append(d.Kept, s)
	}
	return s
}

// Drop deletes a capability that was taken.
func (d *Domain) Drop(s *Slot) {
	d.Kept = slices.DeleteFunc(d.Kept, func(o *Slot) bool { return o == s })
}

// OwnFrame returns a capability to a frame in the program's own memory.
func (d *Domain) OwnFrame(number uint64) *Slot {
	return &Slot{
		Type: capability.Frame, Rights: capability.AllRights, Owner: d.kernel.Core,
		Base: d.Memory.Base + 256<<10 + number*abi.PageSize, Size: abi.PageSize,
	}
}

// openSession makes the program's side of its session.
func (k *Kernel) openSession(d *Domain) {
	s := d.Session
	if s.Mount == d.Mount || k.exchanges[s.Mount] != nil {
		panic("agenttest: an exchange has no slot of its own")
	}
	for _, f := range []*agent.Frame{&s.Ring, &s.Sleep, &s.Hints} {
		if k.frames[f.Reference] == nil {
			panic("agenttest: a session lacks a frame")
		}
	}
	k.exchanges[s.Mount] = make(map[uint32]*Slot)
	d.session.Attach(s.Address, abi.SessionRing, urpc.B)
}

// Frame implements agent.Kernel.
func (k *Kernel) Frame(b memory.Block, base, size uint64) (capability.Reference, error) {
	if base < b.Base || base+size > b.Base+b.Size || base%abi.PageSize != 0 || size == 0 || size%abi.PageSize != 0 {
		panic(fmt.Sprintf("agenttest: a frame of %#x bytes at %#x in a block at %#x", size, base, b.Base))
	}
	k.take(b)
	for _, f := range k.frames {
		if base < f.Base+f.Size && f.Base < base+size {
			panic("agenttest: frames overlap")
		}
	}
	k.next++
	k.frames[k.next] = &frame{Slot: Slot{Type: capability.Frame, Rights: capability.AllRights, Base: base, Size: size, Owner: k.Core}}
	return k.next, nil
}

// DropFrame implements agent.Kernel.
func (k *Kernel) DropFrame(r capability.Reference) error {
	f := k.frames[r]
	if f == nil || f.memory != nil {
		panic("agenttest: a frame is dropped that is not there, or is mapped")
	}
	if k.SlowFrames > 0 {
		k.SlowFrames--
		k.rung = true
		return capability.ErrRevoking
	}
	k.unused(f.Base, f.Size)
	k.removeCopies(f.Base, f.Size)
	delete(k.frames, r)
	return nil
}

// unused makes sure that no other core uses memory of this one.
func (k *Kernel) unused(base, size uint64) {
	for _, other := range k.Machine {
		if other == k || other.Lost {
			continue
		}
		other.each(func(s *Slot) bool {
			if s.Type == capability.Frame && s.Owner == k.Core && s.Base < base+size && base < s.Base+s.Size {
				panic(fmt.Sprintf("agenttest: core %d uses memory of core %d that is freed", other.Core, k.Core))
			}
			return true
		})
	}
}

// each calls keep with all capabilities of programs, and with those that the monitor took
// from them, and removes those of which it says false.
func (k *Kernel) each(keep func(*Slot) bool) (removed int) {
	for _, x := range k.exchanges {
		for n, s := range x {
			if !keep(s) {
				delete(x, n)
				removed++
			}
		}
	}
	for _, d := range k.built {
		before := len(d.Kept)
		d.Kept = slices.DeleteFunc(d.Kept, func(s *Slot) bool { return !keep(s) })
		removed += before - len(d.Kept)
	}
	for r, s := range k.own {
		if !keep(s) {
			delete(k.own, r)
			removed++
			k.removed[r] = true
		}
	}
	return removed
}

func (k *Kernel) removeCopies(base, size uint64) {
	k.each(func(s *Slot) bool { return s.Owner != k.Core || s.Base < base || s.Base >= base+size })
}

// View implements agent.Kernel.
func (k *Kernel) View(f *agent.Frame) (uintptr, error) {
	m := make([]uint64, (f.Size+abi.PageSize)/8)
	k.frames[f.Reference].memory = m
	return (uintptr(unsafe.Pointer(&m[0])) + abi.PageSize - 1) &^ (abi.PageSize - 1), nil
}

// Unview implements agent.Kernel.
func (k *Kernel) Unview(at uintptr, size uint64) {
	for _, f := range k.frames {
		if f.memory != nil && at-uintptr(unsafe.Pointer(&f.memory[0])) < abi.PageSize {
			for i := range f.memory {
				f.memory[i] = unmapped
			}
			k.unmapped = append(k.unmapped, f.memory)
			f.memory = nil
			return
		}
	}
	panic("agenttest: what is not mapped is unmapped")
}

// unmapped is what is in memory that the monitor does not see any more.
const unmapped = 0xdead_dead_dead_dead

// Faults returns how many words of memory were written that was not mapped any more.
func (k *Kernel) Faults() (words int) {
	for _, m := range k.unmapped {
		for _, w := range m {
			if w != unmapped {
				words++
			}
		}
	}
	return words
}

// Look implements agent.Kernel.
func (k *Kernel) Look(mount, slot uint32) (capability.Description, error) {
	return k.describe(k.exchanges[mount][slot]), nil
}

func (k *Kernel) describe(s *Slot) capability.Description {
	if s == nil {
		return capability.Description{}
	}
	return capability.Description{Type: s.Type, Rights: s.Rights, Ready: 1, Owner: s.Owner, Base: s.Base, Size: s.Size, Relations: s.relations}
}

// put fills a slot of an exchange.
func (k *Kernel) put(mount, slot uint32, s Slot) error {
	x := k.exchanges[mount]
	switch {
	case x == nil:
		return capability.ErrReference
	case x[slot] != nil:
		return capability.ErrOccupied
	case slot < capability.ExchangeIn || slot >= capability.L2Slots:
		panic(fmt.Sprintf("agenttest: slot %d of an exchange is not for the monitor", slot))
	}
	x[slot] = &s
	return nil
}

// Place implements agent.Kernel.
func (k *Kernel) Place(mount, slot uint32, source capability.Reference, rights capability.Rights) error {
	var s Slot
	switch f, own, bell := k.frames[source], k.own[source], k.bell(source); {
	case f != nil:
		s = f.Slot
	case own != nil:
		s = *own
	case bell != nil:
		s = *bell
	default:
		return capability.ErrEmpty
	}
	if s.Rights&capability.RightGrant == 0 {
		return capability.ErrRights
	}
	s.Rights &= rights
	s.relations = 0 // they are the monitor's to keep
	return k.put(mount, slot, s)
}

// bell returns the doorbell of a reference, if it is one.
func (k *Kernel) bell(r capability.Reference) *Slot {
	if r&bells != 0 {
		return &Slot{Type: capability.RemoteDoorbell, Rights: capability.AllRights, Base: uint64(r &^ bells), Size: 1, Owner: k.Core}
	}
	for _, d := range k.built {
		if d.Domain.Number<<8|2 == uint32(r) {
			return &Slot{Type: capability.Doorbell, Rights: capability.AllRights, Base: uint64(d.Number), Size: 1, Owner: k.Core}
		}
	}
	return nil
}

// bells marks references to RemoteDoorbells.
const bells = 1 << 31

// ImportTo implements agent.Kernel.
func (k *Kernel) ImportTo(mount, slot uint32, t capability.Type, base, size uint64, core uint32, rights capability.Rights) error {
	if t != capability.Frame || core == k.Core || int(core) >= len(k.Machine) {
		panic("agenttest: what cannot be imported is imported")
	}
	if owner := k.Machine[core]; !owner.Lost && !owner.has(base, size) {
		panic(fmt.Sprintf("agenttest: core %d imports memory of core %d that is free", k.Core, core))
	}
	const most = capability.RightRead | capability.RightWrite | capability.RightExecute | capability.RightGrant
	return k.put(mount, slot, Slot{Type: t, Rights: rights & most, Base: base, Size: size, Owner: core})
}

// has reports whether memory belongs to a frame or to a piece that is there.
func (k *Kernel) has(base, size uint64) bool {
	for _, f := range k.frames {
		if f.Base == base && f.Size == size {
			return true
		}
	}
	for _, p := range k.pieces {
		if p.Base <= base && base+size <= p.Base+p.Size {
			return true
		}
	}
	return false
}

// Clear implements agent.Kernel.
func (k *Kernel) Clear(mount, slot uint32) { delete(k.exchanges[mount], slot) }

// TakeFrom implements agent.Kernel.
func (k *Kernel) TakeFrom(mount, slot uint32) (capability.Reference, error) {
	s := k.exchanges[mount][slot]
	if s == nil {
		return 0, capability.ErrEmpty
	}
	delete(k.exchanges[mount], slot)
	k.next++
	k.own[k.next] = s
	return k.next, nil
}

// Describe implements agent.Kernel.
func (k *Kernel) Describe(r capability.Reference) (capability.Description, error) {
	if k.own[r] == nil {
		return capability.Description{}, capability.ErrEmpty
	}
	return k.describe(k.own[r]), nil
}

// Discard implements agent.Kernel.
func (k *Kernel) Discard(r capability.Reference) {
	s := k.own[r]
	if s == nil && k.removed[r] {
		delete(k.removed, r)
		return
	}
	if s == nil || s.relations != 0 {
		panic("agenttest: a capability is discarded that is not there, or that others have")
	}
	delete(k.own, r)
}

// Relate implements agent.Kernel.
func (k *Kernel) Relate(r capability.Reference, copies bool) error {
	s := k.own[r]
	if s == nil {
		panic("agenttest: what is not there is given away")
	}
	if s.relations = 0; copies {
		s.relations = capability.RemoteCopies
	} else {
		k.unused(s.Base, s.Size)
	}
	return nil
}

// Expel implements agent.Kernel.
func (k *Kernel) Expel(base, size uint64) error {
	if k.SlowExpel > 0 {
		k.SlowExpel--
		k.rung = true
		return capability.ErrPending
	}
	k.each(func(s *Slot) bool {
		return s.Owner == k.Core || s.Type != capability.Frame || s.Base < base || s.Base >= base+size
	})
	return nil
}

// Gone implements agent.Kernel.
func (k *Kernel) Gone(base, size uint64) error {
	left := false
	k.each(func(s *Slot) bool {
		left = left || s.Owner != k.Core && s.Type == capability.Frame && s.Base == base && s.Size == size
		return true
	})
	switch {
	case left:
		return capability.ErrOccupied
	case k.SlowExpel > 0:
		k.SlowExpel--
		k.rung = true
		return capability.ErrInUse
	}
	return nil
}

// Number implements agent.Kernel.
func (k *Kernel) Number(d *agent.Domain) (uint32, error) {
	return k.Core*abi.CoreDispatchers + d.Number, nil
}

// Bell implements agent.Kernel.
func (k *Kernel) Bell(number uint32) (capability.Reference, error) {
	if number/abi.CoreDispatchers == k.Core {
		panic("agenttest: a doorbell of this core is taken for one of another")
	}
	return bells | capability.Reference(number), nil
}

// Cache implements agent.Kernel: every two cores share one.
func (k *Kernel) Cache() uint32 { return k.Core / 2 }

// Shares returns how many frames there are, capabilities that the monitor has taken
// from programs, and exchanges.
func (k *Kernel) Shares() (frames, taken, exchanges int) {
	return len(k.frames), len(k.own) + len(k.removed), len(k.exchanges)
}
