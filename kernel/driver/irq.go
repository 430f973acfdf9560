package driver

import (
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// The vectors that users can have: those that the kernel has no use for.
const (
	userVectors    = 0x50
	userVectorsEnd = 0xf0
)

// lineOf returns the controller that has an interrupt source, and whether there
// is one.
func (d *Driver) lineOf(source uint64) (amd64.IOAPIC, bool) {
	c := d.k.Interrupts.Controller(source)
	if c == nil {
		return amd64.IOAPIC{}, false
	}
	return amd64.IOAPIC{Base: c.At, GSI: c.First}, true
}

// sourceAt returns the number of the one interrupt source that the capability
// in a slot names, if some controller has it.
func (d *Driver) sourceAt(slot memory.Phys) (uint64, amd64.IOAPIC, capability.Error) {
	if d.cap.SizeOf(slot) != 1 {
		return 0, amd64.IOAPIC{}, capability.ErrRange
	}
	n := d.cap.BaseOf(slot)
	c, ok := d.lineOf(n)
	if !ok {
		return 0, c, capability.ErrNotFound
	}
	return n, c, capability.OK
}

func irqConnect(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	n, c, err := d.sourceAt(slot)
	if err != capability.OK {
		return 0, err
	}
	to, err := d.cap.LookupType(d.cspace, capability.Reference(a[0]), capability.IRQDestination, capability.RightControl)
	if err != capability.OK {
		return 0, err
	}
	if d.cap.SizeOf(to) != 1 {
		return 0, capability.ErrRange
	}
	vector := uint8(d.cap.BaseOf(to))
	v := &d.k.Interrupts.Vectors[vector]
	if v.Connected && uint64(v.Source) != n {
		return 0, capability.ErrInUse
	}
	d.disconnect(n)
	v.Connected, v.Source = true, uint16(n)
	s := &d.k.Interrupts.Sources[n]
	s.Vector = vector
	c.Route(uint32(n), vector, d.k.Machine.APIC, s.Level, s.Low)
	return 0, capability.OK
}

func irqAcknowledge(d *Driver, _ *kcb.DCB, slot memory.Phys, _ *capability.Arguments) (uint64, capability.Error) {
	n, c, err := d.sourceAt(slot)
	if err != capability.OK {
		return 0, err
	}
	if d.k.Interrupts.Sources[n].Vector == 0 {
		return 0, capability.ErrState
	}
	c.Unmask(uint32(n))
	return 0, capability.OK
}

func irqBind(d *Driver, _ *kcb.DCB, slot memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if d.cap.SizeOf(slot) != 1 {
		return 0, capability.ErrRange
	}
	endpoint, err := d.cap.LookupType(d.cspace, capability.Reference(a[0]), capability.Endpoint, capability.RightControl)
	if err != capability.OK {
		return 0, err
	}
	d.k.Interrupts.Vectors[uint8(d.cap.BaseOf(slot))].Endpoint = memory.Phys(d.cap.BaseOf(endpoint))
	return 0, capability.OK
}

// disconnect silences an interrupt source of a user's and routes it nowhere.
func (d *Driver) disconnect(n uint64) {
	s := &d.k.Interrupts.Sources[n]
	if s.Vector == 0 || s.Kernel {
		return
	}
	if c, ok := d.lineOf(n); ok {
		c.Mask(uint32(n))
	}
	d.k.Interrupts.Vectors[s.Vector].Connected = false
	s.Vector = 0
}

// interruptVector handles an interrupt of a vector that the kernel does not use
// itself: its source is silent until it is acknowledged, and whoever is bound to
// the vector is notified.
func (d *Driver) interruptVector(vector int) {
	v := &d.k.Interrupts.Vectors[uint8(vector)]
	if v.Connected {
		if c, ok := d.lineOf(uint64(v.Source)); ok {
			c.Mask(uint32(v.Source))
		}
	}
	if v.Endpoint != 0 {
		d.summon(d.dispatcherAt(v.Endpoint))
	}
}

// endpointEnded forgets an endpoint that has ended.
func (d *Driver) endpointEnded(base, size uint64) {
	d.endpointGone(memory.Phys(base))
	for i := range d.k.Interrupts.Vectors {
		if v := &d.k.Interrupts.Vectors[i]; uint64(v.Endpoint)-base < size {
			v.Endpoint = 0
		}
	}
}

// sourceEnded disconnects an interrupt source to which the last capability has
// gone; of several at once, each was connected by a capability of its own.
func (d *Driver) sourceEnded(base, size uint64) {
	if size == 1 && base < kcb.MaxSources {
		d.disconnect(base)
	}
}

// destinationEnded makes a vector nobody's to which the last capability has
// gone.
func (d *Driver) destinationEnded(base, size uint64) {
	if size != 1 {
		return
	}
	v := &d.k.Interrupts.Vectors[uint8(base)]
	if v.Connected {
		d.disconnect(uint64(v.Source))
	}
	v.Endpoint = 0
}
