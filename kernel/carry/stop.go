package carry

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
)

// dying says that the kernel is printing its last words; a fault now has
// nothing to add.
var dying bool

// Stop ends this core's kernel: it says why, and what happened last, tells the
// other cores, and halts this one for ever. It runs in any context of ring 0.
func Stop(why string) {
	if dying {
		amd64.Halt()
	}
	dying = true
	console.LastWords()
	console.Begin("skerry: panic: core ")
	console.Number(uint64(core.Machine.Core))
	console.Write(": ")
	console.Write(why)
	console.Flush()
	console.Write("dispatcher ")
	lastRun()
	console.Flush()
	n := core.NumEvents
	for i := n - min(n, uint64(len(core.Events))); i < n; i++ {
		e := &core.Events[i%uint64(len(core.Events))]
		console.Write("event ")
		console.Number(i)
		console.Write(": at ")
		console.Number(uint64(Time(&core.Machine.Clock, e.Ticks)) / 1000)
		console.Write(" us, domain ")
		console.Number(uint64(e.Domain))
		if e.Vector == amd64.NativeCall {
			console.Write(", native call ")
			console.Number(e.Detail)
		} else {
			console.Write(", vector ")
			console.Number(uint64(e.Vector))
			console.Value(", address ", e.Detail)
		}
		console.Flush()
	}
	console.SetState(abi.CorePanicked)
	console.Drain()
	for i := uint32(0); i < core.Machine.Cores; i++ {
		if i != core.Machine.Core {
			amd64.SendIPI(core.Machine.APICs[i%256], amd64.VectorPanic)
		}
	}
	amd64.Halt()
}

// Expect logs that the fault which follows is wanted.
func Expect(why string) {
	console.Write(why)
	console.Flush()
}

// unexpected ends the kernel for an exception that no runtime can handle: one
// in freestanding code, such as an index out of range there, or one that means
// the machine is broken.
func unexpected(t amd64.Trap) {
	r := &amd64.KernelTrap
	console.LastWords()
	console.Write("trap ")
	console.Number(uint64(t.Vector))
	console.Value(" in the kernel: error code ", t.Code)
	console.Value(", address ", t.Address)
	console.Value(", RIP ", r.RIP)
	console.Value(", RSP ", r.RSP)
	console.Flush()
	trace(r.RSP)
	Stop("unexpected trap in freestanding code")
}

// lastRun writes the number and the name of the domain that runs or last ran, if it is
// there.
func lastRun() {
	for _, d := range core.Dispatchers {
		if d == nil || uintptr(unsafe.Pointer(&d.Regs)) != amd64.UserRegisters() {
			continue
		}
		console.Number(uint64(d.Domain))
		console.Write(" ")
		for _, c := range d.Name {
			if c == 0 {
				break
			}
			console.Byte(c)
		}
	}
}
