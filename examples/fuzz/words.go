package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/capability/table"
	"skerry/lib/native/raw"
)

// forbidden are addresses to which no call may write.
var forbidden = []uint64{
	0, 8, abi.PageSize - 8,
	abi.WindowBase, abi.WindowBase + abi.BootPhys, abi.WindowBase + 0xfee0_0000,
	abi.KernelHeap, abi.KernelBase, abi.KernelBase + abi.KernelOffset, abi.KernelBase + abi.KernelOffset + 0x10_0000, abi.DeviceBase,
	abi.UserTop, abi.UserTop - 8, 0x1234_5678_9abc_def0, 0xffff_7fff_ffff_fff8, ^uint64(0), ^uint64(7),
	0x6666_dead_b000, abi.ArchiveBase, abi.ArchiveBase + abi.PageSize - 8, abi.LibosBase, abi.InfoBase, abi.MonitorChannels,
	1 << 63, 1 << 62, 1 << 47, 1<<47 - 1,
}

// edges are numbers at and beyond limits.
var edges = []uint64{
	0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 255, 256, 257, 511, 512, 513, 1<<12 - 1, 1 << 12, 1<<12 + 1,
	1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 20, 1 << 21, 1<<21 - 1, 1<<23 - 1, 1 << 23, 1 << 30, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1,
	1 << 39, 1<<47 - 1, 1 << 47, 1<<51 - 1, 1 << 51, 1<<52 - 1, 1 << 52, 1<<52 + 1, 1<<63 - 1, 1 << 63, ^uint64(0), ^uint64(4095),
	1 | 1<<32, 1 | 2<<32, 1 | 32<<32, 1 | 33<<32, 255 | 1<<32, 255 | 2<<32, 511 | 2<<32, 512 | 1<<32, 1 | 512<<32,
}

// word returns any word, but polite, none that names by chance what the fuzzer
// lives on.
func (f *fuzzer) word() uint64 {
	for {
		w := f.anything()
		r := capability.Reference(w)
		if f.wild || w>>32 != 0 || !r.Valid() || r.L1() >= beyond || f.inArena(r) {
			return w
		}
	}
}

func (f *fuzzer) inArena(r capability.Reference) bool {
	for _, c := range f.cnodes {
		if r.L1() == c.L1() {
			return true
		}
	}
	return false
}

func (f *fuzzer) anything() uint64 {
	switch f.r.IntN(5) {
	case 0:
		return uint64(f.anyReference())
	case 1:
		return f.address()
	case 2:
		return f.r.Uint64()
	case 3:
		w := f.r.Uint64() >> f.r.IntN(64)
		for !f.wild && f.livesAt(w) {
			w = f.r.Uint64() >> f.r.IntN(64)
		}
		return w
	}
	return edges[f.r.IntN(len(edges))]
}

// livesAt reports whether the fuzzer's own code or data may lie at an address: a
// call that writes there by its order would be no fault of the kernel's.
func (f *fuzzer) livesAt(at uint64) bool {
	const image, stacks = 1 << 27, abi.ProgramTop - 1<<40
	heap := uint64(uintptr(unsafe.Pointer(f)))
	return at >= 1<<16 && at < image || at-heap+1<<31 < 1<<32 || at >= stacks && at < abi.UserTop
}

// address returns an address to hand to a call: one that may be written, or
// not; wild, it may be of any of the fuzzer's pages.
func (f *fuzzer) address() uint64 {
	switch f.r.IntN(4) {
	case 0:
		return f.valid + 8*f.r.Uint64N(abi.PageSize/8)
	case 1:
		if f.wild {
			return uint64(abi.DispatcherBase) + f.r.Uint64N(abi.DispatcherSize)
		}
		return f.valid + 2*abi.PageSize - 8 // what is behind it is nobody's
	}
	return forbidden[f.r.IntN(len(forbidden))]
}

// followed ends the run if an address was written to that is not its own.
func (f *fuzzer) followed(at uint64) {
	for _, a := range forbidden {
		if a == at {
			f.breach("%s followed a pointer to %#x", f.last, at)
		}
	}
}

// beyond is the first L1 slot that no domain's CSpace has.
const beyond = 1 << 16

// anyReference returns a reference of any kind: to a slot of the arena, full or
// empty, to the CNodes of the arena, to nothing, and forged. Wild, it may be to
// all that the domain has.
func (f *fuzzer) anyReference() capability.Reference {
	if f.wild && f.r.IntN(3) == 0 {
		switch f.r.IntN(4) {
		case 0:
			return capability.Base(1 + f.r.Uint32N(capability.SlotSpawned))
		case 1:
			return capability.Base(f.r.Uint32N(capability.L2Slots))
		case 2:
			return capability.LevelOneReference(f.r.Uint32N(16))
		}
		return capability.MakeReference(f.r.Uint32N(32), f.r.Uint32N(capability.L2Slots))
	}
	switch f.r.IntN(10) {
	case 0:
		return f.cnodes[f.r.IntN(arenaCNodes)]
	case 1:
		return 0
	case 2: // no such L1 slot
		return capability.MakeReference(beyond+f.r.Uint32N(1<<22), f.r.Uint32N(capability.L2Slots))
	case 3:
		return capability.LevelOneReference(beyond + f.r.Uint32N(1<<22))
	case 4: // slot 0, the kernel's
		return f.cnodes[f.r.IntN(arenaCNodes)] &^ capability.LevelOne
	case 5: // level one, and yet a slot
		return f.reference(f.some()) | capability.LevelOne
	}
	return f.reference(f.some())
}

// argument returns a word of the kind that an invocation expects.
func (f *fuzzer) argument(kind table.Kind) uint64 {
	if f.r.IntN(8) == 0 {
		return f.word()
	}
	switch kind {
	case "Reference":
		return uint64(f.anyReference())
	case "Index":
		return f.r.Uint64N(capability.L2Slots)
	case "Slots":
		return f.r.Uint64N(512) | f.r.Uint64N(capability.MaxRetype+2)<<32
	case "Type":
		return f.r.Uint64N(uint64(capability.NumTypes) + 2)
	case "Rights":
		return f.r.Uint64N(256)
	case "Range":
		return f.r.Uint64N(64) << 12
	case "Address":
		return f.address()
	case "Protection":
		return f.r.Uint64N(8)
	}
	return f.word()
}

// anyInvocation makes an invocation of the table, of a capability of its type or
// another.
func (f *fuzzer) anyInvocation() {
	i := f.r.IntN(len(table.Types))
	t := &table.Types[i]
	p := f.find(capability.Type(i + 1))
	r := f.reference(p)
	if f.r.IntN(8) == 0 {
		r = f.anyReference()
	}
	number := f.r.IntN(len(table.Common) + len(t.Invocations) + 1)
	f.last = "an invocation of " + t.Name
	var list []table.Argument
	if n := number - len(table.Common); n >= 0 && n < len(t.Invocations) {
		list = t.Invocations[n].Arguments
	}
	var a [table.MaxArguments]uint64
	for i := range a {
		if i < len(list) {
			a[i] = f.argument(list[i].Kind)
		} else if f.r.IntN(4) == 0 {
			a[i] = f.word()
		}
	}
	f.invoke(r, capability.Invocation(number), a[:]...)
}

// anyWord invokes anything by anything.
func (f *fuzzer) anyWord() {
	f.last = "an invocation of anything"
	first := f.word()
	if f.wild || f.r.IntN(2) == 0 {
		first = capability.Word(f.anyReference(), capability.Invocation(f.r.Uint32()>>f.r.IntN(32)))
	} else {
		// A forged one: whatever it is, it names nothing of this domain's.
		first |= beyond << capability.SlotBits
	}
	f.call(abi.CallInvoke, [6]uint64{first, f.word(), f.word(), f.word(), f.word(), f.word()})
}

// anyCall makes a native call other than an invocation.
func (f *fuzzer) anyCall() {
	f.last = "a native call"
	number := f.r.Uint64N(abi.NumCalls + 2)
	if f.r.IntN(4) == 0 {
		number = f.word()
	}
	if uint8(number) == abi.CallMessage {
		f.message()
		return
	}
	a, n := f.address(), f.word()
	switch number &^ abi.NativeCall {
	case abi.CallInvoke:
		return
	case abi.CallExit:
		if !f.wild || f.r.IntN(100) > 0 {
			return // wild, it ends often enough
		}
	case abi.CallSetup:
		// What it might register itself would end it at the next upcall.
		if !f.wild || f.r.IntN(100) > 0 {
			a = forbidden[f.r.IntN(len(forbidden))]
			if a >= abi.ArchiveBase && a < abi.UserTop-abi.PageSize {
				a = 0 // can be read
			}
		}
	case abi.CallWait, abi.CallPark:
		a = f.r.Uint64N(1 << 20) // a time that has been, where disabled
	case abi.CallRandom:
		n = f.r.Uint64N(300)
	}
	err := f.call(number, [6]uint64{a, n, f.word(), f.word(), f.word(), f.word()})
	if err == capability.OK && (number == abi.CallSetup || number == abi.CallRandom && n > 0) {
		f.followed(a)
	}
	if number&^abi.NativeCall >= abi.NumCalls && err != capability.ErrCall {
		f.breach("call %#x, which there is not, returned %s", number, err.Name())
	}
}

// message makes a CallMessage that waits no longer than a moment.
func (f *fuzzer) message() {
	f.last = "a message"
	end := func() uint64 {
		switch f.r.IntN(4) {
		case 0:
			return 0
		case 1:
			return f.word() & (1<<32 - 1)
		}
		return uint64(f.reference(f.find(capability.Endpoint)))
	}
	m := raw.Message{Call: abi.NativeCall | abi.CallMessage, Endpoints: end() | end()<<32, Deadline: f.r.Uint64N(3)}
	if m.Call |= f.r.Uint64N(abi.MessageWords+2) << 8; f.wild && f.r.IntN(4) == 0 {
		m.Call |= f.word() &^ abi.NativeCall << 32
	}
	if f.wild && f.r.IntN(8) == 0 {
		m.Call |= f.word() &^ 255
	}
	var words [abi.MessageWords]uint64
	raw.Exchange(&m, &words)
	f.calls++
	if m.Call >= uint64(capability.Errors) {
		f.breach("a message returned error %#x, which does not exist", m.Call)
	}
	f.results[m.Call]++
}
