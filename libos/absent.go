package main

import (
	"math"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/span"
	"skerry/libos/vspace"
)

// A satellite cannot know what memory of the program is there: home may be taking it
// away. So it touches it by probing alone (probe in entry_amd64.s), and has home
// bring in what is missing: the thread is set aside meanwhile, and its call made
// again from the beginning.

// absent is the result of a call whose function has found memory missing that is
// noted in missing. It has done nothing then.
const absent = math.MinInt64 + 2

// missing is what tryCopy found missing last.
var missing struct {
	address, length uint64
	want            uint32
}

// fetch copies n bytes of the program's memory to the libos's own. It returns 0,
// -EFAULT, or absent.
func fetch(to, address, n uint64) int64 {
	if spanned.satellite {
		return tryCopy(to, address, n, address, linux.PROT_READ)
	}
	if !readable(address, n) {
		return -linux.EFAULT
	}
	copy(bytesAt(to, n), bytesAt(address, n))
	return 0
}

// put copies n bytes of the libos's own memory to the program's. It returns what
// fetch returns.
func put(address, from, n uint64) int64 {
	if spanned.satellite {
		return tryCopy(address, from, n, address, linux.PROT_WRITE)
	}
	if !writable(address, n) {
		return -linux.EFAULT
	}
	copy(bytesAt(address, n), bytesAt(from, n))
	return 0
}

// tryCopy copies n bytes, of which the end at address is the program's.
func tryCopy(to, from, n, address uint64, want uint32) int64 {
	if address >= abi.SpanTop || n > abi.SpanTop-address {
		return -linux.EFAULT
	}
	if !probeCopy(to, from, n) {
		return lacks(address, n, want)
	}
	return 0
}

// loadWord loads a word of the program's memory. It returns what fetch returns.
func loadWord(address uint64) (uint32, int64) {
	if !spanned.satellite {
		if !readable(address, 4) {
			return 0, -linux.EFAULT
		}
		return *at[uint32](address), 0
	}
	if address >= abi.SpanTop-4 {
		return 0, -linux.EFAULT
	}
	value, ok := probeLoad(address)
	if !ok {
		return 0, lacks(address, 4, linux.PROT_READ)
	}
	return value, 0
}

// lacks notes memory that is missing.
func lacks(address, n uint64, want uint32) int64 {
	missing.address, missing.length, missing.want = address, n, want
	return absent
}

// askForMemory sets the current thread aside until home has brought in what it
// misses.
func askForMemory(th *carrier.Thread, need uint8) {
	slot := slotOf(th)
	p := passengerAt(slot)
	if spanned.replicated {
		skipPresent()
	}
	if missing.address != p.last {
		p.last, p.tries = missing.address, 0
	}
	p.tries++
	p.need = need
	threads.SetAside()
	m := spanned.frame.Message(slot)
	m.Kind, m.Back, m.Address, m.Length, m.Want = span.Fault, 0, missing.address, missing.length, missing.want
	spanned.frame.Send(slot, span.Home)
}

// serveFault brings memory in for a thread of another dispatcher, and says what
// came of it, and in Back whether it was there already. Faults that come from far
// bring in more than others.
func serveFault(m *span.Message) {
	m.Back = 0
	if vspace.Present(m.Address, m.Want) {
		m.Back = 1
	}
	vspace.Ahead(m.Address)
	code, err := vspace.Usable(m.Address, m.Length, m.Want)
	if err != capability.OK {
		outOfMemory(err)
	}
	m.Code = code
	if spanned.replicated && code == 0 {
		m.Map = span.Map(vspace.Tell(m.Address, int(m.From)))
	}
	m.Taken = spanned.taken
}

// memoryCame lets a thread go on that home has answered.
func memoryCame(th *carrier.Thread, p *passenger, m *span.Message) {
	code := m.Code
	if spanned.replicated && code == 0 {
		mapTold(m)
	}
	if m.Back == 0 || m.Taken != p.taken {
		p.tries = 0
	}
	p.taken = m.Taken
	if code == 0 && p.tries > maxTries {
		code = linux.SEGV_ACCERR // it is there, and of no use
	}
	switch {
	case code == 0:
		p.again = p.need == needCall
	case p.need == needFault:
		p.signal, p.code = linux.SIGSEGV, code
	case p.need == needFrame, th.Regs.RAX == linux.SysRtSigreturn:
		exitBySignal(linux.SIGSEGV)
	default:
		th.Regs.RAX = uint64(math.MaxUint64 - linux.EFAULT + 1)
	}
	threads.Ready(th)
}

// remoteFault has home serve the page fault of the current thread, whose state is
// where the upcall left it.
func remoteFault(address uint64, want uint32) {
	th := threads.Current()
	settle(th)
	d := dispatcher()
	p := passengerAt(slotOf(th))
	p.fault = carrier.Fault{Vector: d.FaultVector, Code: d.FaultCode, Address: address}
	lacks(address, 1, want)
	askForMemory(th, needFault)
}

// raise sends the current thread, which is prepared, the exception that it is to
// have. It says whether that is still the current one.
func raise(th *carrier.Thread, p *passenger) bool {
	refreshActions()
	signal := int(p.signal)
	if th.Mask&carrier.SignalBit(signal) != 0 || signals.Disposition(signal) != carrier.Handle {
		reportFault(signal, th, p.fault.Address)
		exitBySignal(signal)
	}
	info := linux.Siginfo{Signo: p.signal, Code: p.code, Word0: p.fault.Address}
	if !enterHandler(th, signal, &info, p.fault) {
		return false
	}
	p.signal, p.tries = 0, 0
	return true
}

// frameSize bounds a signal's frame with its vector state, and is a multiple of 64.
const frameSize = 2 * abi.PageSize

// enterRemotely is enterHandler on a satellite: the frame is made in the libos's
// heap and copied. It says whether the thread is still the current one.
func enterRemotely(th *carrier.Thread, signal int, info *linux.Siginfo, fault carrier.Fault, vector carrier.VectorState) bool {
	frame, _, end := signals.Place(th, signal, vector)
	if frame > end || end-frame > frameSize-64 {
		exitBySignal(linux.SIGSEGV)
	}
	before := *th
	made := heapFrame + frame&63
	signals.EnterAt(th, signal, info, fault, vector, made)
	switch put(frame, made, end-frame) {
	case 0:
		prepare(th)
		return true
	case absent:
		*th = before
		prepare(th)
		askForMemory(th, needFrame)
		return false
	}
	exitBySignal(linux.SIGSEGV)
	return false
}

// returnRemotely is sigreturn on a satellite.
func returnRemotely(th *carrier.Thread) int64 {
	frame := at[linux.SignalFrame](heapFrame)
	result := fetch(heapFrame, carrier.FrameOf(th), signalFrameSize)
	vector := vectorState(th)
	copied, state := uint64(0), frame.UC.Mcontext.FPState
	if result == 0 && state != 0 {
		copied = heapFrame + abi.PageSize
		result = fetch(copied, state, vector.Size)
	}
	switch result {
	case 0:
		carrier.LeaveFrom(th, heapFrame, copied, vector)
		if th.Regs.RIP < abi.UserTop {
			return restored
		}
	case absent:
		return absent
	}
	exitBySignal(linux.SIGSEGV)
	return restored
}
