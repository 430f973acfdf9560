package driver

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// way returns what the endpoints are that the call in b's registers names.
func (d *Driver) way(b *kcb.DCB) (*kcb.Way, abi.Error) {
	w := &b.Messages.Way
	if uint32(b.Regs.RDI) == 0 {
		w = &b.Messages.Receipt
	}
	if d.known(w, &b.Regs) {
		return w, abi.OK
	}
	return w, d.findWay(w, b)
}

// known reports whether w is what the endpoints are that the call in r names.
func (d *Driver) known(w *kcb.Way, r *abi.Registers) bool {
	return w.Endpoints == r.RDI && w.Emptied == d.cap.Emptied
}

// findWay looks the endpoints up, and keeps in found what they are.
func (d *Driver) findWay(found *kcb.Way, b *kcb.DCB) abi.Error {
	r, root := b.Regs.RDI, d.slot(b, kcb.SlotCSpace)
	w := kcb.Way{Endpoints: r, Emptied: d.cap.Emptied}
	if to := capability.Reference(r); to != 0 {
		slot, err := d.cap.LookupType(root, to, capability.Endpoint, capability.RightSend)
		if err != abi.OK {
			return err
		}
		w.To, w.Room = memory.Phys(d.cap.BaseOf(slot)), uint16(kcb.Room(d.cap.SizeOf(slot)))
		w.Target, w.Endpoint = d.target(slot), d.endpointIn(slot)
	}
	switch from := capability.Reference(r >> 32); from {
	case 0:
	case abi.AnyEndpoint:
		w.From = kcb.AwaitsAny
	default:
		slot, err := d.cap.LookupType(root, from, capability.Endpoint, capability.RightControl)
		if err != abi.OK {
			return err
		}
		if d.target(slot) != b {
			return abi.ErrArgument
		}
		w.From = memory.Phys(d.cap.BaseOf(slot))
	}
	w.Both = w.To != 0 && w.From != 0
	*found = w
	return abi.OK
}
