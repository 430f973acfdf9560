package driver

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
)

func address(b *kcb.DCB) uintptr { return uintptr(unsafe.Pointer(b)) }

// userFlags is RFLAGS of an upcall: interrupts on, nothing else.
const userFlags = 0x202

// page returns the dispatcher page that b shares with its user. Whatever is
// read from it may have been written by the user.
func (d *Driver) page(b *kcb.DCB) *abi.Dispatcher {
	return (*abi.Dispatcher)(unsafe.Pointer(d.k.Pages.At(b.Frame[0])))
}

// vectorPage returns the i-th vector area of b's dispatcher frame, limited to
// what is in use.
func (d *Driver) vectorPage(b *kcb.DCB, i int) []byte {
	return d.bytes(b.Frame[i], amd64.VectorSize)
}

// giveVector copies b's vector state to the i-th page of its dispatcher frame.
func (d *Driver) giveVector(b *kcb.DCB, i int) {
	copy(d.vectorPage(b, i), unsafe.Slice((*byte)(unsafe.Pointer(b.Vector)), amd64.VectorSize))
}

// disabled reports whether b, stopped where Regs say, may not be given an
// upcall.
func (d *Driver) disabled(b *kcb.DCB) bool {
	return d.page(b).Disabled != 0 || b.Regs.RIP-b.Entries.CriticalLow < b.Entries.CriticalHigh-b.Entries.CriticalLow
}

// resume prepares b's registers for how it is to go on, and returns whether
// its vector state must be loaded.
func (d *Driver) resume(b *kcb.DCB) (full uint64) {
	switch b.Resume {
	case kcb.ResumeExact:
		return 1
	case kcb.ResumeRun:
		d.enter(b, b.Entries.Run, 0)
	case kcb.ResumePreempted:
		d.enter(b, b.Entries.Run, 1)
	}
	return 0
}

// enter makes b go on in an upcall.
func (d *Driver) enter(b *kcb.DCB, entry, argument uint64) {
	p := d.page(b)
	p.Disabled = 1
	p.Now = carry.Now()
	b.Upcalls++
	b.Regs = abi.Registers{RDI: abi.DispatcherBase, RSI: argument, RIP: entry, RFLAGS: userFlags}
	b.Resume = kcb.ResumeCall
}

// interruptUser gives the running dispatcher a run upcall for what has come.
// If it is inside the libos it finds HasWork there; in case it has just looked,
// this is tried again soon.
func (d *Driver) interruptUser(b *kcb.DCB) {
	d.upcall = false
	if d.disabled(b) {
		d.retryAt = carry.Now() + retry
		return
	}
	d.preempt(b)
}

// preempt stops b, which was running enabled: its state goes to the enabled
// area, and it goes on in the run upcall.
func (d *Driver) preempt(b *kcb.DCB) {
	if b.Resume == kcb.ResumeExact {
		d.giveVector(b, 1)
	} else {
		// Stopped at a native call: the vector state is the initial one.
		clear(d.vectorPage(b, 1))
		*(*uint32)(unsafe.Pointer(&d.vectorPage(b, 1)[24])) = 0x1f80 // MXCSR
	}
	d.page(b).Enabled = b.Regs
	b.Resume = kcb.ResumePreempted
}

// exception handles an exception of b: an upcall if it was enabled, its end if
// the libos itself was at fault.
func (d *Driver) exception(b *kcb.DCB, t amd64.Trap) {
	d.k.Note(kcb.Event{Ns: carry.Now(), Domain: b.ID, Vector: uint32(t.Vector), Detail: t.Address})
	entry := b.Entries.Trap
	switch t.Vector {
	case amd64.PageFault:
		d.k.Counters.PageFaults++
		b.Faults++
		if t.Code&amd64.FaultPresent == 0 && inLibosHeap(t.Address, 1) {
			if err := d.backHeap(b, uintptr(t.Address)); err != abi.OK {
				d.end(b, abi.Status{Kind: abi.ExitMemory, Code: uint64(err)})
			}
			return
		}
		entry = b.Entries.PageFault
	case amd64.NMI, amd64.MachineCheck, amd64.DoubleFault:
		carry.Stop("the processor reported an error of its own")
	default:
		t.Address = 0
	}
	if entry == 0 || d.disabled(b) {
		d.end(b, d.fault(b, t))
		return
	}
	p := d.page(b)
	p.Trap = b.Regs
	p.FaultVector, p.FaultCode, p.FaultAddress = uint64(t.Vector), t.Code, t.Address
	d.giveVector(b, 2)
	d.enter(b, entry, 0)
}

// fault describes the end of b by exception t.
func (d *Driver) fault(b *kcb.DCB, t amd64.Trap) abi.Status {
	s := abi.Status{
		Kind: abi.ExitFault, FaultVector: uint64(t.Vector), FaultCode: t.Code,
		FaultAddress: t.Address, FaultRIP: b.Regs.RIP,
	}
	// Return addresses into the libos on the stack say how it came there.
	n := 0
	var word [8]byte
	for sp := b.Regs.RSP &^ 7; n < len(s.Trace) && sp < b.Regs.RSP+2048; sp += 8 {
		if d.copyIn(b, uintptr(sp), word[:]) != abi.OK {
			break
		}
		v := *(*uint64)(unsafe.Pointer(&word))
		if v >= abi.LibosBase && v < abi.LibosBase+d.libos.textSize {
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
	b.Notified++
	p := d.page(b)
	p.Notified = b.Notified
	p.HasWork = 1
	d.wake(b)
}

// wake makes b go on with a run upcall if it is parked, and soon if it runs.
func (d *Driver) wake(b *kcb.DCB) {
	switch {
	case b.State == abi.DomainParked:
		b.State = abi.DomainReady
		b.Resume = kcb.ResumeRun
		d.k.WakeLater(b, 0)
		d.k.Ready.Push(b)
	case b == d.running:
		d.upcall = true
	}
}
