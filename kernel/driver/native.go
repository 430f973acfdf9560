package driver

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
)

// arguments of a native call, in their order.
type arguments [6]uint64

// call does a native call of b. One that does not return to its caller leaves b
// parked, ended, or with another Resume, and what it returns is dropped.
type call func(d *Driver, b *kcb.DCB, a *arguments) (value uint64, err abi.Error)

// callMask covers the number of a CallMessage, which has more than that in RAX.
const callMask = 0xff

// calls lists the native calls but CallMessage.
var calls = [abi.NumCalls]call{
	abi.CallNop:    nop,
	abi.CallInvoke: invoke,
	abi.CallSetup:  setup,
	abi.CallPark:   park,
	abi.CallWait:   wait,
	abi.CallWakeup: wakeup,
	abi.CallYield:  yield,
	abi.CallExit:   exit,
	abi.CallRandom: random,
	abi.CallSettle: settle,
}

// native does the native call in b's registers.
func (d *Driver) native(b *kcb.DCB) {
	r := &b.Regs
	n := r.RAX &^ abi.NativeCall
	d.k.Counters.NativeCalls++
	b.Counts.NativeCalls++
	d.k.Note(kcb.Event{Ticks: amd64.EventBegan(), Domain: b.Domain, Vector: amd64.NativeCall, Detail: n})
	if r.RAX&abi.NativeCall == 0 {
		d.unheard(b)
		return
	}
	if n&callMask == abi.CallMessage {
		d.message(b)
		return
	}
	value, err := uint64(0), abi.ErrCall
	if n < abi.NumCalls && calls[n] != nil {
		a := &d.arguments
		a[0], a[1], a[2], a[3], a[4], a[5] = r.RDI, r.RSI, r.RDX, r.R10, r.R8, r.R9
		value, err = calls[n](d, b, a)
	}
	r.RAX, r.RDX = uint64(err), value
	if d.options.panicAfter != 0 {
		d.maybePanic()
	}
}

// unheard ends b, which has made a Linux call without having named its upcalls.
func (d *Driver) unheard(b *kcb.DCB) {
	d.end(b, abi.Status{Kind: abi.ExitFault, FaultVector: amd64.NativeCall, FaultRIP: b.Regs.RIP})
}

func nop(*Driver, *kcb.DCB, *arguments) (uint64, abi.Error) { return 0, abi.OK }

func setup(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	var e abi.Entries
	if err := d.copyIn(b, uintptr(a[0]), bytesOf(&e)); err != abi.OK {
		return 0, err
	}
	for _, at := range [...]uint64{e.Run, e.PageFault, e.Trap, e.NestedFault, e.Linux} {
		if at == 0 || at >= userEnd {
			return 0, abi.ErrArgument
		}
	}
	if e.CriticalHigh < e.CriticalLow || e.CriticalHigh >= userEnd || e.ProbeHigh < e.ProbeLow || e.ProbeHigh >= userEnd {
		return 0, abi.ErrArgument
	}
	if e.ProbeLow != e.ProbeHigh && (e.ProbeFail == 0 || e.ProbeFail >= userEnd) {
		return 0, abi.ErrArgument
	}
	b.Entries = e
	d.setUser(b)
	return 0, abi.OK
}

func park(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if b.Entries.Run == 0 || b.Page().Disabled == 0 {
		return 0, abi.ErrState
	}
	b.Resume = kcb.ResumeRun
	d.sleep(b, int64(a[0]))
	return 0, abi.OK
}

func wait(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if b.Page().Disabled == 0 {
		return 0, abi.ErrState
	}
	d.sleep(b, int64(a[0]))
	return 0, abi.OK
}

// sleep parks b until it has work or a time has come, 0 for never, unless it is so
// already. That time is instead of the alarm.
func (d *Driver) sleep(b *kcb.DCB, until int64) {
	if b.Page().HasWork != 0 || until != 0 && until <= carry.Now() {
		return
	}
	b.Alarm = 0
	if until == 0 {
		until = never
	}
	d.block(b, until)
}

func yield(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if b.Entries.Run == 0 || b.Page().Disabled == 0 {
		return 0, abi.ErrState
	}
	var to *kcb.DCB
	if a[0] != 0 {
		var err abi.Error
		if to, err = d.yieldsTo(b, capability.Reference(a[0])); err != abi.OK {
			return 0, err
		}
		if to.State != abi.DomainReady {
			b.Resume = kcb.ResumeRun
			return 0, abi.OK
		}
	}
	b.Resume = kcb.ResumeRun
	d.catchUp(carry.Now())
	s := &d.k.Scheduler
	if to == nil || !s.Donate(&b.Entry, &to.Entry) {
		s.Yield(&b.Entry)
	}
	d.changed = true
	return 0, abi.OK
}

// yieldsTo returns the dispatcher behind an endpoint or a doorbell.
func (d *Driver) yieldsTo(b *kcb.DCB, to capability.Reference) (*kcb.DCB, abi.Error) {
	slot, err := d.cap.Lookup(d.slot(b, kcb.SlotCSpace), to, capability.RightSend)
	if err != abi.OK && err != capability.ErrRights {
		return nil, err
	}
	if t := d.cap.TypeOf(slot); t != capability.Endpoint && t != capability.Doorbell {
		return nil, capability.ErrType
	}
	if err != abi.OK {
		return nil, err
	}
	return d.target(slot), abi.OK
}

func wakeup(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	at := int64(a[0])
	if at < 0 {
		return 0, abi.ErrArgument
	}
	b.Alarm = at
	d.k.WakeLater(b, at)
	return 0, abi.OK
}

func exit(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	switch a[0] {
	case abi.ExitCode, abi.ExitSignal:
		d.end(b, abi.Status{Kind: uint32(a[0]), Code: a[1]})
	case abi.ExitMemory:
		d.end(b, abi.Status{Kind: abi.ExitMemory, Code: a[1]})
	default:
		return 0, abi.ErrArgument
	}
	return 0, abi.OK
}

func random(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if a[1] > uint64(len(d.buffer)) {
		return 0, abi.ErrTooBig
	}
	buf := d.buffer[:a[1]]
	d.entropy(buf)
	return 0, d.copyOut(b, uintptr(a[0]), buf)
}

// printable makes sure that a user cannot end a line of the log, or dress it
// up as the kernel's.
func printable(c byte) byte {
	if c == '\t' {
		return ' '
	}
	if c < ' ' || c == 0x7f {
		return '?'
	}
	return c
}
