package driver

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
)

// userFlags is RFLAGS of an upcall: interrupts on, nothing else.
const userFlags = 0x202

// vectorArea returns the vector area at an address, limited to what is in use.
func vectorArea(at uintptr) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(at)), amd64.VectorSize)
}

// giveVector copies b's vector state to the n-th vector area of its dispatcher
// frame.
func giveVector(b *kcb.DCB, n uintptr) {
	copy(vectorArea(b.SharedVector(n)), vectorArea(b.Vector()))
}

// disabled reports whether b, stopped where Regs say, may not be given an
// upcall.
func disabled(b *kcb.DCB) bool {
	return b.Page().Disabled != 0 || b.Regs.RIP-b.Entries.CriticalLow < b.Entries.CriticalHigh-b.Entries.CriticalLow
}

// resume prepares b's registers for how it is to go on, and returns whether
// its vector state must be loaded.
func (d *Driver) resume(b *kcb.DCB) (full uint64) {
	switch b.Resume {
	case kcb.ResumeExact:
		return 1
	case kcb.ResumeRun:
		b.Counts.Runs++
		d.enter(b, b.Entries.Run, 0)
	case kcb.ResumePreempted:
		b.Counts.Runs++
		d.enter(b, b.Entries.Run, 1)
	}
	return 0
}

// enter makes b go on in an upcall.
func (d *Driver) enter(b *kcb.DCB, entry, argument uint64) {
	p := b.Page()
	p.Disabled = 1
	p.Now = carry.Now()
	b.Regs = abi.Registers{RDI: abi.DispatcherBase, RSI: argument, RIP: entry, RFLAGS: userFlags}
	b.Resume = kcb.ResumeCall
}

// interruptUser gives the running dispatcher a run upcall for what has come.
// If it is inside the libos it finds HasWork there; in case it has just looked,
// this is tried again soon.
func (d *Driver) interruptUser(b *kcb.DCB) {
	d.upcall = false
	if disabled(b) {
		d.retryAt = carry.Now() + retry
		return
	}
	d.preempt(b)
}

// preempt stops b, which was running enabled: its state goes to the enabled
// area, and it goes on in the run upcall. This, a trap, and an interrupt while it is
// disabled are all that vector state is saved for.
func (d *Driver) preempt(b *kcb.DCB) {
	if b.Resume == kcb.ResumeExact {
		giveVector(b, 1)
	} else {
		// Stopped at a native call: the vector state is the initial one.
		area := vectorArea(b.SharedVector(1))
		clear(area)
		*(*uint32)(unsafe.Pointer(&area[24])) = 0x1f80 // MXCSR
	}
	b.Page().Enabled = b.Regs
	b.Resume = kcb.ResumePreempted
}

// exception handles an exception of b: an upcall if it was enabled, or if it
// is its own heap that the libos needs, its end if the libos itself was at
// fault.
func (d *Driver) exception(b *kcb.DCB, t amd64.Trap) {
	d.k.Note(kcb.Event{Ticks: amd64.EventBegan(), Domain: b.Domain, Vector: uint32(t.Vector), Detail: t.Address})
	entry, count := b.Entries.Trap, &b.Counts.Traps
	switch t.Vector {
	case amd64.PageFault:
		d.k.Counters.PageFaults++
		switch {
		case nests(b, t.Address):
			d.nest(b, t)
			return
		case probes(b):
			b.Counts.PageFaults++
			b.Regs.RIP = b.Entries.ProbeFail
			return
		}
		entry, count = b.Entries.PageFault, &b.Counts.PageFaults
	case amd64.NMI, amd64.MachineCheck, amd64.DoubleFault:
		carry.Stop("the processor reported an error of its own")
	default:
		t.Address = 0
	}
	*count++
	if entry == 0 || disabled(b) {
		s := d.place(b, t)
		s.Kind = abi.ExitFault
		d.end(b, s)
		return
	}
	p := b.Page()
	p.Trap = b.Regs
	p.FaultVector, p.FaultCode, p.FaultAddress = uint64(t.Vector), t.Code, t.Address
	giveVector(b, 2)
	d.enter(b, entry, 0)
}

// nests reports whether a page fault of b is one of those that it handles while
// disabled.
func nests(b *kcb.DCB, address uint64) bool {
	p := b.Page()
	return address >= abi.LibosHeap && address < abi.LibosHeapEnd && p.Disabled != 0 && p.Nested == 0 && b.Entries.NestedFault != 0
}

// probes reports whether b tries, disabled, whether it can access an address.
func probes(b *kcb.DCB) bool {
	e := &b.Entries
	return b.Page().Disabled != 0 && b.Regs.RIP-e.ProbeLow < e.ProbeHigh-e.ProbeLow
}

// nest gives b the upcall for a page fault while disabled. It keeps the vector
// registers, which the upcall does not touch.
func (d *Driver) nest(b *kcb.DCB, t amd64.Trap) {
	b.Counts.NestedFaults++
	p := b.Page()
	p.Nested, p.NestedCode, p.NestedAddress, p.NestedState = 1, t.Code, t.Address, b.Regs
	d.enter(b, b.Entries.NestedFault, 0)
	b.Resume = kcb.ResumeExact
}

// place describes where b is, and the exception t that brought it there.
func (d *Driver) place(b *kcb.DCB, t amd64.Trap) abi.Status {
	s := abi.Status{FaultVector: uint64(t.Vector), FaultCode: t.Code, FaultAddress: t.Address, FaultRIP: b.Regs.RIP}
	// Return addresses into the libos on the stack say how it came there.
	n := 0
	var word [8]byte
	for sp := b.Regs.RSP &^ 7; n < len(s.Trace) && sp < b.Regs.RSP+2048; sp += 8 {
		if d.copyIn(b, uintptr(sp), word[:]) != abi.OK {
			break
		}
		v := *(*uint64)(unsafe.Pointer(&word))
		if v >= abi.LibosBase && d.executable(b, v) {
			s.Trace[n] = v
			n++
		}
	}
	return s
}

// notify tells b that there is something for it.
func (d *Driver) notify(b *kcb.DCB) {
	if b.State == abi.DomainEnded {
		return
	}
	b.Counts.Notified++
	p := b.Page()
	p.Notified = b.Counts.Notified
	p.HasWork = 1
	d.wake(b)
}

// summon notifies b of what does not come from whoever runs on its turn: if b lends that
// it has it back. A message does not come so: its sender gives the turn back when it waits.
// Nor does a time that b has asked for: a Go runtime does so all the time.
func (d *Driver) summon(b *kcb.DCB) {
	d.recall(b)
	d.notify(b)
}

// recall gives b back the turn that it lends, if it could run on.
func (d *Driver) recall(b *kcb.DCB) {
	if b.State == abi.DomainReady && b != d.running && d.k.Scheduler.Recall(&b.Entry) {
		d.changed = true
	}
}

// notifyMonitor tells the core's monitor that there is something for it.
func (d *Driver) notifyMonitor() {
	if d.monitor != nil {
		d.notify(d.monitor)
	}
}

// wake makes b go on if it is parked, and gives it a run upcall soon if it runs. If
// it waits for a message it has none: that it learns first.
func (d *Driver) wake(b *kcb.DCB) {
	switch {
	case b.State == abi.DomainParked:
		if b.Awaits != 0 {
			d.messageInterrupted(b)
			if !disabled(b) {
				d.preempt(b)
			}
		}
		d.ready(b)
	case b == d.running:
		d.upcall = true
	}
}
