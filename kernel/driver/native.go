package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
)

// arguments of a native call, in their order.
type arguments [6]uint64

// handler does a native call of b. A call that does not return to its caller
// leaves b parked, ended, or with another Resume, and what it returns is
// dropped.
type handler func(d *Driver, b *kcb.DCB, a *arguments) (value uint64, err abi.Error)

// calls lists the native calls with the right each needs.
var calls = [abi.NumCalls]struct {
	do    handler
	right uint64
}{
	abi.CallNop:         {do: nop},
	abi.CallSetup:       {do: setup},
	abi.CallPark:        {do: park},
	abi.CallWakeup:      {do: wakeup},
	abi.CallMap:         {do: mapPages},
	abi.CallMapArchive:  {do: mapArchive},
	abi.CallUnmap:       {do: unmap},
	abi.CallProtect:     {do: protect},
	abi.CallExit:        {do: exit},
	abi.CallRandom:      {do: random},
	abi.CallLog:         {do: log},
	abi.CallNotify:      {do: notify},
	abi.CallNotifyCore:  {do: notifyCore, right: abi.RightMonitor},
	abi.CallSpawn:       {do: spawn, right: abi.RightSpawn},
	abi.CallKill:        {do: kill, right: abi.RightSpawn},
	abi.CallReap:        {do: reap, right: abi.RightSpawn},
	abi.CallCoreInfo:    {do: coreInfo, right: abi.RightInspect},
	abi.CallDomainInfo:  {do: domainInfo, right: abi.RightInspect},
	abi.CallPortWrite:   {do: portWrite, right: abi.RightConsole},
	abi.CallPortRead:    {do: portRead, right: abi.RightConsole},
	abi.CallPower:       {do: power, right: abi.RightPower},
	abi.CallCommandLine: {do: commandLine},
	abi.CallYield:       {do: yield},
	abi.CallCoreState:   {do: coreState, right: abi.RightInspect},
}

// native does the native call in b's registers.
func (d *Driver) native(b *kcb.DCB) {
	r := &b.Regs
	n := r.RAX &^ abi.NativeCall
	d.k.Counters.NativeCalls++
	d.k.Note(kcb.Event{Ns: carry.Now(), Domain: b.ID, Vector: amd64.NativeCall, Detail: n})
	if r.RAX&abi.NativeCall == 0 {
		// A Linux call of a domain that has not named its upcalls.
		d.end(b, abi.Status{Kind: abi.ExitFault, FaultVector: amd64.NativeCall, FaultRIP: r.RIP})
		return
	}
	value, err := uint64(0), abi.ErrCall
	if n < abi.NumCalls {
		c := &calls[n]
		if c.right&^b.Rights != 0 {
			err = abi.ErrRights
		} else {
			d.arguments = arguments{r.RDI, r.RSI, r.RDX, r.R10, r.R8, r.R9}
			value, err = c.do(d, b, &d.arguments)
		}
	}
	r.RAX, r.RDX = uint64(err), value
	if d.options.panicAfter != 0 {
		d.maybePanic()
	}
}

func nop(*Driver, *kcb.DCB, *arguments) (uint64, abi.Error) { return 0, abi.OK }

func setup(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	var e abi.Entries
	if err := d.copyIn(b, uintptr(a[0]), bytesOf(&e)); err != abi.OK {
		return 0, err
	}
	for _, at := range [...]uint64{e.Run, e.PageFault, e.Trap, e.Linux} {
		if at == 0 || at >= userEnd {
			return 0, abi.ErrArgument
		}
	}
	if e.CriticalHigh < e.CriticalLow || e.CriticalHigh >= userEnd {
		return 0, abi.ErrArgument
	}
	b.Entries = e
	d.setUser(b)
	return 0, abi.OK
}

func park(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	p := d.page(b)
	if b.Entries.Run == 0 || p.Disabled == 0 {
		return 0, abi.ErrState
	}
	b.Resume = kcb.ResumeRun
	at := int64(a[0])
	if p.HasWork != 0 || at != 0 && at <= carry.Now() {
		return 0, abi.OK
	}
	b.State = abi.DomainParked
	d.k.WakeLater(b, at)
	return 0, abi.OK
}

func yield(d *Driver, b *kcb.DCB, _ *arguments) (uint64, abi.Error) {
	if b.Entries.Run == 0 || d.page(b).Disabled == 0 {
		return 0, abi.ErrState
	}
	b.Resume = kcb.ResumeRun
	d.resched = true
	return 0, abi.OK
}

func wakeup(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	at := int64(a[0])
	if at < 0 {
		return 0, abi.ErrArgument
	}
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

func log(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if a[1] > uint64(len(d.buffer)) {
		return 0, abi.ErrTooBig
	}
	buf := d.buffer[:a[1]]
	if err := d.copyIn(b, uintptr(a[0]), buf); err != abi.OK {
		return 0, err
	}
	for _, c := range b.Name {
		if c == 0 {
			break
		}
		console.Byte(printable(c))
	}
	console.Write(": ")
	for _, c := range buf {
		console.Byte(printable(c))
	}
	console.Flush()
	return a[1], abi.OK
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

func notify(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	n := uint32(a[0])
	if n == 0 {
		n = b.Parent
	}
	t := d.k.Find(n)
	if t == nil || a[0] > 1<<32-1 || t.State == abi.DomainEnded || t.ID != b.Parent && t.Parent != b.ID {
		return 0, abi.ErrNotFound
	}
	d.notify(t)
	return 0, abi.OK
}

func notifyCore(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	m := &d.k.Machine
	if a[0] >= uint64(m.Cores) || console.StateOf(uint32(a[0])) != abi.CoreRunning {
		return 0, abi.ErrNotFound
	}
	d.k.Counters.DoorbellsOut++
	if uint32(a[0]) == m.Core {
		d.notify(d.monitor)
		return 0, abi.OK
	}
	amd64.SendIPI(m.APICs[a[0]%uint64(len(m.APICs))], amd64.VectorDoorbell)
	return 0, abi.OK
}

func coreState(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	if a[0] >= uint64(d.k.Machine.Cores) {
		return 0, abi.ErrNotFound
	}
	return uint64(console.StateOf(uint32(a[0]))), abi.OK
}

func commandLine(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	m := &d.k.Machine
	line := m.CommandLine[:min(m.CommandLineLength, uint32(len(m.CommandLine)))]
	n := min(uint64(len(line)), a[1])
	return uint64(len(line)), d.copyOut(b, uintptr(a[0]), line[:n])
}
